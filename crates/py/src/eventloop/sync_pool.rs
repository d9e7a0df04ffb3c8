//! Threads for handlers that block: bounded in number and in what may wait for them.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::completion::{Completion, Outcome};
use super::context::copy_current;
use crate::observe;

/// Runs plain functions on threads of their own, each in a copy of the caller's context.
///
/// The threads are Python's (`threading.Thread`), so that thread-locals, names and Django's per-thread database connections
/// behave; they start when they are needed and live until the pool is dropped. They only take jobs and hand back results in
/// Rust, and hold no lock of Python's while they wait.
pub(crate) struct SyncPool {
    shared: Arc<Shared>,
    max_threads: usize,
    capacity: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    running: usize,
    closed: bool,
}

struct Job {
    function: Py<PyAny>,
    args: Py<PyTuple>,
    kwargs: Option<Py<PyDict>>,
    context: Py<PyAny>,
    completion: Arc<Completion>,
}

/// Every thread is at work and the queue is full.
#[derive(Debug)]
pub(crate) struct Busy {
    waiting: usize,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every thread for sync handlers is at work and {} calls are waiting already", self.waiting)
    }
}

impl std::error::Error for Busy {}

/// A call under way: resolves to what the function returns or raises. Dropping it withdraws a call that no thread has begun;
/// one that has begun runs to its end.
pub(crate) struct SyncCall {
    shared: Arc<Shared>,
    completion: Arc<Completion>,
    context: Py<PyAny>,
}

impl SyncCall {
    /// What is made of the result belongs in this context.
    pub(crate) fn context(&self, py: Python<'_>) -> Py<PyAny> {
        self.context.clone_ref(py)
    }
}

impl SyncPool {
    /// A pool of at most `max_threads` threads, where at most `capacity` calls wait for one. No thread starts yet.
    pub(crate) fn new(max_threads: usize, capacity: usize) -> Self {
        Self { shared: Arc::default(), max_threads: max_threads.max(1), capacity }
    }

    /// Calls `function(*args, **kwargs)` on a thread.
    ///
    /// The outer error is Python's (a thread could not start); the inner one says that the pool has no room.
    pub(crate) fn call(
        &self,
        function: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Result<SyncCall, Busy>> {
        let py = function.py();
        let completion = Arc::new(Completion::default());
        let context = copy_current(py)?;
        observe::remember(&context)?;
        let context = context.unbind();
        let job = Job {
            function: function.clone().unbind(),
            args: args.clone().unbind(),
            kwargs: kwargs.map(|kwargs| kwargs.clone().unbind()),
            context: context.clone_ref(py),
            completion: completion.clone(),
        };
        let needs_thread = {
            let mut queue = self.shared.lock();
            let taken = queue.jobs.len() + queue.running;
            if taken >= self.max_threads + self.capacity {
                return Ok(Err(Busy { waiting: self.capacity }));
            }
            let needs_thread = taken >= queue.threads && queue.threads < self.max_threads;
            queue.jobs.push_back(job);
            queue.threads += usize::from(needs_thread);
            needs_thread
        };
        let call = SyncCall { shared: self.shared.clone(), completion, context };
        if needs_thread {
            self.start_thread(py).inspect_err(|_| self.shared.lock().threads -= 1)?;
        } else {
            self.shared.changed.notify_one();
        }
        Ok(Ok(call))
    }

    fn start_thread(&self, py: Python<'_>) -> PyResult<()> {
        let kwargs = PyDict::new(py);
        kwargs.set_item("target", Worker(self.shared.clone()))?;
        kwargs.set_item("name", format!("plectrum-sync-{}", self.shared.lock().threads))?;
        kwargs.set_item("daemon", true)?;
        py.import("threading")?.call_method("Thread", (), Some(&kwargs))?.call_method0("start").map(drop)
    }
}

impl Drop for SyncPool {
    fn drop(&mut self) {
        let left = {
            let mut queue = self.shared.lock();
            queue.closed = true;
            std::mem::take(&mut queue.jobs)
        };
        self.shared.changed.notify_all();
        for job in left {
            job.completion.deliver(Err(PyRuntimeError::new_err("the worker stopped before this call began")));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job; `None` when the pool is gone.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        while queue.jobs.is_empty() && !queue.closed {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let job = queue.jobs.pop_front();
        queue.running += usize::from(job.is_some());
        job
    }
}

impl Job {
    fn run(&self, py: Python<'_>) -> Outcome {
        let args = self.args.bind(py).as_sequence();
        let call = PyTuple::new(py, [self.function.bind(py)])?.as_sequence().concat(args)?.to_tuple()?;
        let kwargs = self.kwargs.as_ref().map(|kwargs| kwargs.bind(py));
        self.context.bind(py).call_method(intern!(py, "run"), call, kwargs).map(Bound::unbind)
    }
}

/// What a thread of the pool runs.
#[pyclass(frozen, module = "plectrum._core", name = "SyncWorker")]
struct Worker(Arc<Shared>);

#[pymethods]
impl Worker {
    fn __call__(&self, py: Python<'_>) {
        let shared = self.0.clone();
        // The thread state stays with the thread: attaching to it again is cheap.
        py.detach(move || {
            while let Some(job) = shared.next() {
                let completion = job.completion.clone();
                let outcome = Python::attach(move |py| job.run(py));
                shared.lock().running -= 1;
                // The caller is woken only now that Python is free for it.
                completion.deliver(outcome);
            }
        });
    }
}

impl Future for SyncCall {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        self.completion.poll(cx)
    }
}

impl Drop for SyncCall {
    fn drop(&mut self) {
        if self.completion.abandon() {
            let mut queue = self.shared.lock();
            let index = queue.jobs.iter().position(|job| Arc::ptr_eq(&job.completion, &self.completion));
            let withdrawn = index.and_then(|index| queue.jobs.remove(index));
            drop(queue);
            drop(withdrawn);
        }
    }
}

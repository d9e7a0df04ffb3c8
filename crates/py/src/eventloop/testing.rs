//! A worker without a server, for the tests and benchmarks of this module.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tokio::runtime::{Builder, LocalRuntime};

use super::{EventLoop, Step, SyncPool};
use crate::detached::detached;

/// What only this project's own tests import.
#[pymodule(gil_used = false)]
pub(crate) mod _testing {
    #[pymodule_export]
    use super::{Worker, panic};
}

/// Panics.
#[pyfunction]
fn panic() {
    std::panic::panic_any("on purpose");
}

/// A runtime and its event loop.
struct Running {
    runtime: LocalRuntime,
    event_loop: Rc<EventLoop>,
}

thread_local! {
    // Left alone when the thread ends without closing its worker: by then neither Tokio nor Python may be there.
    static RUNNING: ManuallyDrop<RefCell<Option<Rc<Running>>>> = const { ManuallyDrop::new(RefCell::new(None)) };
}

/// The worker of the thread it was made on, driven by hand.
#[pyclass(frozen, module = "plectrum._core._testing")]
pub(crate) struct Worker {
    pool: SyncPool,
}

/// `(suspended, value, error)`: whether the first step was not the last, and what came out in the end.
type Report = (bool, Option<Py<PyAny>>, Option<Py<PyAny>>);

fn report(py: Python<'_>, suspended: bool, outcome: PyResult<Py<PyAny>>) -> Report {
    match outcome {
        Ok(value) => (suspended, Some(value), None),
        Err(error) => (suspended, None, Some(error.into_value(py).into_any())),
    }
}

#[pymethods]
impl Worker {
    #[new]
    #[pyo3(signature = (threads = 2, capacity = 2))]
    fn new(py: Python<'_>, threads: usize, capacity: usize) -> PyResult<Self> {
        let runtime = Builder::new_current_thread().enable_all().build_local(Default::default())?;
        let event_loop = runtime.block_on(async { EventLoop::start(py) })?;
        event_loop.pause(py)?;
        RUNNING.with(|running| *running.borrow_mut() = Some(Rc::new(Running { runtime, event_loop })));
        Ok(Self { pool: SyncPool::new(threads, capacity) })
    }

    /// Steps all `awaitables` and waits for them, or abandons those that are not done after `abandon_after` seconds.
    #[pyo3(signature = (*awaitables, abandon_after = None))]
    fn run(
        &self,
        py: Python<'_>,
        awaitables: Vec<Py<PyAny>>,
        abandon_after: Option<f64>,
    ) -> PyResult<Vec<Option<Report>>> {
        let event_loop = running()?.event_loop.clone();
        drive(py, async move {
            let mut reports = Vec::new();
            let mut pending = Vec::new();
            for awaitable in awaitables {
                match Python::attach(|py| event_loop.step(awaitable.into_bound(py))) {
                    Step::Done(outcome, _) => {
                        reports.push(Some(Python::attach(|py| report(py, false, outcome))))
                    }
                    Step::Suspended(future) => {
                        pending.push((reports.len(), tokio::task::spawn_local(future)));
                        reports.push(None);
                    }
                }
            }
            let deadline =
                abandon_after.map(|seconds| tokio::time::Instant::now() + Duration::from_secs_f64(seconds));
            for (index, mut future) in pending {
                let outcome = match deadline {
                    Some(deadline) => tokio::time::timeout_at(deadline, &mut future).await.ok(),
                    None => Some((&mut future).await),
                };
                match outcome {
                    Some(Ok(outcome)) => {
                        reports[index] = Some(Python::attach(|py| report(py, true, outcome)))
                    }
                    Some(Err(_)) => {}
                    None => future.abort(),
                }
            }
            reports
        })
    }

    /// Calls functions on the pool; `"busy"` where there is no room.
    #[pyo3(signature = (*functions, abandon_after = None))]
    fn run_sync(
        &self,
        py: Python<'_>,
        functions: Vec<Py<PyAny>>,
        abandon_after: Option<f64>,
    ) -> PyResult<Vec<Option<Report>>> {
        let mut calls = Vec::new();
        for function in &functions {
            calls.push(self.pool.call(function.bind(py), &PyTuple::empty(py), None)?);
        }
        drive(py, async move {
            let mut reports = Vec::new();
            for call in calls {
                let outcome = match call {
                    Err(busy) => Some(Err(PyRuntimeError::new_err(busy.to_string()))),
                    Ok(call) => {
                        let limit = abandon_after.map_or(Duration::MAX, Duration::from_secs_f64);
                        tokio::time::timeout(limit, call).await.ok()
                    }
                };
                reports.push(outcome.map(|outcome| Python::attach(|py| report(py, true, outcome))));
            }
            reports
        })
    }

    /// Lets the runtime go on for `seconds`.
    fn idle(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        drive(py, async move { tokio::time::sleep(Duration::from_secs_f64(seconds)).await })
    }

    /// The interrupt that came out of a task, if one does within `seconds`.
    fn interrupt(&self, py: Python<'_>, seconds: f64) -> PyResult<Option<Py<PyAny>>> {
        let event_loop = running()?.event_loop.clone();
        let interrupt = drive(py, async move {
            tokio::time::timeout(Duration::from_secs_f64(seconds), event_loop.interrupted()).await.ok()
        })?;
        Ok(interrupt.map(|error| error.into_value(py).into_any()))
    }

    /// What stepping `awaitable` comes to inside of a handler.
    fn step_in_step(&self, awaitable: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match running()?.event_loop.step(awaitable) {
            Step::Done(outcome, _) => outcome,
            Step::Suspended(_) => Err(PyRuntimeError::new_err("the awaitable suspended")),
        }
    }

    /// Nanoseconds for each of `count` coroutines made by `handler`, attaching for each as a request does.
    fn time_steps(&self, py: Python<'_>, handler: Py<PyAny>, count: u32) -> PyResult<f64> {
        let event_loop = running()?.event_loop.clone();
        drive(py, async move {
            let started = Instant::now();
            for _ in 0..count {
                Python::attach(|py| match event_loop.step(handler.bind(py).call0()?) {
                    Step::Done(outcome, _) => outcome.map(drop),
                    Step::Suspended(_) => Err(PyRuntimeError::new_err("the handler suspended")),
                })?;
            }
            Ok(started.elapsed().as_secs_f64() * 1e9 / f64::from(count))
        })?
    }

    /// Ends all tasks within `grace` seconds and closes the loop.
    fn close(&self, py: Python<'_>, grace: f64) -> PyResult<()> {
        let running = running()?;
        RUNNING.with(|running| running.borrow_mut().take());
        running.event_loop.resume(py)?;
        let shutdown = running.event_loop.clone().shutdown(Duration::from_secs_f64(grace));
        detached(py, || running.runtime.block_on(shutdown))
    }
}

fn running() -> PyResult<Rc<Running>> {
    let closed = || PyRuntimeError::new_err("the worker is closed, or another thread's");
    RUNNING.with(|running| running.borrow().clone()).ok_or_else(closed)
}

/// Runs `future` as a server would: without the interpreter, but with a running event loop.
fn drive<F: Future>(py: Python<'_>, future: F) -> PyResult<F::Output> {
    let running = running()?;
    running.event_loop.resume(py)?;
    let output = detached(py, || running.runtime.block_on(future));
    running.event_loop.pause(py)?;
    Ok(output)
}

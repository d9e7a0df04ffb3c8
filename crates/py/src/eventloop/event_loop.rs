//! A worker's asyncio loop, seen from Rust.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::call::PyCallArgs;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::awaitable::{self, Sent};
use super::completion::Outcome;
use super::context::{Entered, copy_current};
use super::pending::Pending;
use super::pump::Pump;
use super::scheduler::{Clock, Scheduler};
use super::spare::{Spare, Trace};
use super::waiter::Waiter;
use super::wake::{PyWake, Signal};

/// The asyncio loop of this thread. It runs as long as the Tokio runtime does, between the runtime's own tasks.
pub(crate) struct EventLoop {
    python: Py<PyAny>,
    ready: Py<PyAny>,
    scheduler: Py<Scheduler>,
    enter_task: Py<PyAny>,
    leave_task: Py<PyAny>,
    // What handlers find in their context: what was there when the loop was made.
    base: Py<PyAny>,
    // When present it is the current task as far as asyncio knows, so that a first step need not say so.
    spare: RefCell<Option<Spare>>,
    in_python: Cell<bool>,
    signal: Arc<Signal>,
    // When the next timer is due, by the loop's clock.
    due: Cell<Option<f64>>,
    interrupt: RefCell<Option<PyErr>>,
    interrupted: Notify,
    pump: RefCell<Option<JoinHandle<()>>>,
}

/// What the first step of a coroutine came to.
pub(crate) enum Step {
    /// It finished; nothing was scheduled. What is made of the result belongs in this context, where it set variables.
    Done(Outcome, Option<Py<PyAny>>),
    /// It is waiting for something.
    Suspended(Pending),
}

impl EventLoop {
    /// Makes an asyncio loop the running loop of this thread and spawns the task that runs its turns. Handlers will see a
    /// copy of the context that is current now.
    ///
    /// The thread must be inside a Tokio `LocalRuntime`, and its Python thread state must outlive the loop: that is so
    /// where the runtime runs within `Python::detach`.
    pub(crate) fn start(py: Python<'_>) -> PyResult<Rc<Self>> {
        Self::start_as(py, "plectrum._loop", "WorkerEventLoop")
    }

    /// As [`Self::start`]; what a worker would do on other threads happens on this one, where a test's transaction is.
    pub(crate) fn start_in_process(py: Python<'_>) -> PyResult<Rc<Self>> {
        Self::start_as(py, "plectrum._here", "InProcessEventLoop")
    }

    fn start_as(py: Python<'_>, module: &str, class: &str) -> PyResult<Rc<Self>> {
        let signal = Arc::new(Signal::default());
        let class = py.import(module)?.getattr(class)?;
        let now = py.import("time")?.call_method0("monotonic")?.extract()?;
        let scheduler = Py::new(py, Scheduler::new(Clock::new(now)))?;
        let python = class.call1((PyWake(signal.clone()), &scheduler))?;
        python.call_method0("resume")?;
        let tasks = py.import("asyncio.tasks")?;
        let event_loop = Rc::new(Self {
            ready: python.getattr("_ready")?.unbind(),
            scheduler,
            enter_task: tasks.getattr("_enter_task")?.unbind(),
            leave_task: tasks.getattr("_leave_task")?.unbind(),
            base: copy_current(py)?.unbind(),
            spare: RefCell::new(None),
            in_python: Cell::new(false),
            signal,
            due: Cell::new(None),
            interrupt: RefCell::new(None),
            interrupted: Notify::new(),
            pump: RefCell::new(None),
            python: python.unbind(),
        });
        let descriptor =
            event_loop.python.bind(py).getattr("_selector")?.call_method0("fileno")?.extract()?;
        let pump = Pump::new(event_loop.clone(), descriptor)?;
        *event_loop.pump.borrow_mut() = Some(tokio::task::spawn_local(pump));
        event_loop.settle(py);
        Ok(event_loop)
    }

    /// Makes this loop the running loop of the thread again after [`Self::pause`].
    pub(crate) fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.python.bind(py).call_method0(intern!(py, "resume")).map(drop)
    }

    /// Lets Python code on this thread see no running loop, as is due while the runtime is not being run, and where
    /// synchronous code is called that refuses to work inside of one. Nothing may be stepped meanwhile.
    pub(crate) fn pause(&self, py: Python<'_>) -> PyResult<()> {
        let spare = self.spare.borrow_mut().take();
        if let Some(spare) = spare {
            self.leave(py, &spare)?;
        }
        self.python.bind(py).call_method0(intern!(py, "pause")).map(drop)
    }

    /// Makes the first step of `awaitable` here and now, in a task and a context of its own.
    pub(crate) fn step(self: &Rc<Self>, awaitable: Bound<'_, PyAny>) -> Step {
        let py = awaitable.py();
        if self.in_python.replace(true) {
            close_quietly(&awaitable);
            return Step::Done(Err(reentered()), None);
        }
        let step = self.first_step(awaitable);
        self.in_python.set(false);
        self.settle(py);
        step
    }

    fn first_step(self: &Rc<Self>, awaitable: Bound<'_, PyAny>) -> Step {
        let py = awaitable.py();
        let (iterator, spare) =
            match awaitable::iterate(awaitable).and_then(|it| Ok((it, self.take_spare(py)?))) {
                Ok(both) => both,
                Err(error) => return Step::Done(Err(error), None),
            };
        match spare.send(&iterator) {
            Ok(Sent::Returned(value)) => self.put_back(py, spare, Ok(value.unbind())),
            Err(error) => self.put_back(py, spare, Err(error)),
            Ok(Sent::Yielded(awaited)) => self.promote(spare, iterator, awaited),
        }
    }

    fn take_spare(&self, py: Python<'_>) -> PyResult<Spare> {
        if let Some(spare) = self.spare.borrow_mut().take() {
            return Ok(spare);
        }
        let mut spare = Spare::new(self.python.bind(py), self.base.bind(py))?;
        self.enter_task.bind(py).call1((&self.python, &spare.task))?;
        spare.remember(py);
        Ok(spare)
    }

    /// Keeps the spare for the next coroutine if this one left no trace on it, else ends it as the task it has become.
    fn put_back(&self, py: Python<'_>, spare: Spare, outcome: Outcome) -> Step {
        let trace = spare.trace(py);
        if matches!(trace, Trace::None) {
            *self.spare.borrow_mut() = Some(spare);
            return Step::Done(outcome, None);
        }
        let outcome = match self.leave(py, &spare) {
            Ok(()) if matches!(trace, Trace::InTask) => spare.finish(py, outcome),
            Ok(()) => outcome,
            Err(error) => Err(error),
        };
        Step::Done(outcome, Some(spare.context))
    }

    /// Makes the spare the task of a coroutine that came to wait for `awaited`.
    fn promote(self: &Rc<Self>, spare: Spare, iterator: Bound<'_, PyAny>, awaited: Bound<'_, PyAny>) -> Step {
        let py = iterator.py();
        spare.body.get().carry_on(iterator.unbind(), awaited.unbind());
        let started = self
            .leave(py, &spare)
            .and_then(|()| spare.remember_request(py))
            .and_then(|()| self.python.bind(py).call_method1(intern!(py, "adopt"), (&spare.task,)))
            .and_then(|_| spare.start(py));
        match started {
            Ok(()) => Step::Suspended(Pending::new(self.clone(), spare)),
            Err(error) => Step::Done(Err(error), None),
        }
    }

    fn leave(&self, py: Python<'_>, spare: &Spare) -> PyResult<()> {
        self.leave_task.bind(py).call1((&self.python, &spare.task)).map(drop)
    }

    /// The loop's `create_future`.
    pub(crate) fn create_future(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.python.bind(py).getattr(intern!(py, "create_future")).map(Bound::unbind)
    }

    /// What a coroutine yields that waits for [`Self::resume_waiter`].
    pub(crate) fn waiter(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        Py::new(py, Waiter::new(self.python.clone_ref(py)))
    }

    /// Lets the task that awaits `waiter` go on, here and now where no Python is on the stack below.
    pub(crate) fn resume_waiter(&self, waiter: &Bound<'_, Waiter>) {
        let py = waiter.py();
        let Some((callback, context)) = waiter.get().complete() else { return };
        let context = context.as_ref().unwrap_or(&self.base).bind(py);
        if self.in_python.replace(true) {
            if let Err(error) = self.call_soon(callback.bind(py), waiter, context) {
                self.report(py, error);
            }
            self.signal.raise();
            return;
        }
        let resumed = self.outside_of_spare(py, || {
            let _entered = Entered::new(context)?;
            callback.bind(py).call1((waiter,)).map(drop)
        });
        self.in_python.set(false);
        if let Err(error) = resumed {
            self.report(py, error);
        }
        self.settle(py);
    }

    /// Calls a function of Python's from Rust, outside of any task; what it raises is reported.
    pub(crate) fn call<'py, A>(&self, py: Python<'py>, function: &Py<PyAny>, arguments: A)
    where
        A: IntoPyObject<'py, Target = PyTuple> + PyCallArgs<'py>,
    {
        let nested = self.in_python.replace(true);
        let called = self.base.bind(py).call_method1(intern!(py, "copy"), ()).and_then(|context| {
            let _entered = Entered::new(&context)?;
            function.bind(py).call1(arguments).map(drop)
        });
        self.in_python.set(nested);
        if let Err(error) = called {
            self.report(py, error);
        }
        self.settle(py);
    }

    /// asyncio's own object.
    pub(crate) fn python<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.python.bind(py)
    }

    fn call_soon(
        &self,
        callback: &Bound<'_, PyAny>,
        waiter: &Bound<'_, Waiter>,
        context: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let kwargs = PyDict::new(callback.py());
        kwargs.set_item(intern!(callback.py(), "context"), context)?;
        self.python.bind(callback.py()).call_method("call_soon", (callback, waiter), Some(&kwargs)).map(drop)
    }

    /// Runs one turn of the loop, collecting I/O events if there may be some.
    pub(super) fn turn(&self, py: Python<'_>, readable: bool) {
        if self.in_python.replace(true) {
            // Python is on the stack below and will come back here when it is done.
            self.signal.raise();
            return;
        }
        let turned = self.run_turn(py, readable);
        self.in_python.set(false);
        if let Err(error) = turned {
            self.report(py, error);
        }
        self.settle(py);
    }

    fn run_turn(&self, py: Python<'_>, readable: bool) -> PyResult<()> {
        self.outside_of_spare(py, || self.scheduler.get().run_turn(self.python.bind(py), readable))
    }

    /// Does what makes other tasks the current one.
    fn outside_of_spare(&self, py: Python<'_>, work: impl FnOnce() -> PyResult<()>) -> PyResult<()> {
        let spare = self.spare.borrow_mut().take();
        if let Some(spare) = &spare {
            self.leave(py, spare)?;
        }
        let turned = work();
        if let Some(spare) = spare {
            self.enter_task.bind(py).call1((&self.python, &spare.task))?;
            *self.spare.borrow_mut() = Some(spare);
        }
        turned
    }

    /// Sees to it that what Python has scheduled will run. To be called after Python code ran other than by [`Self::step`].
    pub(crate) fn settle(&self, py: Python<'_>) {
        if self.ready.bind(py).len().is_ok_and(|ready| ready > 0) {
            self.signal.raise();
        }
        let due = self.scheduler.get().next_due();
        if self.due.replace(due) != due {
            self.signal.wake();
        }
    }

    /// When the next timer is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.scheduler.get().clock().instant(self.due.get()?)
    }

    pub(super) fn signal(&self) -> &Signal {
        &self.signal
    }

    /// An exception that came out of a turn: asyncio lets only interrupts through.
    fn report(&self, py: Python<'_>, error: PyErr) {
        if error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py) {
            *self.interrupt.borrow_mut() = Some(error);
            self.interrupted.notify_one();
        } else {
            error.write_unraisable(py, Some(self.python.bind(py)));
        }
    }

    /// Waits for a task or callback to raise `KeyboardInterrupt` or `SystemExit`, which would have ended `asyncio.run`.
    pub(crate) async fn interrupted(&self) -> PyErr {
        loop {
            if let Some(error) = self.interrupt.borrow_mut().take() {
                return error;
            }
            self.interrupted.notified().await;
        }
    }

    /// Cancels all tasks, waits for them for at most `grace`, finishes async generators and closes the loop.
    pub(crate) async fn shutdown(self: Rc<Self>, grace: Duration) -> PyResult<()> {
        let step = Python::attach(|py| {
            let coroutine = self.python.bind(py).call_method1("wind_down", (grace.as_secs_f64(),))?;
            PyResult::Ok(self.step(coroutine))
        })?;
        let outcome = match step {
            Step::Done(outcome, _) => outcome,
            Step::Suspended(pending) => pending.await,
        };
        let pump = self.pump.borrow_mut().take();
        if let Some(pump) = pump {
            pump.abort();
            let _ = pump.await;
        }
        Python::attach(|py| {
            self.pause(py)?;
            self.python.bind(py).call_method0("close")?;
            outcome.map(drop)
        })
    }
}

fn reentered() -> PyErr {
    PyRuntimeError::new_err(
        "A handler cannot be run while another one is running on the same thread. \
         If this is a TestClient inside of a handler, use AsyncTestClient and await it.",
    )
}

/// Python warns of coroutines that were never awaited; this one could not be.
fn close_quietly(awaitable: &Bound<'_, PyAny>) {
    if let Ok(Some(close)) = awaitable.getattr_opt(intern!(awaitable.py(), "close")) {
        let _ = close.call0();
    }
}

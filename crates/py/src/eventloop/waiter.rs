//! What a coroutine awaits that Rust will wake: a future to asyncio, without a callback on the loop's queue.
//!
//! asyncio's own future schedules its callbacks, which costs a handle and a turn of the loop. Here the task goes on where
//! the news came in, within one entry into the interpreter.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::names;

/// A future that has no value, and one callback: the task that awaits it (or its cancellation).
#[pyclass(frozen, module = "plectrum._core", name = "Waiter")]
pub(crate) struct Waiter {
    event_loop: Py<PyAny>,
    blocking: AtomicBool,
    state: Mutex<State>,
}

enum State {
    /// Nobody awaits it yet.
    New,
    /// Callback and the context to call it in.
    Awaited(Py<PyAny>, Option<Py<PyAny>>),
    Done,
    Cancelled,
}

impl Waiter {
    /// To be yielded by an awaitable that has nothing to return yet. `event_loop` is asyncio's.
    pub(super) fn new(event_loop: Py<PyAny>) -> Self {
        Self { event_loop, blocking: AtomicBool::new(true), state: Mutex::new(State::New) }
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.lock(), State::Done | State::Cancelled)
    }

    /// Ends the wait; what is to be called, and in which context.
    pub(super) fn complete(&self) -> Option<(Py<PyAny>, Option<Py<PyAny>>)> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Done) {
            State::Awaited(callback, context) => Some((callback, context)),
            State::Cancelled => {
                *state = State::Cancelled;
                None
            }
            State::New | State::Done => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As much of `asyncio.Future` as tasks ask for.
#[pymethods]
impl Waiter {
    #[getter(_asyncio_future_blocking)]
    fn blocking(&self) -> bool {
        self.blocking.load(Ordering::Relaxed)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) {
        self.blocking.store(blocking, Ordering::Relaxed);
    }

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(&self, callback: Py<PyAny>, context: Option<Py<PyAny>>) -> PyResult<()> {
        let mut state = self.lock();
        if !matches!(*state, State::New) {
            return Err(PyRuntimeError::new_err("This is awaited already. Await it in one place only."));
        }
        *state = State::Awaited(callback, context);
        Ok(())
    }

    /// The task goes on with its cancellation in the next turn of the loop.
    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let _ = msg;
        let py = slf.py();
        let previous = {
            let mut state = slf.get().lock();
            if matches!(*state, State::Done | State::Cancelled) {
                return Ok(false);
            }
            std::mem::replace(&mut *state, State::Cancelled)
        };
        if let State::Awaited(callback, context) = previous {
            let kwargs = pyo3::types::PyDict::new(py);
            kwargs.set_item(intern!(py, "context"), context)?;
            slf.get().event_loop.bind(py).call_method("call_soon", (callback, slf), Some(&kwargs))?;
        }
        Ok(true)
    }

    fn cancelled(&self) -> bool {
        matches!(*self.lock(), State::Cancelled)
    }

    fn done(&self) -> bool {
        self.is_over()
    }

    fn result(&self, py: Python<'_>) -> PyResult<()> {
        if self.cancelled() {
            return Err(PyErr::from_value(names::CANCELLED_ERROR.get(py)?.call0()?));
        }
        Ok(())
    }

    fn exception(&self, py: Python<'_>) -> PyResult<()> {
        self.result(py)
    }
}

//! `asyncio.Handle` and `asyncio.TimerHandle`, written in Rust: a callback that will be called once, unless it is cancelled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::context::{Entered, copy_current};
use super::timers::Timers;
use super::wakeup;
use crate::names;

/// What `call_soon`, `call_later` and `call_at` return. The garbage collector need not know it: what it refers to is let go
/// of when it was called or cancelled, and all of it when the loop is closed.
#[pyclass(frozen, weakref, module = "plectrum._core", name = "Handle")]
pub(crate) struct Handle {
    /// Gone once it was called or cancelled, so that a handle never keeps alive what keeps the handle alive.
    call: Mutex<Option<Call>>,
    cancelled: AtomicBool,
    when: f64,
    /// Where it waits; nowhere where it is called as soon as can be.
    timers: Option<Weak<Timers>>,
    waiting: AtomicBool,
}

/// What is to be called.
pub(super) struct Call {
    callback: Py<PyAny>,
    arguments: Py<PyTuple>,
    /// None where what is called does not look at it.
    context: Option<Py<PyAny>>,
}

impl Call {
    /// The context is a copy of the current one where none is given.
    pub(super) fn new(
        py: Python<'_>,
        callback: Py<PyAny>,
        arguments: Py<PyTuple>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let context = match context {
            // What wakes `asyncio.sleep()`: whoever awaits it has a context of its own.
            None if callback.is(names::SET_RESULT.get(py)?) => None,
            None => Some(copy_current(py)?.unbind()),
            given => given,
        };
        Ok(Self { callback, arguments, context })
    }

    /// Calls it, in its context. What it raises is told to the loop, but for what ends the process.
    pub(super) fn run(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
        self.call(event_loop.py()).or_else(|error| self.tell(error, event_loop, None))
    }

    fn call(&self, py: Python<'_>) -> PyResult<()> {
        let context = self.context.as_ref().map(|context| context.bind(py));
        let _entered = context.map(Entered::new).transpose()?;
        self.callback.bind(py).call1(self.arguments.bind(py)).map(drop)
    }

    fn tell(
        &self,
        error: PyErr,
        event_loop: &Bound<'_, PyAny>,
        handle: Option<&Bound<'_, Handle>>,
    ) -> PyResult<()> {
        let py = event_loop.py();
        if error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py) {
            return Err(error);
        }
        let told = PyDict::new(py);
        let name = self.callback.bind(py).repr().map_or_else(|_| String::from("?"), |name| name.to_string());
        told.set_item("message", format!("Exception in callback {name}"))?;
        told.set_item("exception", error)?;
        if let Some(handle) = handle {
            told.set_item("handle", handle)?;
        }
        event_loop.call_method1(intern!(py, "call_exception_handler"), (told,)).map(drop)
    }
}

impl Handle {
    /// Of what is called as soon as can be.
    pub(super) fn soon(py: Python<'_>, call: Call) -> PyResult<Py<Self>> {
        Self::new(py, call, 0.0, None)
    }

    /// Of what is called at `when`, in seconds of the loop's clock.
    pub(super) fn at(py: Python<'_>, when: f64, call: Call, timers: &Arc<Timers>) -> PyResult<Py<Self>> {
        Self::new(py, call, when, Some(Arc::downgrade(timers)))
    }

    fn new(py: Python<'_>, call: Call, when: f64, timers: Option<Weak<Timers>>) -> PyResult<Py<Self>> {
        let waiting = AtomicBool::new(timers.is_some());
        let call = Mutex::new(Some(call));
        Py::new(py, Self { call, cancelled: AtomicBool::new(false), when, timers, waiting })
    }

    /// Its time has come.
    pub(super) fn waits_no_more(&self) {
        self.waiting.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Calls what is to be called. What it raises is told to the loop, but for what ends the process. `next` where nothing
    /// is queued, so that what this queues could as well be called at once.
    pub(super) fn run(slf: &Bound<'_, Self>, event_loop: &Bound<'_, PyAny>, next: bool) -> PyResult<()> {
        Self::fire(slf, event_loop, next)?.map_or(Ok(()), |call| call.run(event_loop))
    }

    /// As [`Self::run`]; what it queues first is given back where it is to be caught, and is a sleeper's wake-up.
    pub(super) fn fire(
        slf: &Bound<'_, Self>,
        event_loop: &Bound<'_, PyAny>,
        catch: bool,
    ) -> PyResult<Option<Call>> {
        let py = slf.py();
        let Some(call) = slf.get().lock().take() else { return Ok(None) };
        let called = match call.context {
            None => wakeup::wake(py, call.arguments.bind(py), catch),
            Some(_) => call.call(py).map(|()| None),
        };
        called.or_else(|error| call.tell(error, event_loop, Some(slf)).map(|()| None))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Call>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part(&self, part: impl FnOnce(&Call) -> Py<PyAny>) -> Option<Py<PyAny>> {
        self.lock().as_ref().map(part)
    }
}

#[pymethods]
impl Handle {
    /// It will not be called.
    pub(super) fn cancel(&self) {
        let call = self.lock().take();
        if call.is_some()
            && !self.cancelled.swap(true, Ordering::Relaxed)
            && self.waiting.load(Ordering::Relaxed)
            && let Some(timers) = self.timers.as_ref().and_then(Weak::upgrade)
        {
            timers.cancelled_one();
        }
        // Dropped outside of the lock: that may run anything.
        drop(call);
    }

    fn cancelled(&self) -> bool {
        self.is_cancelled()
    }

    /// Seconds of the loop's clock.
    fn when(&self) -> PyResult<f64> {
        if self.timers.is_none() {
            return Err(PyRuntimeError::new_err("This is no timer: it is called as soon as can be."));
        }
        Ok(self.when)
    }

    fn get_context(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.lock().as_ref()?.context.as_ref().map(|context| context.clone_ref(py))
    }

    // What asyncio's own code asks of handles.

    #[getter(_cancelled)]
    fn cancelled_flag(&self) -> bool {
        self.is_cancelled()
    }

    #[getter(_callback)]
    fn own_callback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.part(|call| call.callback.clone_ref(py))
    }

    #[getter(_context)]
    fn own_context(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.get_context(py)
    }

    /// Where it was made is not remembered.
    #[getter(_source_traceback)]
    fn source_traceback(&self) -> Option<Py<PyAny>> {
        None
    }

    fn _run(slf: &Bound<'_, Self>) -> PyResult<()> {
        let running = slf.py().import("asyncio.events")?.call_method0("_get_running_loop")?;
        Self::run(slf, &running, false)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let callback = self.part(|call| call.callback.clone_ref(py));
        let name = callback.and_then(|callback| callback.bind(py).repr().ok()).map(|name| format!(" {name}"));
        let state = if self.is_cancelled() { " cancelled" } else { "" };
        let when = if self.timers.is_some() { format!(" when={}", self.when) } else { String::new() };
        format!("<Handle{state}{when}{}>", name.unwrap_or_default())
    }
}

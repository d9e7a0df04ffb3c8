//! `call_soon`, `call_later` and `call_at` of asyncio, without the checks of its debug mode.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::handle::{Call, Handle};
use super::timers::Timers;
use super::wakeup;

/// A turn runs at most this many callbacks, so that a flood of them cannot keep the runtime from its sockets.
const CALLBACKS_PER_TURN: usize = 128;
/// Timers are due a little early, as asyncio's are: its clock's resolution.
const RESOLUTION: f64 = 1e-9;

/// The loop's clock: the same moment as Python and as the runtime tells it.
#[derive(Clone, Copy)]
pub(super) struct Clock(f64, Instant);

impl Clock {
    /// `now` is what `loop.time()` says now.
    pub(super) fn new(now: f64) -> Self {
        Self(now, Instant::now())
    }

    /// Seconds, as `loop.time()` has them.
    pub(super) fn now(self) -> f64 {
        self.0 + self.1.elapsed().as_secs_f64()
    }

    /// As the runtime has it; `None` where that is out of reach.
    pub(super) fn instant(self, when: f64) -> Option<Instant> {
        // A day is as good as forever, and times may be anything.
        let delay =
            Duration::try_from_secs_f64((when - self.0).max(0.0)).unwrap_or(Duration::from_secs(86_400));
        self.1.checked_add(delay)
    }
}

/// Where the loop's Python half leaves what is to be called.
#[pyclass(frozen, module = "plectrum._core", name = "Scheduler")]
pub(super) struct Scheduler {
    timers: Arc<Timers>,
    clock: Clock,
    /// The queue of what is called as soon as can be.
    ready: OnceLock<Py<PyAny>>,
}

impl Scheduler {
    pub(super) fn new(clock: Clock) -> Self {
        Self { timers: Arc::default(), clock, ready: OnceLock::new() }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// When the next timer is due.
    pub(super) fn next_due(&self) -> Option<f64> {
        self.timers.next_due()
    }

    fn ready<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        match self.ready.get() {
            Some(ready) => Ok(ready.bind(py)),
            None => Err(PyRuntimeError::new_err("the loop was not made")),
        }
    }

    /// Timers whose time has come. Where nothing is queued they are called here, and then the tasks that slept: all timers
    /// first, and both in their order, as asyncio has it.
    fn run_due(&self, event_loop: &Bound<'_, PyAny>, ready: &Bound<'_, PyAny>, debug: bool) -> PyResult<()> {
        let py = event_loop.py();
        let now = self.clock.now() + RESOLUTION;
        let queued = debug || !ready.is_empty()?;
        let mut woken = VecDeque::new();
        let mut run = || {
            for _ in 0..CALLBACKS_PER_TURN {
                let Some(handle) = self.timers.take_due(now) else { break };
                if queued {
                    ready.call_method1(intern!(py, "append"), (handle,))?;
                } else {
                    woken.extend(Handle::fire(handle.bind(py), event_loop, ready.is_empty()?)?);
                }
            }
            while let Some(call) = woken.pop_front() {
                call.run(event_loop)?;
            }
            Ok(())
        };
        let ran = run();
        // Who was to go on when something ended the process goes on if it does not end.
        for call in woken {
            ready.call_method1(intern!(py, "append"), (Handle::soon(py, call)?,))?;
        }
        ran
    }
}

#[pymethods]
impl Scheduler {
    /// Says which queue `call_soon` appends to.
    fn bind(&self, ready: Py<PyAny>) {
        let _ = self.ready.set(ready);
    }

    #[pyo3(signature = (callback, *arguments, context=None))]
    fn call_soon(
        &self,
        py: Python<'_>,
        callback: Py<PyAny>,
        arguments: Py<PyTuple>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Option<Py<Handle>>> {
        let call = Call::new(py, callback, arguments, context)?;
        // Nobody looks at the handle of a call that is caught.
        let Some(call) = wakeup::offer(call) else { return Ok(None) };
        let handle = Handle::soon(py, call)?;
        self.ready(py)?.call_method1(intern!(py, "append"), (&handle,))?;
        Ok(Some(handle))
    }

    #[pyo3(signature = (delay, callback, *arguments, context=None))]
    fn call_later(
        &self,
        py: Python<'_>,
        delay: f64,
        callback: Py<PyAny>,
        arguments: Py<PyTuple>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Py<Handle>> {
        self.call_at(py, self.clock.now() + delay, callback, arguments, context)
    }

    #[pyo3(signature = (when, callback, *arguments, context=None))]
    fn call_at(
        &self,
        py: Python<'_>,
        when: f64,
        callback: Py<PyAny>,
        arguments: Py<PyTuple>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Py<Handle>> {
        let handle = Handle::at(py, when, Call::new(py, callback, arguments, context)?, &self.timers)?;
        self.timers.add(when, handle.clone_ref(py));
        Ok(handle)
    }

    /// One bounded turn: I/O if there is any, then due timers, then callbacks.
    pub(super) fn run_turn(&self, event_loop: &Bound<'_, PyAny>, readable: bool) -> PyResult<()> {
        let py = event_loop.py();
        if readable {
            event_loop.call_method0(intern!(py, "collect_events"))?;
        }
        let ready = self.ready(py)?;
        let debug = event_loop.getattr(intern!(py, "_debug"))?.is_truthy()?;
        self.run_due(event_loop, ready, debug)?;
        for _ in 0..ready.len()?.min(CALLBACKS_PER_TURN) {
            let handle = ready.call_method0(intern!(py, "popleft"))?;
            match handle.cast_exact::<Handle>() {
                Ok(handle) if !debug => Handle::run(handle, event_loop, ready.is_empty()?)?,
                _ => drop(event_loop.call_method1(intern!(py, "run_handle"), (handle,))?),
            }
        }
        Ok(())
    }

    /// How many timers there are, cancelled ones included.
    #[getter]
    fn timers(&self) -> usize {
        self.timers.len()
    }

    /// Forgets all timers.
    fn clear(&self) {
        self.timers.clear();
    }
}

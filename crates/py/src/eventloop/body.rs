//! The coroutine of a spare task: nothing at first, then whatever request the task was given to.

use std::mem::replace;
use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::PyTraverseError;
use pyo3::PyVisit;
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;

use super::awaitable::{self, Sent};
use super::completion::{Completion, Outcome};

/// Passes everything its task does on to a coroutine whose first step was made before the task's.
///
/// To Python this object looks like that coroutine: stack, name and code are the coroutine's.
#[pyclass(frozen, module = "plectrum._core", name = "TaskBody")]
pub(super) struct TaskBody {
    stage: Mutex<Stage>,
    target: OnceLock<Py<PyAny>>,
    completion: Completion,
}

enum Stage {
    /// In a spare task.
    Idle,
    /// The coroutine is waiting for this; the task does not know yet.
    Awaiting(Py<PyAny>),
    /// The task was cancelled during the first step, and what was awaited could not be.
    Cancelled(PyErr),
    /// The task drives the coroutine.
    Running,
    /// The coroutine finished in its first step, but somebody holds on to its task, which therefore must finish too.
    Finished(Outcome),
}

impl TaskBody {
    pub(super) fn new() -> Self {
        Self { stage: Mutex::new(Stage::Idle), target: OnceLock::new(), completion: Completion::default() }
    }

    /// Makes the task's first step continue `target`, which is waiting for `awaited`.
    pub(super) fn carry_on(&self, target: Py<PyAny>, awaited: Py<PyAny>) {
        let _ = self.target.set(target);
        self.change(Stage::Awaiting(awaited));
    }

    /// Makes the task's first step its last.
    pub(super) fn finish(&self, outcome: Outcome) {
        self.change(Stage::Finished(outcome));
    }

    /// Where the coroutine's result will be.
    pub(super) fn completion(&self) -> &Completion {
        &self.completion
    }

    fn change(&self, stage: Stage) -> Stage {
        replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), stage)
    }

    fn advance(&self, py: Python<'_>, thrown: Option<PyErr>) -> PyResult<Py<PyAny>> {
        match (self.change(Stage::Running), thrown) {
            (Stage::Awaiting(awaited), None) => Ok(awaited),
            (Stage::Awaiting(awaited), Some(error)) => self.cancel_awaited(awaited.into_bound(py), error),
            (Stage::Cancelled(error), _) => self.conclude(py, awaitable::throw(self.target(py)?, error)),
            (Stage::Running, None) => self.conclude(py, awaitable::send(self.target(py)?)),
            (Stage::Running, Some(error)) => self.conclude(py, awaitable::throw(self.target(py)?, error)),
            (Stage::Finished(Ok(_)), Some(error)) => Err(error),
            (Stage::Finished(outcome), _) => Err(stop(outcome?)),
            (Stage::Idle, _) => Err(PyRuntimeError::new_err("a spare task was started")),
        }
    }

    /// What a task does that was cancelled in the step that came to wait for `awaited`.
    fn cancel_awaited(&self, awaited: Bound<'_, PyAny>, error: PyErr) -> PyResult<Py<PyAny>> {
        let py = awaited.py();
        let cancel = awaited.getattr_opt(intern!(py, "cancel"))?;
        let cancelled = match cancel {
            Some(cancel) => {
                let message = error.value(py).getattr(intern!(py, "args"))?.get_item(0).ok();
                cancel.call1((message,))?.is_truthy()?
            }
            None => false,
        };
        if !cancelled {
            self.change(Stage::Cancelled(error));
        }
        Ok(awaited.unbind())
    }

    fn target<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyAny>> {
        match self.target.get() {
            Some(target) => Ok(target.bind(py)),
            None => Err(PyAttributeError::new_err("this task has no coroutine yet")),
        }
    }

    /// Hands a step's result to the task, and the last one to the request as well.
    fn conclude(&self, py: Python<'_>, sent: PyResult<Sent<'_>>) -> PyResult<Py<PyAny>> {
        match sent {
            Ok(Sent::Yielded(awaited)) => Ok(awaited.unbind()),
            Ok(Sent::Returned(value)) => {
                self.completion.deliver(Ok(value.clone().unbind()));
                Err(stop(value.unbind()))
            }
            Err(error) => {
                self.completion.deliver(Err(error.clone_ref(py)));
                Err(error)
            }
        }
    }
}

fn stop(value: Py<PyAny>) -> PyErr {
    PyStopIteration::new_err((value,))
}

#[pymethods]
impl TaskBody {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.advance(py, None)
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.advance(py, None)
    }

    #[pyo3(signature = (error, value = None, traceback = None))]
    fn throw(
        &self,
        error: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = traceback;
        let py = error.py();
        self.advance(py, Some(PyErr::from_value(value.unwrap_or(error))))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.target.get() {
            Some(target) => target.bind(py).call_method0(intern!(py, "close")).map(drop),
            None => Ok(()),
        }
    }

    fn __getattr__<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, pyo3::types::PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.target(py)?.getattr(name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.target.get().map_or(Ok(()), |target| visit.call(target))
    }
}

//! The task in which coroutines make their first step.
//!
//! `asyncio.timeout()`, `TaskGroup` and anyio need a current task from the first line on, but a task costs more than a short
//! handler does. So one task that has not started is kept, and lent to each coroutine for its first step. If the coroutine
//! finishes there and nothing can tell that it was ever in this task, the next one gets it too.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::awaitable::{self, Sent};
use super::body::TaskBody;
use super::completion::Outcome;
use super::context::{Entered, copy, referents};
use crate::observe;

/// A task that has not started, its context, and what both look like untouched.
pub(super) struct Spare {
    pub(super) task: Py<PyAny>,
    pub(super) body: Py<TaskBody>,
    first_step: Py<PyAny>,
    pub(super) context: Py<PyAny>,
    pristine: Fingerprint,
}

/// What can be told of a coroutine after it finished in its first step.
pub(super) enum Trace {
    /// Nothing.
    None,
    /// It set context variables; the task is of no more use.
    InContext,
    /// The task was kept, cancelled, watched or written to; it must end as any task does.
    InTask,
}

#[derive(Default)]
struct Fingerprint {
    references: isize,
    referents: u64,
    variables: u64,
}

impl Spare {
    /// A new one. Its context is a copy of `base`, which must not be entered.
    pub(super) fn new(event_loop: &Bound<'_, PyAny>, base: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let body = Bound::new(py, TaskBody::new())?;
        let context = copy(base)?;
        let made = event_loop.call_method1(intern!(py, "new_spare"), (&body, &context))?;
        let (task, first_step) = made.extract::<(Py<PyAny>, Py<PyAny>)>()?;
        drop(made);
        Ok(Self {
            task,
            body: body.unbind(),
            first_step,
            context: context.unbind(),
            pristine: Fingerprint::default(),
        })
    }

    /// Remembers what the task looks like before anybody had it. It must be the current task already.
    pub(super) fn remember(&mut self, py: Python<'_>) {
        self.pristine = self.fingerprint(py);
    }

    /// Has what goes on as this task know its request.
    pub(super) fn remember_request(&self, py: Python<'_>) -> PyResult<()> {
        observe::remember(self.context.bind(py))
    }

    /// Sends `None` to `iterator` as this task would.
    pub(super) fn send<'py>(&self, iterator: &Bound<'py, PyAny>) -> PyResult<Sent<'py>> {
        let _entered = Entered::new(self.context.bind(iterator.py()))?;
        awaitable::send(iterator)
    }

    /// What the coroutine that was lent this task left on it.
    pub(super) fn trace(&self, py: Python<'_>) -> Trace {
        let task = self.task.bind(py);
        let now = self.fingerprint(py);
        let is_false = |flag: Bound<'_, PyAny>| flag.is(&*PyBool::new(py, false));
        if now.references != self.pristine.references
            || now.referents != self.pristine.referents
            || has_weak_references(task)
            || !task.getattr(intern!(py, "_must_cancel")).is_ok_and(is_false)
        {
            Trace::InTask
        } else if now.variables != self.pristine.variables {
            Trace::InContext
        } else {
            Trace::None
        }
    }

    fn fingerprint(&self, py: Python<'_>) -> Fingerprint {
        let task = self.task.bind(py);
        Fingerprint {
            // SAFETY: the task is alive.
            references: unsafe { ffi::Py_REFCNT(task.as_ptr()) },
            referents: referents(task),
            variables: referents(self.context.bind(py)),
        }
    }

    /// Runs the task's first step, which does what its body was told.
    pub(super) fn start(&self, py: Python<'_>) -> PyResult<()> {
        let _entered = Entered::new(self.context.bind(py))?;
        self.first_step.bind(py).call0().map(drop)
    }

    /// Finishes the task with what its coroutine came to in the first step, for those who kept it. The result can differ:
    /// a task that was cancelled meanwhile ends cancelled.
    pub(super) fn finish(&self, py: Python<'_>, outcome: Outcome) -> Outcome {
        self.body.get().finish(outcome);
        // Interrupts are the task's result and pass through this call as well.
        let _ = self.start(py);
        self.task.bind(py).call_method0(intern!(py, "result")).map(Bound::unbind)
    }
}

/// Whether there is a weak reference to `object`.
fn has_weak_references(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `tp_weaklistoffset` says where, relative to the object, the head of its list of weak references is.
    unsafe {
        let offset = (*ffi::Py_TYPE(object.as_ptr())).tp_weaklistoffset;
        offset != 0 && !object.as_ptr().byte_offset(offset).cast::<*mut ffi::PyObject>().read().is_null()
    }
}

//! The result of a coroutine that suspended.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pyo3::intern;
use pyo3::prelude::*;

use super::body::TaskBody;
use super::completion::Outcome;
use super::event_loop::EventLoop;
use super::spare::Spare;

/// A request's task: resolves to what its coroutine returns or raises. Dropping it cancels the task.
pub(crate) struct Pending {
    event_loop: Rc<EventLoop>,
    task: Py<PyAny>,
    body: Py<TaskBody>,
    context: Py<PyAny>,
}

impl Pending {
    pub(super) fn new(event_loop: Rc<EventLoop>, spare: Spare) -> Self {
        let Spare { task, body, context, .. } = spare;
        Self { event_loop, task, body, context }
    }

    /// What is made of the result belongs in this context.
    pub(crate) fn context(&self, py: Python<'_>) -> Py<PyAny> {
        self.context.clone_ref(py)
    }

    /// asyncio would log an exception that nobody asked the task for; the request has it.
    fn mark_retrieved(&self) {
        Python::attach(|py| {
            let task = self.task.bind(py);
            if let Err(error) = task.setattr(intern!(py, "_log_traceback"), false) {
                error.write_unraisable(py, Some(task));
            }
        });
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = ready!(self.body.get().completion().poll(cx));
        if outcome.is_err() {
            self.mark_retrieved();
        }
        Poll::Ready(outcome)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.body.get().completion().abandon() {
            return;
        }
        // Without an interpreter there is nothing left to cancel.
        Python::try_attach(|py| {
            let task = self.task.bind(py);
            if let Err(error) = task.call_method0(intern!(py, "cancel")) {
                error.write_unraisable(py, Some(task));
            }
            self.event_loop.settle(py);
        });
    }
}

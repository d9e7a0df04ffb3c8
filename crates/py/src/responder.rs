//! `Responder`: makes answers of results for those who change them afterwards, such as Django's middleware.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use plectrum_engine::endpoint::{Call, Endpoint};
use plectrum_http::Reply;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::asked::Asked;
use crate::eventloop::{EventLoop, Waiter};
use crate::handler::Inner;
use crate::request::Request;
use crate::response::Response;
use crate::results;
use crate::thread_bound::ThreadBound;

/// Makes answers of results, as they would be sent.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Responder(ThreadBound<Way>);

enum Way {
    /// Of what a handler returned.
    Handler { handler: Rc<Inner>, request: Py<Request> },
    /// Of what an endpoint in Rust answers, once.
    Endpoint { endpoint: Rc<dyn Endpoint>, call: RefCell<Option<Box<Call>>>, event_loop: Rc<EventLoop> },
}

impl Responder {
    pub(crate) fn of_handler(handler: &Rc<Inner>, request: &Bound<'_, Request>) -> Self {
        let request = request.clone().unbind();
        Self(ThreadBound::plain(Way::Handler { handler: Rc::clone(handler), request }))
    }

    pub(crate) fn of_endpoint(
        endpoint: &Rc<dyn Endpoint>,
        call: Box<Call>,
        event_loop: &Rc<EventLoop>,
    ) -> Self {
        let (endpoint, event_loop) = (Rc::clone(endpoint), Rc::clone(event_loop));
        Self(ThreadBound::plain(Way::Endpoint { endpoint, call: RefCell::new(Some(call)), event_loop }))
    }
}

#[pymethods]
impl Responder {
    /// The response to ``result``, or an awaitable that gives it.
    #[pyo3(signature = (result=None))]
    fn answer(&self, py: Python<'_>, result: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let (reply, event_loop) = match self.0.get()? {
            Way::Handler { handler, request } => {
                let none = py.None().into_bound(py);
                let asked = Asked::object(request.clone_ref(py), None);
                let reply = handler.respond(py, result.unwrap_or(&none), &asked)?;
                (reply, &handler.worker.event_loop)
            }
            Way::Endpoint { endpoint, call, event_loop } => {
                let Some(mut call) = call.borrow_mut().take() else {
                    return Err(PyRuntimeError::new_err("A middleware asked for the answer twice."));
                };
                call.zone = results::active_zone(py)?;
                (endpoint.call(call), event_loop)
            }
        };
        match reply {
            Reply::Ready(response) => Ok(Py::new(py, Response::of(response))?.into_any()),
            Reply::Pending(mut pending) => {
                // What is here already needs no task, and the coroutine does not suspend.
                if let Poll::Ready(response) = pending.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    return Ok(Py::new(py, Response::of(response))?.into_any());
                }
                let progress = Rc::new(Progress {
                    event_loop: Rc::clone(event_loop),
                    response: RefCell::default(),
                    waiter: RefCell::default(),
                });
                let task = tokio::task::spawn_local({
                    let progress = Rc::clone(&progress);
                    async move { progress.finish(pending.await) }
                });
                let answering =
                    Answering { progress: ThreadBound::plain(progress), task: task.abort_handle() };
                Ok(Py::new(py, answering)?.into_any())
            }
        }
    }
}

/// Waits for an answer. Whoever gives it up gives up what makes it.
#[pyclass(frozen, module = "plectrum._core")]
struct Answering {
    progress: ThreadBound<Rc<Progress>>,
    task: AbortHandle,
}

struct Progress {
    event_loop: Rc<EventLoop>,
    response: RefCell<Option<plectrum_http::Response>>,
    waiter: RefCell<Option<Py<Waiter>>>,
}

impl Progress {
    fn finish(&self, response: plectrum_http::Response) {
        *self.response.borrow_mut() = Some(response);
        let waiter = self.waiter.borrow_mut().take();
        if let Some(waiter) = waiter {
            Python::attach(|py| self.event_loop.resume_waiter(waiter.bind(py)));
        }
    }
}

#[pymethods]
impl Answering {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let progress = self.progress.get()?;
        let response = progress.response.borrow_mut().take();
        if let Some(response) = response {
            return Err(PyStopIteration::new_err((Py::new(py, Response::of(response))?,)));
        }
        let waiter = progress.event_loop.waiter(py)?;
        *progress.waiter.borrow_mut() = Some(waiter.clone_ref(py));
        Ok(waiter)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! A request's body, read by its handler: `async for chunk in request.stream()`.
//!
//! Nothing is read from the socket before it is asked for, so a slow handler slows its client down.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use plectrum_http::{BodyError, Bytes, RequestBody};
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::eventloop::EventLoop;
use crate::names;
use crate::thread_bound::ThreadBound;

type Next = Option<Result<Bytes, BodyError>>;

/// The pieces of a body, as they arrive.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct RequestStream(ThreadBound<Rc<Incoming>>);

/// A body that is being read, and the loop of whoever reads it.
pub(crate) struct Incoming {
    body: RefCell<RequestBody>,
    event_loop: Rc<EventLoop>,
}

impl Incoming {
    pub(crate) fn new(body: RequestBody, event_loop: Rc<EventLoop>) -> Rc<Self> {
        Rc::new(Self { body: RefCell::new(body), event_loop })
    }

    /// Gives the body up: the connection goes on, whoever still holds on to the request.
    pub(crate) fn release(&self) {
        if let Ok(mut body) = self.body.try_borrow_mut() {
            *body = RequestBody::default();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Next> {
        self.body.borrow_mut().poll_next(cx)
    }
}

impl RequestStream {
    pub(crate) fn new(incoming: Rc<Incoming>) -> Self {
        Self(ThreadBound::plain(incoming))
    }
}

#[pymethods]
impl RequestStream {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let incoming = Rc::clone(self.0.get()?);
        let future = incoming.event_loop.create_future(py)?.bind(py).call0()?;
        // What is here already needs no task, and the coroutine does not suspend.
        match incoming.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => deliver(&future, next)?,
            Poll::Pending => {
                tokio::task::spawn_local(wait(incoming, future.clone().unbind()));
            }
        }
        Ok(future)
    }
}

async fn wait(incoming: Rc<Incoming>, future: Py<PyAny>) {
    let next = std::future::poll_fn(|cx| incoming.poll(cx)).await;
    Python::attach(|py| {
        let future = future.bind(py);
        if let Err(error) = deliver(future, next) {
            error.write_unraisable(py, Some(future));
        }
        incoming.event_loop.settle(py);
    });
}

/// Hands a piece, the end or an error to whoever awaits; nobody does where the handler was cancelled.
fn deliver(future: &Bound<'_, PyAny>, next: Next) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match next {
        Some(Ok(bytes)) => future.call_method1(intern!(py, "set_result"), (PyBytes::new(py, &bytes),))?,
        None => future.call_method1(
            intern!(py, "set_exception"),
            (PyStopAsyncIteration::new_err(()).into_value(py),),
        )?,
        Some(Err(error)) => {
            let status = match error {
                BodyError::TooLarge { .. } => 413,
                BodyError::Timeout => 408,
                BodyError::Malformed | BodyError::Disconnected => 400,
            };
            let exception = names::HTTP_EXCEPTION.get(py)?.call1((status,))?;
            future.call_method1(intern!(py, "set_exception"), (exception,))?
        }
    };
    Ok(())
}

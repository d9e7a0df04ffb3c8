//! What the methods of a WebSocket return: awaitables that finish at once wherever they can.

use std::rc::Rc;

use plectrum_http::websocket::Message;
use plectrum_schema::{Schema, validate_json};
use pyo3::exceptions::{PyBaseException, PyStopAsyncIteration, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::talk::Talk;
use crate::eventloop::Waiter;
use crate::names;
use crate::sink::PySink;
use crate::thread_bound::ThreadBound;

/// What a message is received as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An ASGI event.
    Event,
    /// `str` or `bytes`, as it was sent.
    Either,
    Text,
    Bytes,
    Json,
}

/// Waits for a message.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Receive {
    talk: ThreadBound<Rc<Talk>>,
    form: Form,
    /// An iteration ends where a single call raises.
    iterating: bool,
}

impl Receive {
    pub(super) fn new(talk: Rc<Talk>, form: Form, iterating: bool) -> Self {
        Self { talk: ThreadBound::plain(talk), form, iterating }
    }

    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let talk = self.talk.get()?;
        match talk.receive(py) {
            Ok(Some(message)) => self.form.of(py, talk, &message).map(Some),
            Ok(None) => Ok(None),
            Err(error) => self.ended(py, error),
        }
    }

    fn ended<'py>(&self, py: Python<'py>, error: PyErr) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !error.is_instance(py, names::WEBSOCKET_DISCONNECT.get(py)?) {
            return Err(error);
        }
        if self.iterating {
            return Err(PyStopAsyncIteration::new_err(()));
        }
        if self.form != Form::Event {
            return Err(error);
        }
        let (value, event) = (error.value(py), PyDict::new(py));
        event.set_item("type", "websocket.disconnect")?;
        event.set_item("code", value.getattr("code")?)?;
        event.set_item("reason", value.getattr("reason")?)?;
        Ok(Some(event.into_any()))
    }
}

#[pymethods]
impl Receive {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        match self.next(py)? {
            Some(value) => Err(stop(value)),
            None => self.talk.get()?.wait_to_read(py),
        }
    }
}

impl Form {
    fn of<'py>(self, py: Python<'py>, talk: &Talk, message: &Message) -> PyResult<Bound<'py, PyAny>> {
        let text = || PyString::from_bytes(py, &message.data).map(Bound::into_any);
        let bytes = || PyBytes::new(py, &message.data).into_any();
        Ok(match self {
            Self::Text if message.text => text()?,
            Self::Bytes if !message.text => bytes(),
            Self::Text => return Err(talk.reject(py, 1003, "text was expected, not bytes")),
            Self::Bytes => return Err(talk.reject(py, 1003, "bytes were expected, not text")),
            Self::Either if message.text => text()?,
            Self::Either => bytes(),
            Self::Json => {
                let mut sink = PySink::new(py, &[]);
                let found = validate_json(&Schema::any(), &message.data, &mut sink);
                found.map_err(|_| talk.reject(py, 1007, "the message is not JSON"))?
            }
            Self::Event => {
                let event = PyDict::new(py);
                event.set_item(intern!(py, "type"), intern!(py, "websocket.receive"))?;
                if message.text {
                    event.set_item(intern!(py, "text"), text()?)?;
                } else {
                    event.set_item(intern!(py, "bytes"), bytes())?;
                }
                event.into_any()
            }
        })
    }
}

/// `StopIteration(value)`, for which Python makes no exception object where the value cannot be mistaken for arguments.
fn stop(value: Bound<'_, PyAny>) -> PyErr {
    if value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyBaseException>() {
        return PyStopIteration::new_err((value.unbind(),));
    }
    PyStopIteration::new_err(value.unbind())
}

/// Waits for the peer to take what was sent.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Room(ThreadBound<Rc<Talk>>);

impl Room {
    pub(super) fn new(talk: Rc<Talk>) -> Self {
        Self(ThreadBound::plain(talk))
    }
}

#[pymethods]
impl Room {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<Waiter>>> {
        let talk = self.0.get()?;
        if talk.socket.is_congested() { talk.wait_to_write(py).map(Some) } else { Ok(None) }
    }
}

/// What is done already.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Done;

impl Done {
    /// The only one.
    pub(super) fn get(py: Python<'_>) -> PyResult<Py<PyAny>> {
        static DONE: PyOnceLock<Py<Done>> = PyOnceLock::new();
        let done = DONE.get_or_try_init(py, || Py::new(py, Self))?;
        Ok(done.clone_ref(py).into_any())
    }
}

#[pymethods]
impl Done {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }
}

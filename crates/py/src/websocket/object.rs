//! `WebSocket`: a conversation as its handler sees it.

use std::borrow::Cow;
use std::rc::Rc;

use plectrum_http::HeaderMap;
use plectrum_http::websocket::{Close, Code, Opening};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::awaitable::{Done, Form, Receive, Room};
use super::talk::{Talk, forbidden};
use crate::encode::encode;
use crate::eventloop::EventLoop;
use crate::request::Request;
use crate::response::add_headers;
use crate::thread_bound::ThreadBound;

/// A WebSocket, as a handler's parameter annotated ``WebSocket`` receives it.
#[pyclass(frozen, weakref, module = "plectrum._core")]
pub(crate) struct WebSocket {
    request: Py<Request>,
    talk: ThreadBound<Rc<Talk>>,
}

impl WebSocket {
    pub(super) fn new(request: Py<Request>, opening: Opening, event_loop: &Rc<EventLoop>) -> Self {
        Self { request, talk: ThreadBound::plain(Talk::new(opening, Rc::clone(event_loop))) }
    }

    /// What it shares with its socket.
    pub(crate) fn talk(&self) -> PyResult<&Rc<Talk>> {
        self.talk.get()
    }

    fn receive_as(&self, form: Form) -> PyResult<Receive> {
        Ok(Receive::new(Rc::clone(self.talk()?), form, false))
    }

    fn messages(&self, form: Form) -> PyResult<Messages> {
        Ok(Messages { talk: ThreadBound::plain(Rc::clone(self.talk()?)), form })
    }

    /// What a sender awaits.
    fn sent(&self, py: Python<'_>, text: bool, payload: &[u8]) -> PyResult<Py<PyAny>> {
        let talk = self.talk()?;
        talk.send(py, text, payload)?;
        if talk.socket.is_congested() {
            return Ok(Py::new(py, Room::new(Rc::clone(talk)))?.into_any());
        }
        Done::get(py)
    }
}

#[pymethods]
impl WebSocket {
    /// The request that asked for it.
    #[getter]
    fn request(&self, py: Python<'_>) -> Py<Request> {
        self.request.clone_ref(py)
    }

    /// Subprotocols the client offers, the one it likes best first; empty after ``accept()``.
    #[getter]
    fn subprotocols(&self) -> PyResult<Vec<String>> {
        Ok(self.talk()?.offered())
    }

    /// Whether nothing can be sent any more.
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.talk()?.socket.is_closed())
    }

    /// The number of the close, once it is over.
    #[getter]
    fn close_code(&self) -> PyResult<Option<u16>> {
        Ok(self.talk()?.socket.ended().map(|close| close.code.0))
    }

    /// Agrees to the conversation.
    #[pyo3(signature = (subprotocol=None, headers=None))]
    fn accept(
        &self,
        py: Python<'_>,
        subprotocol: Option<&str>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let mut more = HeaderMap::new();
        if let Some(headers) = headers {
            add_headers(&mut more, headers)?;
        }
        self.talk()?.accept(py, subprotocol, more)?;
        Done::get(py)
    }

    /// The next event as ASGI describes it.
    fn receive(&self) -> PyResult<Receive> {
        self.receive_as(Form::Event)
    }

    /// The next message, which must be text.
    fn receive_text(&self) -> PyResult<Receive> {
        self.receive_as(Form::Text)
    }

    /// The next message, which must be binary.
    fn receive_bytes(&self) -> PyResult<Receive> {
        self.receive_as(Form::Bytes)
    }

    /// The next message, which must be JSON.
    fn receive_json(&self) -> PyResult<Receive> {
        self.receive_as(Form::Json)
    }

    /// Messages as they were sent.
    fn __aiter__(&self) -> PyResult<Messages> {
        self.messages(Form::Either)
    }

    /// Text messages until the end.
    fn iter_text(&self) -> PyResult<Messages> {
        self.messages(Form::Text)
    }

    /// Binary messages until the end.
    fn iter_bytes(&self) -> PyResult<Messages> {
        self.messages(Form::Bytes)
    }

    /// JSON values until the end.
    fn iter_json(&self) -> PyResult<Messages> {
        self.messages(Form::Json)
    }

    /// Sends an ASGI event, text or bytes.
    fn send(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        if let Ok(text) = message.cast::<PyString>() {
            return self.sent(py, true, text.to_str()?.as_bytes());
        }
        let Ok(event) = message.cast::<PyDict>() else {
            return self.sent(py, false, &message.extract::<Cow<'_, [u8]>>()?);
        };
        let given = |key| PyResult::Ok(event.get_item(key)?.filter(|value| !value.is_none()));
        match event.as_any().get_item("type")?.extract::<&str>()? {
            "websocket.send" => match given("text")? {
                Some(text) => self.sent(py, true, text.extract::<&str>()?.as_bytes()),
                None => self.sent(py, false, &event.as_any().get_item("bytes")?.extract::<Cow<'_, [u8]>>()?),
            },
            "websocket.accept" => {
                let protocol = given("subprotocol")?;
                let protocol = protocol.as_ref().map(|protocol| protocol.extract::<&str>()).transpose()?;
                self.accept(py, protocol, None)
            }
            "websocket.close" => {
                let (code, reason) = (given("code")?, given("reason")?);
                let code = code.map_or(Ok(1000), |code| code.extract())?;
                self.close(py, code, reason.as_ref().map_or(Ok(""), |reason| reason.extract())?)
            }
            other => Err(PyValueError::new_err(format!(
                "A WebSocket sends 'websocket.accept', 'websocket.send' and 'websocket.close', not {other:?}."
            ))),
        }
    }

    /// Sends text.
    fn send_text(&self, py: Python<'_>, data: &str) -> PyResult<Py<PyAny>> {
        self.sent(py, true, data.as_bytes())
    }

    /// Sends bytes.
    fn send_bytes(&self, py: Python<'_>, data: Cow<'_, [u8]>) -> PyResult<Py<PyAny>> {
        self.sent(py, false, &data)
    }

    /// Sends a value as JSON text.
    fn send_json(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let mut text = Vec::with_capacity(128);
        encode(data, &mut text)?;
        self.sent(py, true, &text)
    }

    /// Says goodbye; refuses with 403 what was not accepted.
    #[pyo3(signature = (code=1000, reason=""))]
    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<Py<PyAny>> {
        if !Code(code).is_sendable() {
            return Err(PyValueError::new_err(format!(
                "{code} is not a close code that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999."
            )));
        }
        let talk = self.talk()?;
        talk.refuse(forbidden);
        talk.socket.close(&Close::new(Code(code), reason));
        Done::get(py)
    }
}

/// An iteration over a WebSocket's messages, which ends with it.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Messages {
    talk: ThreadBound<Rc<Talk>>,
    form: Form,
}

#[pymethods]
impl Messages {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self) -> PyResult<Receive> {
        Ok(Receive::new(Rc::clone(self.talk.get()?), self.form, true))
    }
}

//! `Request`: what a handler may read of the request. Frozen; nothing becomes a Python object before it is read.

use std::rc::Rc;

use bytes::Bytes;
use plectrum_engine::gate::authority::Head;
use plectrum_http::form::Form;
use plectrum_http::{HeaderMap, Method, Peer, Uri, cookie, query};
use pyo3::exceptions::{PyAttributeError, PyKeyError, PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::asked::Head as Asked;
use crate::environ;
use crate::eventloop::EventLoop;
use crate::gate::Access;
use crate::incoming::{Incoming, RequestStream};
use crate::names;
use crate::response::pairs_of;
use crate::thread_bound::ThreadBound;
use crate::uploads;

/// Names and values, names and files.
type ReceivedForm<'py> = (Vec<(String, String)>, Vec<(String, Bound<'py, PyAny>)>);

/// The request, as a handler's parameter annotated ``Request`` receives it.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    peer: Peer,
    secure: bool,
    body: Body,
    /// The body, where it was a form and Django's middleware may ask for it.
    form: Option<Form>,
    access: Access,
    /// The request as Django's middleware has it.
    django: PyOnceLock<Py<PyAny>>,
}

enum Body {
    /// Here.
    Bytes(Bytes),
    /// Read by the handler.
    Stream(ThreadBound<Rc<Incoming>>),
}

impl Request {
    /// `stream`: the loop of a handler that reads the body by itself.
    pub(crate) fn new(
        request: plectrum_http::Request,
        body: Bytes,
        access: Access,
        stream: Option<Rc<EventLoop>>,
    ) -> Self {
        let plectrum_http::Request { method, uri, headers, peer, secure, body: unread, .. } = request;
        let body = match stream {
            Some(event_loop) => Body::Stream(ThreadBound::plain(Incoming::new(unread, event_loop))),
            None => Body::Bytes(body),
        };
        Self::made(Head { method, uri, headers, peer, secure }, body, access)
    }

    fn made(head: Head, body: Body, access: Access) -> Self {
        let Head { method, uri, headers, peer, secure } = head;
        Self { method, uri, headers, peer, secure, body, form: None, access, django: PyOnceLock::new() }
    }

    /// The same request with a form that was received.
    pub(crate) fn with_form(self, form: Option<Form>) -> Self {
        Self { form, ..self }
    }

    /// The same request with its body.
    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Self { body: Body::Bytes(body), ..self }
    }

    /// For guards, which are asked before the body is read.
    pub(crate) fn of_head(head: Head, access: Access) -> Self {
        Self::made(head, Body::Bytes(Bytes::new()), access)
    }

    /// Gives a body up that the handler was to read.
    pub(crate) fn release_body(&self) {
        if let Body::Stream(incoming) = &self.body
            && let Ok(incoming) = incoming.get()
        {
            incoming.release();
        }
    }

    /// Django's request, where its session says who the user is: no scheme of the route does.
    fn djangos_user<'py>(&self, py: Python<'py>) -> PyResult<Option<&Bound<'py, PyAny>>> {
        let Some(django) = self.django.get(py).filter(|_| !self.access.is_authenticated()) else {
            return Ok(None);
        };
        let django = django.bind(py);
        Ok(django.hasattr(intern!(py, "user"))?.then_some(django))
    }

    pub(crate) fn head(&self) -> Asked<'_> {
        Asked { method: &self.method, uri: &self.uri, headers: &self.headers, secure: self.secure }
    }
}

#[pymethods]
impl Request {
    /// Method in upper case.
    #[getter]
    fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Path as it was sent, percent-encoded.
    #[getter]
    fn path(&self) -> &str {
        self.uri.path()
    }

    /// Query string as it was sent, without the question mark.
    #[getter]
    fn query_string(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// Decoded pairs of the query string, in order.
    #[getter]
    fn query(&self) -> PyResult<Vec<(String, String)>> {
        let pairs = query::pairs(self.query_string());
        pairs
            .map(|(name, value)| Ok((name?.into_owned(), value?.into_owned())))
            .collect::<Result<_, query::NotUtf8>>()
            .map_err(|_| PyValueError::new_err("The query string is not UTF-8 text."))
    }

    /// Name and value of every header, names in lower case.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        pairs_of(&self.headers)
    }

    /// The first value of a header, or ``default``; the name in any case.
    #[pyo3(signature = (name, default=None))]
    fn header<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> Option<Bound<'py, PyAny>> {
        let Some(value) = self.headers.get(name) else { return default };
        let text: String = value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
        Some(PyString::new(py, &text).into_any())
    }

    /// A cookie's value.
    fn cookie(&self, name: &str) -> PyResult<String> {
        let found = cookie::get(&self.headers, name).map(str::to_owned);
        found.ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    /// The value of a cookie that ``Response.set_signed_cookie`` (or Django) signed; ``None`` where it is absent, changed, or
    /// signed more than ``max_age`` seconds ago.
    #[pyo3(signature = (name, *, salt="", max_age=None))]
    fn signed_cookie<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        salt: &str,
        max_age: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(signed) = cookie::get(&self.headers, name) else { return Ok(py.None().into_bound(py)) };
        names::UNSIGN_COOKIE.get(py)?.call1((name, signed, salt, max_age))
    }

    /// The nearest hop's address and port; ``None`` over a unix socket.
    #[getter]
    fn client(&self) -> Option<(String, u16)> {
        match self.peer {
            Peer::Tcp(address) => Some((address.ip().to_string(), address.port())),
            Peer::Unix => None,
        }
    }

    /// ``https`` or ``http``.
    #[getter]
    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The whole body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        match &self.body {
            Body::Bytes(bytes) => Ok(PyBytes::new(py, bytes)),
            Body::Stream(_) => Err(PyRuntimeError::new_err(
                "This route was registered with stream=True: read the body with 'async for chunk in request.stream()'.",
            )),
        }
    }

    /// The pieces of the body, as they arrive.
    fn stream(&self) -> PyResult<RequestStream> {
        match &self.body {
            Body::Stream(incoming) => Ok(RequestStream::new(Rc::clone(incoming.get()?))),
            Body::Bytes(_) => Err(PyRuntimeError::new_err(
                "The body was read before the handler was called. Register the route with stream=True.",
            )),
        }
    }

    /// A dict that lives as long as the request, for middleware and dependencies.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.access.state(py)
    }

    /// Claims of the token or key that was shown; ``None`` for an anonymous request.
    #[getter]
    fn auth(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.access.claims(py)
    }

    /// The user, loaded when it is first read.
    #[getter]
    fn user(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(django) = self.djangos_user(py)? {
            return Ok(django.getattr(intern!(py, "user"))?.unbind());
        }
        self.access.user(py)
    }

    /// The user, loaded without blocking.
    fn auser<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(django) = slf.get().djangos_user(slf.py())? {
            return django.call_method0(intern!(slf.py(), "auser"));
        }
        slf.get().access.auser(slf.py(), slf)
    }

    /// The request as Django's middleware and views know it.
    #[getter]
    fn django<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.django.get(py).map(|django| django.bind(py).clone());
        found.ok_or_else(|| {
            PyAttributeError::new_err(
                "This route runs without Django's middleware. Register it with django_middleware=True.",
            )
        })
    }

    /// Django's session.
    #[getter]
    fn session<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.django(py)?.getattr(intern!(py, "session"))
    }

    fn _attach_django(&self, py: Python<'_>, django: Py<PyAny>) {
        let _ = self.django.set(py, django);
    }

    /// CGI's variables, but for path and body.
    fn _environ<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let variables = environ::of(py, &self.head(), &self.peer)?;
        // A chunked body has no length before it is received.
        if let Body::Bytes(bytes) = &self.body
            && !bytes.is_empty()
        {
            variables.set_item(intern!(py, "CONTENT_LENGTH"), bytes.len().to_string())?;
        }
        Ok(variables)
    }

    /// Fields and files of a form that was received already.
    fn _form<'py>(&self, py: Python<'py>) -> PyResult<Option<ReceivedForm<'py>>> {
        let Some(form) = &self.form else { return Ok(None) };
        let files = form.files.iter().map(|(name, file)| Ok((name.clone(), uploads::received(py, file)?)));
        Ok(Some((form.fields.clone(), files.collect::<PyResult<_>>()?)))
    }

    /// Keeps a user that has been loaded.
    fn _remember_user(&self, py: Python<'_>, user: Py<PyAny>) {
        self.access.remember(py, user);
    }

    fn __repr__(&self) -> String {
        format!("<Request {} {}>", self.method, self.uri)
    }
}

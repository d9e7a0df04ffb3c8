//! `Response`: a handler's answer with its own status, headers and body.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use plectrum_engine::error;
use plectrum_http::set_cookie::{SameSite, SetCookie};
use plectrum_http::{
    Body, HeaderMap, HeaderName, HeaderValue, Reply, StatusCode, conditional, file, header, problem,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::asked::{Asked, Head};
use crate::background;
use crate::encode::encode;
use crate::names;
use crate::stream;
use crate::thread_bound::ThreadBound;
use crate::worker::Worker;

/// The media type of everything written as JSON.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with its own status, headers and body.
#[pyclass(frozen, subclass, module = "plectrum._core")]
pub(crate) struct Response {
    status: StatusCode,
    headers: Mutex<HeaderMap>,
    content: Content,
    background: Option<Py<PyAny>>,
}

enum Content {
    Bytes(Bytes),
    /// `plectrum.streaming.Source`.
    Stream(Py<PyAny>),
    /// Where a file is.
    File(PathBuf),
    /// Made in Rust while it is sent, once.
    Made(ThreadBound<RefCell<Option<Body>>>),
}

#[pymethods]
impl Response {
    #[new]
    #[pyo3(signature = (content=None, status=200, headers=None, media_type=None, background=None, _source=None))]
    fn new(
        content: Option<&Bound<'_, PyAny>>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        media_type: Option<&str>,
        background: Option<Py<PyAny>>,
        _source: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let status = status_of(status)?;
        let (content, natural) = match _source {
            Some(source) => (source_of(source)?, None),
            None => {
                let (bytes, natural) = content.map_or(Ok((Bytes::new(), None)), body_of)?;
                (Content::Bytes(bytes), natural)
            }
        };
        let mut map = HeaderMap::new();
        if let Some(headers) = headers {
            add_headers(&mut map, headers)?;
        }
        let media_type = media_type.map(header_value).transpose()?.or(natural);
        if let (Some(media_type), false) = (media_type, map.contains_key(header::CONTENT_TYPE)) {
            map.insert(header::CONTENT_TYPE, media_type);
        }
        Ok(Self { status, headers: Mutex::new(map), content, background })
    }

    /// Status code.
    #[getter]
    fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Body, already encoded; ``None`` where it is made while it is sent.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.content {
            Content::Bytes(bytes) => Some(PyBytes::new(py, bytes)),
            Content::Stream(_) | Content::File(_) | Content::Made(_) => None,
        }
    }

    /// The body's length; ``None`` where it is made while it is sent.
    #[getter]
    fn _length(&self) -> Option<usize> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes.len()),
            Content::Stream(_) | Content::File(_) | Content::Made(_) => None,
        }
    }

    /// What a streamed body is made of: `plectrum.streaming.Source`, or the path of a file.
    #[getter]
    fn _source(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match &self.content {
            Content::Stream(source) => Ok(Some(source.clone_ref(py))),
            Content::File(path) => Ok(Some(path.as_os_str().into_pyobject(py)?.into_any().unbind())),
            Content::Bytes(_) | Content::Made(_) => Ok(None),
        }
    }

    /// The same body under another head.
    fn _headed(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<Self> {
        let content = match &self.content {
            Content::Bytes(bytes) => Content::Bytes(bytes.clone()),
            Content::Stream(source) => Content::Stream(source.clone_ref(py)),
            Content::File(path) => Content::File(path.clone()),
            Content::Made(body) => Content::made(body.get()?.take()),
        };
        let mut map = HeaderMap::new();
        add_headers(&mut map, headers)?;
        let background = self.background.as_ref().map(|tasks| tasks.clone_ref(py));
        Ok(Self { status: status_of(status)?, headers: Mutex::new(map), content, background })
    }

    /// Name and value of each header, names in lower case.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        pairs_of(&self.head())
    }

    /// Sets a header, in place of any of that name.
    fn set_header(&self, name: &str, value: &str) -> PyResult<()> {
        self.head().insert(header_name(name)?, header_value(value)?);
        Ok(())
    }

    /// Adds a cookie (RFC 6265); see the stub for its parameters.
    #[pyo3(signature = (
        name, value="", *, max_age=None, expires=None, path="/", domain=None, secure=false, httponly=false,
        samesite="lax", partitioned=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "the attributes of a cookie, by keyword")]
    fn set_cookie(
        &self,
        name: &str,
        value: &str,
        max_age: Option<&Bound<'_, PyAny>>,
        expires: Option<&Bound<'_, PyAny>>,
        path: Option<&str>,
        domain: Option<&str>,
        secure: bool,
        httponly: bool,
        samesite: Option<&str>,
        partitioned: bool,
    ) -> PyResult<()> {
        let cookie = SetCookie {
            name,
            value,
            path,
            domain,
            max_age: max_age.map(seconds).transpose()?,
            expires: expires.map(moment).transpose()?,
            secure,
            http_only: httponly,
            same_site: samesite.map(same_site).transpose()?,
            partitioned,
        };
        self.add_cookie(&cookie)
    }

    /// As ``set_cookie``, with a signed value that ``Request.signed_cookie`` reads; Django reads it too where it is set up.
    #[pyo3(signature = (name, value, *, salt="", **attributes))]
    fn set_signed_cookie(
        slf: &Bound<'_, Self>,
        name: &str,
        value: &str,
        salt: &str,
        attributes: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let signed = names::SIGN_COOKIE.get(slf.py())?.call1((name, value, salt))?;
        slf.call_method("set_cookie", (name, signed), attributes).map(drop)
    }

    /// Has the client forget a cookie; path and domain must be those it was set with.
    #[pyo3(signature = (name, *, path="/", domain=None, secure=false, samesite="lax", partitioned=false))]
    fn delete_cookie(
        &self,
        name: &str,
        path: Option<&str>,
        domain: Option<&str>,
        secure: bool,
        samesite: Option<&str>,
        partitioned: bool,
    ) -> PyResult<()> {
        self.add_cookie(&SetCookie {
            name,
            path,
            domain,
            max_age: Some(0),
            expires: Some(SystemTime::UNIX_EPOCH),
            // Browsers refuse changes to such a cookie that are not secure themselves.
            secure: secure || name.starts_with("__Secure-") || name.starts_with("__Host-"),
            same_site: samesite.map(same_site).transpose()?,
            partitioned,
            ..SetCookie::default()
        })
    }

    fn __repr__(&self) -> String {
        let status = self.status.as_u16();
        match &self.content {
            Content::Bytes(bytes) => format!("<Response {status} with {} bytes>", bytes.len()),
            Content::Stream(_) => format!("<Response {status} with a stream>"),
            Content::File(path) => format!("<Response {status} with the file {}>", path.display()),
            Content::Made(_) => format!("<Response {status}>"),
        }
    }
}

impl Content {
    fn made(body: Option<Body>) -> Self {
        Self::Made(ThreadBound::plain(RefCell::new(body)))
    }
}

impl Response {
    /// What Rust would send, as Python sees it.
    pub(crate) fn of(response: plectrum_http::Response) -> Self {
        let (head, body) = response.into_parts();
        let content = match body {
            Body::Full(bytes) => Content::Bytes(bytes),
            Body::Empty => Content::Bytes(Bytes::new()),
            made => Content::made(Some(made)),
        };
        Self { status: head.status, headers: Mutex::new(head.headers), content, background: None }
    }

    /// The answer on its way to the socket.
    pub(crate) fn send(
        &self,
        py: Python<'_>,
        worker: &Rc<Worker>,
        asked: &Asked,
        route: &str,
    ) -> PyResult<Reply> {
        let Head { method, headers, .. } = asked.head();
        let body = match &self.content {
            Content::Bytes(bytes) => Body::from(bytes.clone()),
            Content::Stream(source) => match stream::start(source.bind(py), worker, route)? {
                Ok(body) => body,
                Err(_busy) => return Ok(error::unavailable().into()),
            },
            Content::File(path) => return Ok(self.send_file(py, path.clone(), worker, asked, route)),
            Content::Made(body) => body.get()?.take().unwrap_or_default(),
        };
        let mut response = plectrum_http::Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.head().clone();
        if let Some(tasks) = &self.background {
            response = response.map(|body| background::after(body, worker, tasks.clone_ref(py)));
        }
        Ok(conditional::respond(response, method, headers).into())
    }

    fn send_file(
        &self,
        py: Python<'_>,
        path: PathBuf,
        worker: &Rc<Worker>,
        asked: &Asked,
        route: &str,
    ) -> Reply {
        let (method, headers) = (asked.head().method.clone(), asked.head().headers.clone());
        let (head, route) = (self.head().clone(), route.to_owned());
        let tasks = self.background.as_ref().map(|tasks| (Rc::clone(worker), tasks.clone_ref(py)));
        Reply::pending(async move {
            let answer = file::respond(path, &method, &headers, head).await;
            let response = answer.unwrap_or_else(|error| without_file(&error, &route));
            match tasks {
                Some((worker, tasks)) => response.map(|body| background::after(body, &worker, tasks)),
                None => response,
            }
        })
    }

    fn head(&self) -> MutexGuard<'_, HeaderMap> {
        self.headers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_cookie(&self, cookie: &SetCookie<'_>) -> PyResult<()> {
        let line = cookie.to_header().map_err(|error| {
            PyValueError::new_err(format!("The cookie {:?} cannot be set: {error}.", cookie.name))
        })?;
        self.head().append(header::SET_COOKIE, line);
        Ok(())
    }
}

/// A status that an answer may have.
fn status_of(status: u16) -> PyResult<StatusCode> {
    let known = StatusCode::from_u16(status).ok().filter(|status| (200..=599).contains(&status.as_u16()));
    known.ok_or_else(|| PyValueError::new_err(format!("status must be 200 to 599, not {status}.")))
}

/// The path of a file, or a stream's source.
fn source_of(source: Bound<'_, PyAny>) -> PyResult<Content> {
    if source.is_instance_of::<PyString>() {
        return Ok(Content::File(source.extract()?));
    }
    Ok(Content::Stream(source.unbind()))
}

/// 404 for a file that is not there; what else is wrong is logged.
fn without_file(error: &std::io::Error, route: &str) -> plectrum_http::Response {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) {
        return problem::of(StatusCode::NOT_FOUND);
    }
    tracing::error!(target: "plectrum.request", "{route}: the file cannot be sent: {error}");
    problem::of(StatusCode::INTERNAL_SERVER_ERROR)
}

/// `SameSite` by name.
fn same_site(name: &str) -> PyResult<SameSite> {
    let known = SameSite::parse(name);
    known.ok_or_else(|| {
        PyValueError::new_err(format!(
            "samesite must be \"lax\", \"strict\", \"none\" or None, not {name:?}."
        ))
    })
}

/// Whole seconds of a number or a `timedelta`.
fn seconds(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    match value.extract::<i64>() {
        Ok(seconds) => Ok(seconds),
        Err(_) => value.call_method0("total_seconds")?.extract::<f64>().map(|seconds| seconds as i64),
    }
}

/// An aware `datetime`, or seconds since 1970.
fn moment(value: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    let refused = || PyValueError::new_err("expires must be an aware datetime between 1970 and 9999.");
    let timestamp = match value.extract::<f64>() {
        Ok(timestamp) => timestamp,
        Err(_) if value.getattr("tzinfo")?.is_none() => return Err(refused()),
        Err(_) => value.call_method0("timestamp")?.extract()?,
    };
    // HTTP dates have four digits for the year.
    let delay = Duration::try_from_secs_f64(timestamp).ok().filter(|delay| delay.as_secs() < 253_402_300_800);
    delay.and_then(|delay| SystemTime::UNIX_EPOCH.checked_add(delay)).ok_or_else(refused)
}

/// Headers as Python sees them.
pub(crate) fn pairs_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Bytes and text stand for themselves; any other value is written as JSON.
fn body_of(content: &Bound<'_, PyAny>) -> PyResult<(Bytes, Option<HeaderValue>)> {
    if let Ok(bytes) = content.cast::<PyBytes>() {
        return Ok((Bytes::copy_from_slice(bytes.as_bytes()), None));
    }
    if let Ok(text) = content.cast::<PyString>() {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        return Ok((Bytes::copy_from_slice(text.to_str()?.as_bytes()), Some(plain)));
    }
    Ok((encoded(content)?, Some(JSON)))
}

/// A value as JSON.
pub(crate) fn encoded(content: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    let mut out = Vec::with_capacity(128);
    encode(content, &mut out)?;
    Ok(out.into())
}

/// Adds a mapping, or pairs where a name repeats.
pub(crate) fn add_headers(map: &mut HeaderMap, headers: &Bound<'_, PyAny>) -> PyResult<()> {
    let pairs =
        if let Ok(dict) = headers.cast::<PyDict>() { dict.items().into_any() } else { headers.clone() };
    for pair in pairs.try_iter()? {
        let (name, value): (String, String) = pair?.extract()?;
        map.append(header_name(&name)?, header_value(&value)?);
    }
    Ok(())
}

fn header_name(name: &str) -> PyResult<HeaderName> {
    HeaderName::try_from(name)
        .map_err(|_| PyValueError::new_err(format!("{name:?} cannot be the name of a header.")))
}

/// Refuses line breaks and other controls: they would split the response.
fn header_value(value: &str) -> PyResult<HeaderValue> {
    HeaderValue::from_str(value)
        .map_err(|_| PyValueError::new_err(format!("{value:?} cannot be the value of a header.")))
}

//! `Response`: a handler's answer with its own status, headers and bytes.

use bytes::Bytes;
use plectrum_http::{Body, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::encode::encode;

/// The media type of everything written as JSON.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with its own status, headers and body.
#[pyclass(frozen, subclass, module = "plectrum._core")]
pub(crate) struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[pymethods]
impl Response {
    #[new]
    #[pyo3(signature = (content=None, status=200, headers=None, media_type=None))]
    fn new(
        content: Option<&Bound<'_, PyAny>>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        media_type: Option<&str>,
    ) -> PyResult<Self> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| (200..=599).contains(&status.as_u16()))
            .ok_or_else(|| PyValueError::new_err(format!("status must be 200 to 599, not {status}.")))?;
        let (body, natural) = content.map_or(Ok((Bytes::new(), None)), body_of)?;
        let mut map = HeaderMap::new();
        if let Some(headers) = headers {
            add_headers(&mut map, headers)?;
        }
        let media_type = media_type.map(header_value).transpose()?.or(natural);
        if let (Some(media_type), false) = (media_type, map.contains_key(header::CONTENT_TYPE)) {
            map.insert(header::CONTENT_TYPE, media_type);
        }
        Ok(Self { status, headers: map, body })
    }

    /// Status code.
    #[getter]
    fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Body, already encoded.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.body)
    }

    /// Name and value of each header, names in lower case.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        pairs_of(&self.headers)
    }

    fn __repr__(&self) -> String {
        format!("<Response {} with {} bytes>", self.status.as_u16(), self.body.len())
    }
}

impl Response {
    /// The answer on its way to the socket.
    pub(crate) fn to_http(&self) -> plectrum_http::Response {
        let mut response = plectrum_http::Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
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
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| PyValueError::new_err(format!("{name:?} cannot be the name of a header.")))?;
        map.append(parsed, header_value(&value)?);
    }
    Ok(())
}

/// Refuses line breaks and other controls: they would split the response.
fn header_value(value: &str) -> PyResult<HeaderValue> {
    HeaderValue::from_str(value)
        .map_err(|_| PyValueError::new_err(format!("{value:?} cannot be the value of a header.")))
}

//! `RustResponseBytes`: a finished body, handed from one framework to the next without being parsed or copied.

use std::ffi::c_int;

use plectrum_http::{Body, Bytes, HeaderValue, StatusCode, header};
use plectrum_json::pipeline::{Fault, only_value};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyIterator, PyTuple};

use crate::names;
use crate::response::JSON;

/// A JSON body that is finished.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct RustResponseBytes {
    bytes: Py<PyBytes>,
    content_type: HeaderValue,
}

#[pymethods]
impl RustResponseBytes {
    #[new]
    #[pyo3(signature = (data, content_type=None))]
    fn new(data: Py<PyBytes>, content_type: Option<&str>) -> PyResult<Self> {
        let refused = |text| PyValueError::new_err(format!("{text:?} cannot be the value of a header."));
        let content_type = match content_type {
            None => JSON,
            Some(text) => HeaderValue::from_str(text).map_err(|_| refused(text))?,
        };
        Ok(Self { bytes: data, content_type })
    }

    /// The body itself.
    #[getter]
    fn bytes(&self, py: Python<'_>) -> Py<PyBytes> {
        self.bytes.clone_ref(py)
    }

    /// Media type of the body.
    #[getter]
    fn content_type(&self) -> &str {
        self.content_type.to_str().unwrap_or_default()
    }

    /// Where the value of the only field stands: first byte, and the one behind its last.
    fn only_value(&self, py: Python<'_>) -> PyResult<(usize, usize)> {
        let found = only_value(self.bytes.as_bytes(py));
        found.map(|range| (range.start, range.end)).map_err(|fault| {
            let Fault { at, what } = fault;
            PyValueError::new_err(format!("This is not a response of one field: {what} at byte {at}."))
        })
    }

    fn __bytes__(&self, py: Python<'_>) -> Py<PyBytes> {
        self.bytes.clone_ref(py)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.bytes.as_bytes(py).len()
    }

    fn __bool__(&self, py: Python<'_>) -> bool {
        !self.bytes.as_bytes(py).is_empty()
    }

    /// One chunk, the whole body.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyTuple::new(py, [&self.bytes])?.try_iter()
    }

    /// The body in UTF-8, whatever `charset` is asked for: JSON has no other encoding.
    #[pyo3(signature = (charset="utf-8"))]
    fn encode(&self, py: Python<'_>, charset: &str) -> Py<PyBytes> {
        let _ = charset;
        self.bytes.clone_ref(py)
    }

    /// Sends the body as an ASGI response.
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        scope: &Bound<'py, PyAny>,
        receive: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        names::SEND_ASGI.get(slf.py())?.call1((slf, scope, receive, send))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<RustResponseBytes of {} bytes, {}>", self.__len__(py), self.content_type())
    }

    /// # Safety
    /// As CPython calls it: `view` is a `Py_buffer` to fill, or null.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: `view` and `flags` are CPython's own; the `bytes` it fills the view with checks both, is immutable,
        // and is kept alive by the view.
        let result = unsafe { ffi::PyObject_GetBuffer(slf.get().bytes.as_ptr(), view, flags) };
        if result == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

impl RustResponseBytes {
    /// The body on its way to the socket, which it reaches from Python's own memory.
    pub(crate) fn to_http(&self, py: Python<'_>, status: StatusCode) -> plectrum_http::Response {
        let bytes = Bytes::from_owner(PyBackedBytes::from(self.bytes.bind(py).clone()));
        let mut response = plectrum_http::Response::new(Body::from(bytes));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type.clone());
        response
    }
}

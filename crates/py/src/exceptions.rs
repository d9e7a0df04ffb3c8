//! Python exceptions → responses.

use plectrum_http::{Body, HeaderMap, Response, StatusCode, header, problem};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::names;
use crate::response::add_headers;

/// The response to an exception; `plectrum.bridge.describe_exception` decides and logs.
pub(crate) fn respond(py: Python<'_>, error: &PyErr, route: &str, debug: bool) -> Response {
    match describe(py, error, route, debug) {
        Ok(response) => response,
        Err(second) => {
            // The describing code itself failed: say so on stderr, the one place that is always there.
            second.print(py);
            problem::of(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn describe(py: Python<'_>, error: &PyErr, route: &str, debug: bool) -> PyResult<Response> {
    // `into_value` hangs the traceback on the exception, where Python's logging looks for it.
    let exception = error.clone_ref(py).into_value(py);
    let described = names::DESCRIBE_EXCEPTION.get(py)?.call1((exception, route, debug))?;
    let (status, body, headers): (u16, Bound<'_, PyBytes>, Bound<'_, PyAny>) = described.extract()?;
    let mut response = Response::new(Body::Full(body.as_bytes().to_vec().into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut map = HeaderMap::new();
    map.insert(header::CONTENT_TYPE, problem::MEDIA_TYPE);
    add_headers(&mut map, &headers)?;
    *response.headers_mut() = map;
    Ok(response)
}

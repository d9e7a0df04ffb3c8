//! A request's head as CGI's variables (RFC 3875), which Django calls `META`.

use plectrum_http::{HeaderMap, Peer, header};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::asked::Head;

/// All variables but those of the path and the body, which depend on who is asked.
pub(crate) fn of<'py>(py: Python<'py>, head: &Head<'_>, peer: &Peer) -> PyResult<Bound<'py, PyDict>> {
    let variables = PyDict::new(py);
    let scheme = if head.secure { intern!(py, "https") } else { intern!(py, "http") };
    let (name, port) = server(head);
    variables.set_item(intern!(py, "REQUEST_METHOD"), head.method.as_str())?;
    variables.set_item(intern!(py, "QUERY_STRING"), head.uri.query().unwrap_or_default())?;
    variables.set_item(intern!(py, "SERVER_NAME"), name)?;
    variables.set_item(intern!(py, "SERVER_PORT"), port)?;
    variables.set_item(intern!(py, "SERVER_PROTOCOL"), intern!(py, "HTTP/1.1"))?;
    variables.set_item(intern!(py, "wsgi.url_scheme"), scheme)?;
    match peer {
        Peer::Tcp(address) => {
            variables.set_item(intern!(py, "REMOTE_ADDR"), address.ip().to_string())?;
            variables.set_item(intern!(py, "REMOTE_PORT"), address.port().to_string())?;
        }
        Peer::Unix => variables.set_item(intern!(py, "REMOTE_ADDR"), intern!(py, ""))?,
    }
    add_headers(&variables, head.headers)?;
    Ok(variables)
}

/// Name and port the client asked for; a name in brackets (IPv6) keeps them.
fn server<'a>(head: &Head<'a>) -> (&'a str, &'a str) {
    let usual = if head.secure { "443" } else { "80" };
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    (if name.is_empty() { "localhost" } else { name }, if port.is_empty() { usual } else { port })
}

/// `X-Name: value` as `HTTP_X_NAME`; repeated ones joined.
fn add_headers(variables: &Bound<'_, PyDict>, headers: &HeaderMap) -> PyResult<()> {
    let py = variables.py();
    for name in headers.keys() {
        // `X_Forwarded_For` would become the same variable as `X-Forwarded-For`, which a proxy may have cleaned.
        if name.as_str().contains('_') {
            continue;
        }
        let mut values = headers.get_all(name).iter().map(|value| value.as_bytes());
        let first = values.next().unwrap_or_default();
        let separator: &[u8] = if name == header::COOKIE { b"; " } else { b"," };
        let value = values.fold(first.to_vec(), |all, value| [&all, separator, value].concat());
        let text: String = value.iter().map(|byte| char::from(*byte)).collect();
        variables.set_item(variable(py, name.as_str()), text)?;
    }
    Ok(())
}

fn variable<'py>(py: Python<'py>, header: &str) -> Bound<'py, PyString> {
    let upper = header.replace('-', "_").to_ascii_uppercase();
    let is_cgi = matches!(header, "content-type" | "content-length");
    PyString::new(py, &if is_cgi { upper } else { format!("HTTP_{upper}") })
}

//! RFC 9457 `application/problem+json`: pre-encoded where the status says it all, built where there is more to say.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response as HttpResponse, StatusCode};

use crate::{Body, Response};

/// The media type of a problem document.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

macro_rules! encoded {
    ($($status:literal $title:literal,)*) => {
        /// The whole document for a status that needs no further words, encoded at compile time.
        const fn encoded(status: u16) -> Option<&'static str> {
            match status {
                $($status => Some(concat!(
                    r#"{"type":"about:blank","title":""#, $title, r#"","status":"#, $status, "}"
                )),)*
                _ => None,
            }
        }
    };
}

encoded! {
    400 "Bad Request",
    401 "Unauthorized",
    403 "Forbidden",
    404 "Not Found",
    405 "Method Not Allowed",
    406 "Not Acceptable",
    408 "Request Timeout",
    409 "Conflict",
    412 "Precondition Failed",
    413 "Content Too Large",
    414 "URI Too Long",
    415 "Unsupported Media Type",
    416 "Range Not Satisfiable",
    422 "Unprocessable Content",
    429 "Too Many Requests",
    431 "Request Header Fields Too Large",
    500 "Internal Server Error",
    501 "Not Implemented",
    502 "Bad Gateway",
    503 "Service Unavailable",
    504 "Gateway Timeout",
    507 "Insufficient Storage",
}

/// The answer that a status alone makes: nothing is built for the common ones.
#[must_use]
pub fn of(status: StatusCode) -> Response {
    respond(status, document(status))
}

/// The document that a status alone makes.
#[must_use]
pub fn document(status: StatusCode) -> Bytes {
    encoded(status.as_u16())
        .map_or_else(|| Problem::new(status).to_bytes(), |text| Bytes::from_static(text.as_bytes()))
}

fn respond(status: StatusCode, document: Bytes) -> Response {
    let mut response = HttpResponse::new(Body::Full(document));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
    response
}

/// A problem with something to say beyond its status.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    members: Vec<u8>,
}

impl Problem {
    /// A problem of type `about:blank`, titled by its status (RFC 9457 §4.2.1).
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self::typed(status, "about:blank", title(status))
    }

    /// A problem of its own type: `kind` is a URI reference that names it, `title` says it in words.
    #[must_use]
    pub fn typed(status: StatusCode, kind: &str, title: &str) -> Self {
        let mut members = Vec::with_capacity(128);
        members.extend_from_slice(b"{\"type\":");
        write_string(&mut members, kind);
        members.extend_from_slice(b",\"title\":");
        write_string(&mut members, title);
        members.extend_from_slice(b",\"status\":");
        members.extend_from_slice(status.as_str().as_bytes());
        Self { status, members }
    }

    /// What went wrong this time, for a person.
    #[must_use]
    pub fn detail(self, text: &str) -> Self {
        self.text("detail", text)
    }

    /// A URI reference that names this occurrence.
    #[must_use]
    pub fn instance(self, uri: &str) -> Self {
        self.text("instance", uri)
    }

    /// One more member with a text value.
    #[must_use]
    pub fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        write_string(&mut self.members, text);
        self
    }

    /// One more member whose value is JSON already (`errors`, for instance). The caller vouches for it.
    #[must_use]
    pub fn raw(mut self, name: &str, json: &[u8]) -> Self {
        self.name(name);
        self.members.extend_from_slice(json);
        self
    }

    /// The document.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut document = Vec::with_capacity(self.members.len() + 1);
        document.extend_from_slice(&self.members);
        document.push(b'}');
        document.into()
    }

    /// The answer.
    #[must_use]
    pub fn into_response(mut self) -> Response {
        self.members.push(b'}');
        respond(self.status, self.members.into())
    }

    fn name(&mut self, name: &str) {
        self.members.push(b',');
        write_string(&mut self.members, name);
        self.members.push(b':');
    }
}

/// RFC 9110's reason phrases; `http` still has the older ones for 413, 414 and 422.
fn title(status: StatusCode) -> &'static str {
    match status.as_u16() {
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..=0x1f => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// A complete answer in wire form that ends its connection: for moments when no request was parsed.
pub(crate) fn farewell(status: StatusCode, date: bool) -> Vec<u8> {
    let document = document(status);
    let reason = title(status);
    let date = if date {
        format!("date: {}\r\n", httpdate::fmt_http_date(std::time::SystemTime::now()))
    } else {
        String::new()
    };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\n{date}\r\n",
        status.as_str(),
        document.len(),
    );
    [head.as_bytes(), &document].concat()
}

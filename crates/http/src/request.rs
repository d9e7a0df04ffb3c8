//! One request, moved out of the parser's hands.

use std::net::SocketAddr;

use bytes::BytesMut;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use crate::RequestBody;

/// Who is at the other end of the connection (the nearest hop, before any proxy header is believed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP peer.
    Tcp(SocketAddr),
    /// A process on this machine, over a unix socket.
    Unix,
}

/// One request. Header values, target and body share the bytes that were read from the socket.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The request target: origin form (`/a?b`), absolute form, or `*`.
    pub uri: Uri,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The header fields.
    pub headers: HeaderMap,
    /// The nearest hop.
    pub peer: Peer,
    /// Whether the client's connection is encrypted, as far as the nearest trusted hop tells.
    pub secure: bool,
    /// Values that middleware hangs on the request; empty (and unallocated) unless used.
    pub extensions: Extensions,
    /// The body, read on demand.
    pub body: RequestBody,
}

impl Request {
    /// A request that did not come from a socket: for tests and for in-process clients.
    #[must_use]
    pub fn new(method: Method, uri: Uri, body: RequestBody) -> Self {
        let (headers, extensions) = (HeaderMap::new(), Extensions::new());
        Self {
            method,
            uri,
            version: Version::HTTP_11,
            headers,
            peer: Peer::Unix,
            secure: false,
            extensions,
            body,
        }
    }

    /// Copies target and header values out of the buffer they were read into, for a request that will live long.
    pub fn compact(&mut self) {
        let size = self.headers.values().map(HeaderValue::len).sum();
        let mut copy = BytesMut::with_capacity(size);
        for value in self.headers.values_mut() {
            copy.extend_from_slice(value.as_bytes());
            let own = copy.split().freeze();
            // The bytes were a header's value before.
            if let Ok(mut own) = HeaderValue::from_maybe_shared(own) {
                own.set_sensitive(value.is_sensitive());
                *value = own;
            }
        }
        if let Ok(own) = Uri::try_from(self.uri.to_string()) {
            self.uri = own;
        }
    }

    /// The raw path, still percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The raw query without its `?`; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The first value of a header, when it is visible ASCII.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
    }
}

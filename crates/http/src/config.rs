//! What a server allows and how long it waits.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, Uri};

/// Limits and switches of one server. [`Config::default`] is safe on the open internet.
#[derive(Clone, Debug)]
pub struct Config {
    /// Open connections per worker; at the limit the worker stops accepting until one closes.
    pub max_connections: usize,
    /// Bytes of request line and headers together; more is answered with 431.
    pub max_head_size: usize,
    /// Header lines of one request; more is answered with 431.
    ///
    /// Above 100 the parser keeps its header table on the heap, which costs an allocation per request.
    pub max_headers: usize,
    /// Bytes of the request target; more is answered with 414.
    pub max_uri: usize,
    /// Bytes of any request body; more is answered with 413. A route may ask for less, never for more.
    pub max_body: u64,
    /// How long the peer may take.
    pub timeouts: Timeouts,
    /// How long in-flight requests may run after shutdown was asked for.
    pub drain: Duration,
    /// Send `Date` (RFC 9110 §6.6.1).
    pub date_header: bool,
    /// Send `Server` with this value on answers that do not set their own.
    pub server_header: Option<HeaderValue>,
    /// Answer peers that shut down their sending side after the request.
    ///
    /// Off, such a peer counts as gone and its running request is dropped: TCP does not tell the two apart.
    pub half_close: bool,
    /// Speak TLS over TCP, and nothing else.
    pub certificate: Option<Certificate>,
    /// Speak HTTP/2, too: where the handshake of TLS says so, and without TLS to clients that begin with it.
    pub http2: bool,
    /// Requests of one HTTP/2 connection that run at the same time.
    pub max_streams: u32,
}

/// Files in PEM; read again when they change.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The server's certificate and those between it and its authority's.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Config {
    /// The status that refuses a head past the limits, if it is: for the server, and for clients in process.
    #[must_use]
    pub fn refuses(&self, uri: &Uri, headers: &HeaderMap) -> Option<StatusCode> {
        if headers.len() > self.max_headers {
            return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
        (target > self.max_uri).then_some(StatusCode::URI_TOO_LONG)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_head_size: 64 * 1024,
            max_headers: 100,
            max_uri: 8 * 1024,
            max_body: 10 * 1024 * 1024,
            timeouts: Timeouts::default(),
            drain: Duration::from_secs(30),
            date_header: true,
            server_header: None,
            half_close: false,
            certificate: None,
            http2: true,
            max_streams: 128,
        }
    }
}

/// How long a peer may take; `None` waits for ever. Precise to a quarter of a second, never early.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From connecting, or from the first byte of a later request, to the end of its head (then 408).
    pub header_read: Option<Duration>,
    /// Between an answer and the first byte of the next request on the same connection.
    pub keep_alive: Option<Duration>,
    /// Between two pieces of a request body that somebody waits for (then [`crate::BodyError::Timeout`]).
    pub body_read: Option<Duration>,
    /// Between two pieces of a response that the peer accepts.
    pub write: Option<Duration>,
    /// After this long without a word from a WebSocket's peer it is sent a ping.
    pub ping: Option<Duration>,
    /// Between that ping and whatever the peer says next; then it counts as gone.
    pub pong: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header_read: Some(Duration::from_secs(15)),
            keep_alive: Some(Duration::from_secs(75)),
            body_read: Some(Duration::from_secs(30)),
            write: Some(Duration::from_secs(30)),
            ping: Some(Duration::from_secs(20)),
            pong: Some(Duration::from_secs(20)),
        }
    }
}

//! From a request to the conversation it asks for (RFC 6455 §4.2).

use std::rc::Rc;

use http::header::{
    CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Limits;
use super::extension;
use super::socket::Socket;
use crate::{Body, Problem, Request, Response, problem};

/// A conversation that was asked for, and not yet agreed to.
pub struct Opening {
    /// What the conversation will run over.
    pub socket: Rc<Socket>,
    accept: HeaderValue,
    extensions: Option<HeaderValue>,
    offered: Vec<Box<str>>,
}

/// Reads the request for a WebSocket.
///
/// `origins` are those whose pages may connect (`https://example.org`, or `*`); a page of the request's own host always
/// may, and so may clients that are no browsers, which send no `Origin`.
///
/// # Errors
/// The answer to a request that is none: 426 where it does not ask for a WebSocket of version 13, 400 where it asks
/// wrongly, 403 for a page of another origin.
pub fn handshake(request: &Request, limits: &Limits, origins: &[String]) -> Result<Opening, Box<Response>> {
    let headers = &request.headers;
    if !has_token(headers, &UPGRADE, "websocket")
        || headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13")
    {
        return Err(Box::new(upgrade_required()));
    }
    if request.method != Method::GET
        || request.version < Version::HTTP_11
        || !has_token(headers, &CONNECTION, "upgrade")
    {
        return Err(refusal("A WebSocket is asked for by GET in HTTP/1.1 with `Connection: upgrade`."));
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let Some(key) = key else {
        return Err(refusal("Sec-WebSocket-Key is not 16 bytes in base64."));
    };
    if !is_welcome(headers, origins) {
        return Err(Box::new(
            Problem::new(StatusCode::FORBIDDEN)
                .detail("Pages of this origin may not connect.")
                .into_response(),
        ));
    }
    let (deflate, extensions) = extension::negotiate(headers, limits.compression).unzip();
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    Ok(Opening {
        socket: Socket::new(*limits, deflate),
        accept: accept.map_err(|_| Box::new(problem::of(StatusCode::BAD_REQUEST)))?,
        extensions,
        offered: tokens(headers, &SEC_WEBSOCKET_PROTOCOL).map(Box::from).collect(),
    })
}

impl Opening {
    /// The subprotocols the client speaks, the one it likes best first.
    #[must_use]
    pub fn protocols(&self) -> &[Box<str>] {
        &self.offered
    }

    /// The 101 that begins the conversation. `protocol` should be one of the offered; others break the connection on
    /// the client's side.
    #[must_use]
    pub fn accept(&self, protocol: Option<HeaderValue>, more: HeaderMap) -> Response {
        let mut response = Response::new(Body::Socket(Rc::clone(&self.socket)));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        *headers = more;
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if let Some(extensions) = &self.extensions {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions.clone());
        }
        if let Some(protocol) = protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }
}

fn upgrade_required() -> Response {
    let detail = "This address is a WebSocket's: connect with `Upgrade: websocket`, version 13.";
    let mut response = Problem::new(StatusCode::UPGRADE_REQUIRED).detail(detail).into_response();
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

fn refusal(detail: &'static str) -> Box<Response> {
    Box::new(Problem::new(StatusCode::BAD_REQUEST).detail(detail).into_response())
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// 16 bytes in base64: 22 digits, the last of which has four bits to spare, and two signs of padding.
fn is_key(key: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    match key.as_bytes() {
        [digits @ .., last, b'=', b'='] => {
            digits.len() == 21 && digits.iter().all(|byte| digit(*byte)) && b"AQgw".contains(last)
        }
        _ => false,
    }
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

/// Browsers send cookies along with any page's WebSocket and ask nobody: the server has to look at `Origin` (§10.2).
fn is_welcome(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let authority = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    authority.zip(host).is_some_and(|(own, host)| own.as_str().eq_ignore_ascii_case(host))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::RequestBody;

    const GOOD: [(&str, &str); 5] = [
        ("host", "example.org"),
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn ask(changes: &[(&'static str, &str)], origins: &[String]) -> Result<Opening, StatusCode> {
        let mut request = Request::new(Method::GET, Uri::from_static("/ws"), RequestBody::default());
        for (name, value) in GOOD.iter().chain(changes) {
            request.headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        handshake(&request, &Limits::default(), origins).map_err(|response| response.status())
    }

    #[test]
    fn the_answer_of_the_rfc() {
        let opening = ask(&[("sec-websocket-protocol", "chat, superchat")], &[]).ok().unwrap();
        assert_eq!(opening.protocols(), ["chat".into(), "superchat".into()]);
        let response = opening.accept(Some(HeaderValue::from_static("chat")), HeaderMap::new());
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "chat");
    }

    #[test]
    fn requests_that_are_refused() {
        for (name, value, status) in [
            ("upgrade", "h2c", 426),
            ("sec-websocket-version", "8", 426),
            ("connection", "keep-alive", 400),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=", 400),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZR==", 400),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25j!Q==", 400),
            ("origin", "https://elsewhere.org", 403),
            ("origin", "null", 403),
        ] {
            assert_eq!(ask(&[(name, value)], &[]).err().map(|s| s.as_u16()), Some(status), "{name}: {value}");
        }
    }

    #[test]
    fn pages_of_the_same_host_and_of_listed_origins_may_connect() {
        let listed = ["https://app.example.com".to_owned()];
        for origin in ["https://example.org", "http://EXAMPLE.org", "https://app.example.com"] {
            assert!(ask(&[("origin", origin)], &listed).is_ok(), "{origin}");
        }
        assert!(ask(&[("origin", "https://example.org:8443")], &listed).is_err());
        assert!(ask(&[("origin", "null")], &["*".to_owned()]).is_ok());
    }
}

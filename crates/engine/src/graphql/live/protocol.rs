//! Messages of `graphql-transport-ws`, without I/O.
//!
//! Source: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

use plectrum_graphql::Error;
use plectrum_graphql::error::write_errors;
use plectrum_http::websocket::{Close, Code};
use plectrum_json::text;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::graphql::request::{self, Parameters};

/// The subprotocol.
pub(super) const NAME: &str = "graphql-transport-ws";

/// What a client says.
pub(super) enum Said {
    /// Its introduction, with its payload.
    Init(Option<Box<RawValue>>),
    /// Wants a pong, with this payload.
    Ping(Option<Box<RawValue>>),
    /// Still there.
    Pong,
    /// Begins an operation.
    Subscribe(Box<str>, Parameters),
    /// Wants no more of an operation.
    Complete(Box<str>),
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Option<Box<str>>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
}

/// Reads a message.
///
/// # Errors
/// The close of a conversation in which it cannot be said.
pub(super) fn read(text: &[u8]) -> Result<Said, Close> {
    let message: Message =
        serde_json::from_slice(text).map_err(|_| invalid("is not a JSON object with a type"))?;
    let payload = message.payload.filter(|payload| payload.get() != "null");
    let id = message.id.filter(|id| !id.is_empty()).ok_or_else(|| invalid("has no id"));
    match message.kind.as_str() {
        "connection_init" => Ok(Said::Init(check_object(payload)?)),
        "ping" => Ok(Said::Ping(check_object(payload)?)),
        "pong" => check_object(payload).map(|_| Said::Pong),
        "complete" => Ok(Said::Complete(id?)),
        "subscribe" => {
            let payload = payload.ok_or_else(|| invalid("has no payload"))?;
            let members = serde_json::from_str(payload.get())
                .map_err(|_| invalid("has a payload that is no object"))?;
            let parameters = request::of_members(members).map_err(|malformed| invalid(&malformed.1))?;
            if parameters.query.is_none() && !parameters.extensions.contains_key("persistedQuery") {
                return Err(invalid("has a payload without a query"));
            }
            Ok(Said::Subscribe(id?, parameters))
        }
        _ => Err(invalid("has an unknown type")),
    }
}

fn check_object(payload: Option<Box<RawValue>>) -> Result<Option<Box<RawValue>>, Close> {
    match payload {
        Some(payload) if !payload.get().starts_with('{') => Err(invalid("has a payload that is no object")),
        payload => Ok(payload),
    }
}

fn invalid(why: &str) -> Close {
    Close::new(Code(4400), &format!("Invalid message: it {why}"))
}

/// An operation was begun before the connection was acknowledged.
pub(super) fn unauthorized() -> Close {
    Close::new(Code(4401), "Unauthorized")
}

/// Who introduces itself is not let in.
pub(super) fn forbidden() -> Close {
    Close::new(Code(4403), "Forbidden")
}

/// The client speaks another protocol.
pub(super) fn unacceptable() -> Close {
    Close::new(Code(4406), "Subprotocol not acceptable")
}

/// Nobody introduced itself in time.
pub(super) fn silent() -> Close {
    Close::new(Code(4408), "Connection initialisation timeout")
}

/// An id is taken by an operation that still runs.
pub(super) fn taken(id: &str) -> Close {
    Close::new(Code(4409), &format!("Subscriber for {id} already exists"))
}

/// A second introduction.
pub(super) fn introduced() -> Close {
    Close::new(Code(4429), "Too many initialisation requests")
}

/// Ours.
pub(super) fn failed() -> Close {
    Close::new(Code(4500), "Internal server error")
}

/// The connection is acknowledged.
pub(super) const ACK: &[u8] = br#"{"type":"connection_ack"}"#;

/// A pong, with the payload of the ping.
pub(super) fn pong(payload: Option<&RawValue>) -> Vec<u8> {
    let payload = payload.map_or_else(String::new, |payload| format!(r#","payload":{}"#, payload.get()));
    format!(r#"{{"type":"pong"{payload}}}"#).into_bytes()
}

/// A response of an operation.
pub(super) fn next(id: &str, response: &[u8]) -> Vec<u8> {
    let mut out = head(id, "next", response.len());
    out.extend_from_slice(b",\"payload\":");
    out.extend_from_slice(response);
    out.push(b'}');
    out
}

/// An operation that failed as a whole; it is over.
pub(super) fn error(id: &str, errors: &[Error]) -> Vec<u8> {
    let mut list = Vec::new();
    write_errors(&mut list, errors);
    let mut out = head(id, "error", list.len());
    out.extend_from_slice(b",\"payload\":");
    out.extend_from_slice(list.strip_prefix(b"\"errors\":").unwrap_or(&list));
    out.push(b'}');
    out
}

/// An operation that is over.
pub(super) fn complete(id: &str) -> Vec<u8> {
    let mut out = head(id, "complete", 0);
    out.push(b'}');
    out
}

fn head(id: &str, kind: &str, more: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(more + id.len() + 48);
    out.extend_from_slice(b"{\"id\":");
    text::write(&mut out, id);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plectrum_graphql::Code as Kind;

    fn close_of(text: &str) -> u16 {
        read(text.as_bytes()).err().map_or(0, |close| close.code.0)
    }

    #[test]
    fn messages_of_the_protocol_are_read() {
        let init = read(br#"{"type":"connection_init","payload":{"authorization":"Bearer x"}}"#);
        assert!(matches!(init, Ok(Said::Init(Some(payload))) if payload.get().contains("Bearer")));
        assert!(matches!(read(br#"{"type":"connection_init","payload":null}"#), Ok(Said::Init(None))));
        assert!(matches!(read(br#"{"type":"ping"}"#), Ok(Said::Ping(None))));
        assert!(matches!(read(br#"{"type":"pong","payload":{}}"#), Ok(Said::Pong)));
        assert!(matches!(read(br#"{"type":"complete","id":"1"}"#), Ok(Said::Complete(id)) if &*id == "1"));
        let subscribe = br#"{"id":"a","type":"subscribe","payload":{"query":"{x}","variables":{"n":1}}}"#;
        let Ok(Said::Subscribe(id, parameters)) = read(subscribe) else { panic!() };
        assert_eq!((&*id, parameters.query.as_deref()), ("a", Some("{x}")));
        assert_eq!(parameters.variables.get("n"), Some(&serde_json::json!(1)));
    }

    #[test]
    fn anything_else_is_4400() {
        for text in [
            "",
            "[]",
            "{}",
            "1",
            r#""ping""#,
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"connection_init","payload":1}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"complete","id":1}"#,
            r#"{"type":"complete","id":""}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","payload":{"query":"{x}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{x}","variables":[]}}"#,
        ] {
            assert_eq!(close_of(text), 4400, "{text}");
        }
    }

    #[test]
    fn answers_are_json() {
        let value = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        let id = "\"quoted\"";
        assert_eq!(
            value(next(id, br#"{"data":{"x":1}}"#)),
            serde_json::json!({"id": id, "type": "next", "payload": {"data": {"x": 1}}})
        );
        assert_eq!(value(complete(id)), serde_json::json!({"id": id, "type": "complete"}));
        let errors = [Error::new(Kind::Forbidden, "no")];
        let payload = serde_json::json!([{"message": "no", "extensions": {"code": "FORBIDDEN"}}]);
        assert_eq!(
            value(error(id, &errors)),
            serde_json::json!({"id": id, "type": "error", "payload": payload})
        );
        let payload = serde_json::value::RawValue::from_string(r#"{"a":1}"#.to_owned()).unwrap();
        assert_eq!(value(pong(Some(&payload))), serde_json::json!({"type": "pong", "payload": {"a": 1}}));
        assert_eq!(value(pong(None)), serde_json::json!({"type": "pong"}));
    }
}

//! What logs and traces say of a request.

use std::time::Duration;

use std::net::{IpAddr, Ipv4Addr};

use plectrum_http::Peer;
use plectrum_json::{number, text};

use super::clock;
use super::span::{Attribute, Kind, Span, TraceContext};
use super::trip::{Head, Phase, Trip};

const PHASES: [(Phase, &str); 4] = [
    (Phase::Queue, ",\"queue_ms\":"),
    (Phase::Python, ",\"python_ms\":"),
    (Phase::Database, ",\"database_ms\":"),
    (Phase::Serialization, ",\"serialization_ms\":"),
];

/// Bytes of a usual line besides its path.
const LINE: usize = 480;

/// Appends `,"name":`.
fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn member(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    text::write(out, value);
}

/// Milliseconds with three places; without a detour over floating-point numbers.
fn millis(out: &mut Vec<u8>, name: &str, time: Duration) {
    out.extend_from_slice(name.as_bytes());
    let micros = time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into());
    let (whole, rest) = (micros / 1000, (micros % 1000) as u16);
    match u8::try_from(whole) {
        Ok(digit @ 0..10) => out.push(b'0' + digit),
        _ => number::write_u64(out, whole),
    }
    let digit = |value: u16| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
}

fn client(out: &mut Vec<u8>, peer: Peer) {
    key(out, "client");
    match peer {
        Peer::Tcp(address) => match address.ip().to_canonical() {
            IpAddr::V4(address) => quad(out, address),
            IpAddr::V6(address) => text::write(out, &address.to_string()),
        },
        Peer::Unix => out.extend_from_slice(b"\"unix\""),
    }
}

fn quad(out: &mut Vec<u8>, address: Ipv4Addr) {
    let mut before = b'"';
    for octet in address.octets() {
        out.push(before);
        let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
        let zeros = usize::from(octet < 100) + usize::from(octet < 10);
        digits.iter().skip(zeros).for_each(|digit| out.push(*digit));
        before = b'.';
    }
    out.push(b'"');
}

/// What all lines of a route say of it.
pub(super) fn label(path: &str, way: &str) -> Vec<u8> {
    let mut out = Vec::new();
    member(&mut out, "route", path);
    member(&mut out, "way", way);
    out
}

fn identity(out: &mut Vec<u8>, trip: &Trip) {
    if let Some(id) = &*trip.id.borrow()
        && let Ok(id) = id.to_str()
    {
        member(out, "request_id", id);
    }
    if let Some(trace) = trip.trace.get() {
        member(out, "trace_id", &format!("{:032x}", trace.trace));
        member(out, "span_id", &format!("{:016x}", trace.span));
    }
}

/// A line of the access log. Queries are left out: they are where secrets are.
pub(super) fn write(out: &mut Vec<u8>, trip: &Trip, head: &Head, status: Option<u16>, time: Duration) {
    out.reserve(LINE + head.uri.path().len());
    out.extend_from_slice(b"{\"time\":");
    clock::write(out, clock::now().saturating_sub(time));
    out.extend_from_slice(match status {
        Some(status) if status >= 500 => b",\"level\":\"error\",\"event\":\"request\"",
        _ => b",\"level\":\"info\",\"event\":\"request\"",
    });
    identity(out, trip);
    member(out, "method", head.method.as_str());
    member(out, "path", head.uri.path());
    out.extend_from_slice(&trip.observer.label(trip.slot.get()).line);
    key(out, "status");
    match status {
        Some(status) => number::write_u64(out, status.into()),
        None => out.extend_from_slice(b"null"),
    }
    client(out, head.client);
    millis(out, ",\"ms\":", time);
    if trip.is_timed {
        PHASES.iter().for_each(|(phase, name)| millis(out, name, trip.spent(*phase)));
    }
    key(out, "statements");
    number::write_u64(out, trip.statements.get().into());
    out.push(b'}');
}

/// The note of a request that failed by our fault.
pub(super) fn fault(trip: &Trip, status: u16) -> String {
    let mut out = b"{\"kind\":\"error\",\"at\":".to_vec();
    clock::write(&mut out, clock::now());
    member(&mut out, "method", &trip.observer.label(trip.slot.get()).method);
    member(&mut out, "route", trip.route());
    identity(&mut out, trip);
    key(&mut out, "status");
    number::write_u64(&mut out, status.into());
    out.push(b'}');
    // Written from texts alone.
    String::from_utf8(out).unwrap_or_default()
}

/// The server's span of a request. Source: OpenTelemetry semantic conventions for HTTP spans 1.27.
pub(super) fn span(
    trip: &Trip,
    head: &Head,
    context: TraceContext,
    status: Option<u16>,
    time: Duration,
) -> Span {
    let end = clock::now();
    let text = |value: &str| Attribute::Text(value.to_owned());
    let mut attributes = vec![
        ("http.request.method", text(head.method.as_str())),
        ("http.route", text(trip.route())),
        ("url.path", text(head.uri.path())),
        ("url.scheme", text("http")),
    ];
    if let Some(status) = status {
        attributes.push(("http.response.status_code", Attribute::Number(status.into())));
    }
    if let Peer::Tcp(address) = head.client {
        attributes.push(("client.address", Attribute::Text(address.ip().to_canonical().to_string())));
    }
    Span {
        context,
        kind: Kind::Server,
        name: format!("{} {}", head.method, trip.route()),
        start: end.saturating_sub(time),
        end,
        failed: status.is_some_and(|status| status >= 500),
        attributes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_addresses_as_they_are_read() {
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap_or_default()
        };
        for (micros, text) in [
            (0, "0.000"),
            (7, "0.007"),
            (9_999, "9.999"),
            (10_000, "10.000"),
            (86_400_000_120, "86400000.120"),
        ] {
            assert_eq!(written(&|out| millis(out, "", Duration::from_micros(micros))), text);
        }
        for address in [Ipv4Addr::new(0, 9, 10, 99), Ipv4Addr::new(100, 101, 200, 255)] {
            assert_eq!(written(&|out| quad(out, address)), format!("\"{address}\""));
        }
    }
}

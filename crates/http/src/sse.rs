//! Streams of server-sent events (WHATWG HTML, §9.2): what one event looks like, and how a stream of them lives.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::BodyStream;
use crate::body::StreamError;

/// One event. Line breaks in `event` and `id` would end their field, so they may have none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'a> {
    /// What happened; several lines become several `data` fields.
    pub data: Option<&'a str>,
    /// Its kind; browsers take `message` where there is none.
    pub event: Option<&'a str>,
    /// What the client says as `Last-Event-ID` when it comes back.
    pub id: Option<&'a str>,
    /// Milliseconds before the client comes back after a break.
    pub retry: Option<u64>,
    /// What clients ignore.
    pub comment: Option<&'a str>,
}

/// A field that cannot be written.
#[derive(Debug, PartialEq, Eq)]
pub struct BadField(
    /// Its name.
    pub &'static str,
);

impl Event<'_> {
    /// Appends the event as it goes over the wire.
    ///
    /// # Errors
    /// [`BadField`] for a line break in `event` or `id`, and for NUL in `id`, which clients ignore.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), BadField> {
        let broken = |text: &str| text.contains(['\r', '\n']);
        if self.event.is_some_and(broken) {
            return Err(BadField("event"));
        }
        if self.id.is_some_and(|id| broken(id) || id.contains('\0')) {
            return Err(BadField("id"));
        }
        lines(out, b": ", self.comment);
        field(out, b"event: ", self.event);
        field(out, b"id: ", self.id);
        if let Some(retry) = self.retry {
            field(out, b"retry: ", Some(&retry.to_string()));
        }
        lines(out, b"data: ", self.data);
        out.push(b'\n');
        Ok(())
    }
}

fn field(out: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    if let Some(value) = value {
        out.extend_from_slice(name);
        out.extend_from_slice(value.as_bytes());
        out.push(b'\n');
    }
}

/// CR, LF and CRLF all end a line (§9.2.5).
fn lines(out: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    let Some(mut rest) = value else { return };
    while let Some(at) = rest.find(['\r', '\n']) {
        let (line, after) = rest.split_at(at);
        field(out, name, Some(line));
        rest = after.strip_prefix("\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    }
    field(out, name, Some(rest));
}

/// What keeps proxies and clients from giving a silent stream up.
pub(crate) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// A stream without an end of its own: says something now and then, and ends when the server does.
///
/// In HTTP/1.1 its connection is taken from hyper (`server::events`), which polls [`Self::poll_event`] and sees to the
/// heartbeat by the reaper's clock; everywhere else it is a [`BodyStream`] that keeps a timer of its own.
pub struct EventBody {
    inner: Pin<Box<dyn BodyStream>>,
    every: Option<Duration>,
    heartbeat: Option<Heartbeat>,
    draining: bool,
}

struct Heartbeat {
    last: Instant,
    /// In the runtime's wheel; moved once per beat, not once per event.
    timer: Pin<Box<Sleep>>,
}

impl EventBody {
    /// `heartbeat` is the longest silence.
    #[must_use]
    pub fn new(inner: Pin<Box<dyn BodyStream>>, heartbeat: Option<Duration>) -> Self {
        Self { inner, every: heartbeat, heartbeat: None, draining: false }
    }

    /// The longest silence.
    pub(crate) fn heartbeat(&self) -> Option<Duration> {
        self.every
    }

    /// The next events, without heartbeats.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let next = self.inner.as_mut().poll_next(cx);
        if self.draining && next.is_pending() { Poll::Ready(None) } else { next }
    }

    /// The server stops.
    pub(crate) fn stop(&mut self) {
        self.draining = true;
    }

    /// The same, with a call at its end.
    pub(crate) fn wrapped(
        self,
        wrap: impl FnOnce(Pin<Box<dyn BodyStream>>) -> Pin<Box<dyn BodyStream>>,
    ) -> Self {
        Self { inner: wrap(self.inner), ..self }
    }
}

impl BodyStream for EventBody {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let this = &mut *self;
        let next = this.poll_event(cx);
        let Some(every) = this.every else { return next };
        let heartbeat = this.heartbeat.get_or_insert_with(|| {
            let last = Instant::now();
            Heartbeat { last, timer: Box::pin(sleep_until(last + every)) }
        });
        if next.is_ready() {
            heartbeat.last = Instant::now();
            return next;
        }
        while heartbeat.timer.as_mut().poll(cx).is_ready() {
            let (now, due) = (Instant::now(), heartbeat.last + every);
            let silent = now >= due;
            if silent {
                heartbeat.last = now;
            }
            heartbeat.timer.as_mut().reset(heartbeat.last + every);
            if silent {
                return Poll::Ready(Some(Ok(HEARTBEAT)));
            }
        }
        Poll::Pending
    }

    fn drain(mut self: Pin<&mut Self>) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(event: Event<'_>) -> String {
        let mut out = Vec::new();
        event.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_in_their_order() {
        let event =
            Event { data: Some("x"), event: Some("e"), id: Some("1"), retry: Some(5), comment: Some("c") };
        assert_eq!(written(event), ": c\nevent: e\nid: 1\nretry: 5\ndata: x\n\n");
        assert_eq!(written(Event { data: Some(""), ..Event::default() }), "data: \n\n");
        assert_eq!(written(Event { id: Some(""), ..Event::default() }), "id: \n\n");
    }

    #[test]
    fn every_line_is_a_field() {
        for text in ["a\nb\n", "a\rb\r", "a\r\nb\r\n"] {
            assert_eq!(
                written(Event { data: Some(text), ..Event::default() }),
                "data: a\ndata: b\ndata: \n\n"
            );
        }
    }

    #[test]
    fn nothing_can_be_smuggled_in() {
        let write = |event: Event<'_>| event.write(&mut Vec::new());
        assert_eq!(write(Event { event: Some("a\ndata: b"), ..Event::default() }), Err(BadField("event")));
        assert_eq!(write(Event { id: Some("a\rb"), ..Event::default() }), Err(BadField("id")));
        assert_eq!(write(Event { id: Some("a\0b"), ..Event::default() }), Err(BadField("id")));
    }
}

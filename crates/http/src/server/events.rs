//! A connection that has become a stream of events: its task, without hyper's buffers.
//!
//! Such a connection serves no further request, so that what is left of it is a socket, the stream, and bytes that the
//! peer has not taken yet. An event goes out in one system call; nothing is kept while there is none.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, SERVER, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, response};

use super::exchange::after_panic;
use super::pulse::{Order, Overdue, Phase, Pulse};
use super::stream::Stream;
use crate::sse::{EventBody, HEARTBEAT};

/// What a peer may send that has nothing more to ask.
const LINGER_BYTES: usize = 64 * 1024;
/// Writes in one turn, after which others have theirs.
const WRITES: usize = 32;

thread_local! {
    /// Where chunks are framed; taken out while it is used.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::default();
}

/// The head of an answer whose body is events, as it goes over the wire.
pub(crate) fn head(parts: &response::Parts, server: Option<HeaderValue>, date: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let reason = parts.status.canonical_reason().unwrap_or_default();
    // Writing to a vector cannot fail.
    let _ = write!(out, "HTTP/1.1 {} {reason}\r\n", parts.status.as_str());
    let mut line = |name: &HeaderName, value: &HeaderValue| {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    };
    for (name, value) in &parts.headers {
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            line(name, value);
        }
    }
    if let Some(server) = server.filter(|_| !parts.headers.contains_key(SERVER)) {
        line(&SERVER, &server);
    }
    if date && !parts.headers.contains_key(DATE) {
        let _ = write!(out, "date: {}\r\n", httpdate::fmt_http_date(SystemTime::now()));
    }
    out.extend_from_slice(b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    out
}

/// Runs the stream to its end. With `half_close`, a peer that has shut down its sending side is still there.
pub(crate) async fn run(
    stream: Stream,
    head: Vec<u8>,
    events: Box<EventBody>,
    pulse: Rc<Pulse>,
    half_close: bool,
) {
    pulse.enter(Phase::Streaming);
    pulse.read_parked();
    let mut drive =
        Drive { stream, unsent: head, events: Some(events), pulse, patience: LINGER_BYTES, half_close };
    let end = poll_fn(|cx| drive.poll(cx)).await;
    // Nothing can be unread of a peer that has said nothing.
    if end == End::Complete && drive.patience < LINGER_BYTES {
        drive.stream.linger(LINGER_BYTES).await;
    }
}

struct Drive {
    stream: Stream,
    /// What the peer has not taken yet.
    unsent: Vec<u8>,
    /// None once it has ended.
    events: Option<Box<EventBody>>,
    pulse: Rc<Pulse>,
    /// Bytes the peer may still send.
    patience: usize,
    half_close: bool,
}

#[derive(PartialEq, Eq)]
enum End {
    /// The peer was told everything.
    Complete,
    /// The peer is gone, or is to be cut off.
    Broken,
}

impl Drive {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.pulse.attach(cx.waker());
        match self.pulse.order() {
            Order::Serve => {}
            Order::LastCall | Order::Drain => self.events.iter_mut().for_each(|events| events.stop()),
            Order::Expire(Overdue::Quiet) => {
                self.pulse.obeyed();
                self.pulse.enter(Phase::Streaming);
                if self.unsent.is_empty() && self.send(&HEARTBEAT, cx).is_err() {
                    return Poll::Ready(End::Broken);
                }
            }
            Order::Expire(_) | Order::Abort => return Poll::Ready(End::Broken),
        }
        match self.poll_events(cx) {
            // A peer that is gone may take no bytes either.
            Poll::Pending => self.poll_peer(cx).map(|()| End::Broken),
            end => end,
        }
    }

    fn poll_events(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..WRITES {
            if ready!(self.poll_unsent(cx)).is_err() {
                return Poll::Ready(End::Broken);
            }
            let Some(events) = &mut self.events else { return Poll::Ready(End::Complete) };
            let next = catch_unwind(AssertUnwindSafe(|| events.poll_event(cx)));
            let sent = match next {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Some(Ok(piece)))) => self.send(&piece, cx),
                Ok(Poll::Ready(Some(Err(_)))) => return Poll::Ready(End::Broken),
                Ok(Poll::Ready(None)) => {
                    self.events = None;
                    self.send(&Bytes::new(), cx)
                }
                Err(panic) => {
                    after_panic(&*panic);
                    return Poll::Ready(End::Broken);
                }
            };
            if sent.is_err() {
                return Poll::Ready(End::Broken);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Sends a chunk (an empty one is the last); what the peer does not take now is kept.
    fn send(&mut self, piece: &[u8], cx: &mut Context<'_>) -> Result<(), End> {
        let mut chunk = SCRATCH.take();
        chunk.clear();
        // Writing to a vector cannot fail.
        let _ = write!(chunk, "{:x}\r\n", piece.len());
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        let taken = match self.stream.poll_write(cx, &chunk) {
            Poll::Ready(Ok(taken)) => Ok(taken),
            Poll::Ready(Err(_)) => Err(End::Broken),
            Poll::Pending => Ok(0),
        };
        let kept = taken.map(|taken| chunk.get(taken..).unwrap_or_default().to_vec());
        SCRATCH.set(chunk);
        self.unsent = kept?;
        self.pulse.enter(Phase::Streaming);
        Ok(())
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        while !self.unsent.is_empty() {
            match self.stream.poll_write(cx, &self.unsent) {
                Poll::Pending => {
                    self.pulse.write_blocked();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(taken @ 1..)) => drop(self.unsent.drain(..taken)),
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(End::Broken)),
            }
        }
        if self.unsent.capacity() > 0 {
            self.unsent = Vec::new();
        }
        match self.stream.poll_flush(cx) {
            Poll::Pending => {
                self.pulse.write_blocked();
                Poll::Pending
            }
            Poll::Ready(flushed) => {
                self.pulse.wrote();
                Poll::Ready(flushed.map_err(|_| End::Broken))
            }
        }
    }

    /// Ready once the peer is gone.
    fn poll_peer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.patience == 0 {
            return Poll::Pending;
        }
        let mut limit = self.patience;
        let read = self.stream.poll_discard(cx, &mut limit);
        self.patience = limit;
        match ready!(read) {
            // The limit is used up: a peer that floods us is read no more.
            Ok(()) if limit == 0 => Poll::Pending,
            Ok(()) if self.half_close => {
                self.patience = 0;
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

//! The socket as hyper sees it: counts the pulse, gathers small writes, dresses hyper's bare error answers.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::timeout;

use super::pulse::Pulse;
use super::stream::Stream;
use crate::body::BodyWatch;
use crate::{Config, problem};

/// Up to this many bytes, gathering a response into one buffer costs less than a vectored write.
const GATHER: usize = 4 * 1024;

/// How long a peer may take to read the answer to a head that could not be parsed.
const FAREWELL_TIME: Duration = Duration::from_secs(2);

/// What a client begins with that speaks HTTP/2 (RFC 9113 §3.4), as far as no request of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

fn may_begin_http2(bytes: &[u8]) -> bool {
    let known = bytes.len().min(PREFACE.len());
    known > 0 && bytes.get(..known) == PREFACE.get(..known)
}

/// A buffer that many connections take turns with.
pub(crate) type Scratch = Rc<RefCell<Vec<u8>>>;

/// One connection's socket.
pub(crate) struct Wire {
    stream: Stream,
    pulse: Rc<Pulse>,
    /// Where small writes are gathered; shared by all connections of the worker.
    scratch: Scratch,
    date: bool,
    /// Whether to look if the peer begins with HTTP/2.
    sniff: bool,
    /// Not HTTP/1.1: nothing is known of what is read and written.
    bare: bool,
    /// What was read before, for whoever reads next.
    received: Vec<u8>,
    /// Our answer in place of hyper's to a head that could not be parsed; the connection ends with it.
    farewell: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(stream: Stream, pulse: Rc<Pulse>, scratch: Scratch, config: &Config) -> Self {
        let (received, farewell) = (Vec::new(), Vec::new());
        let (date, sniff) = (config.date_header, config.http2);
        Self { stream, pulse, scratch, date, sniff, bare: false, received, farewell }
    }

    /// For another protocol, whose peer has said `received` already.
    pub(crate) fn bare(stream: Stream, pulse: Rc<Pulse>, scratch: Scratch, received: Vec<u8>) -> Self {
        let farewell = Vec::new();
        Self { stream, pulse, scratch, date: false, sniff: false, bare: true, received, farewell }
    }

    /// Whether it is encrypted.
    pub(crate) fn is_secure(&self) -> bool {
        self.stream.is_secure()
    }

    /// The bare socket, for another protocol.
    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Queues a last answer, to be sent by the next flush.
    pub(crate) fn say_farewell(&mut self, status: StatusCode) {
        self.farewell = problem::farewell(status, self.date);
    }

    /// Sends the last answer, if there is one; `TimedOut` where the peer does not take it.
    pub(crate) async fn send_farewell(&mut self) -> io::Result<()> {
        timeout(FAREWELL_TIME, poll_fn(|cx| self.poll_farewell(cx))).await?
    }

    /// Whether the first bytes are plainly of HTTP/1.1, and can be read where they are. What may be the beginning of HTTP/2
    /// is kept until that is known; then the connection is given up to it.
    fn begins_as_usual(&mut self, bytes: &[u8]) -> bool {
        let known = self.received.is_empty();
        if known && !may_begin_http2(bytes) {
            self.sniff = false;
            return true;
        }
        self.received.extend_from_slice(bytes);
        if bytes.is_empty() || !may_begin_http2(&self.received) {
            self.sniff = false;
        } else if self.received.len() >= PREFACE.len() {
            self.sniff = false;
            self.pulse.multiplex(std::mem::take(&mut self.received));
        }
        false
    }

    /// Hands out what was read before.
    fn give(&mut self, buf: &mut ReadBufCursor<'_>) {
        let taken = self.received.len().min(buf.remaining());
        buf.put_slice(self.received.get(..taken).unwrap_or_default());
        self.received.drain(..taken);
    }

    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.farewell.is_empty() {
            let written = self.stream.poll_write(cx, &self.farewell);
            let written = ready!(self.noted(written))?;
            self.farewell.drain(..written);
        }
        self.stream.poll_flush(cx)
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => self.pulse.write_blocked(),
            Poll::Ready(_) => self.pulse.wrote(),
        }
        written
    }

    /// hyper refuses a head with a bare status line; ours says the same with a problem document.
    fn replace_refusal(&mut self, bytes: &[u8]) {
        let status = bytes.get(9..12).and_then(|code| StatusCode::from_bytes(code).ok());
        if self.farewell.is_empty() {
            self.say_farewell(status.unwrap_or(StatusCode::BAD_REQUEST));
            self.pulse.abandoned();
        }
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.sniff && !this.received.is_empty() {
                this.give(&mut buf);
                return Poll::Ready(Ok(()));
            }
            // SAFETY: tokio's `ReadBuf` never de-initializes the bytes it is given.
            let mut inner = tokio::io::ReadBuf::uninit(unsafe { buf.as_mut() });
            let Poll::Ready(result) = this.stream.poll_read(cx, &mut inner) else {
                this.pulse.read_parked();
                return Poll::Pending;
            };
            result?;
            let received = inner.filled().len();
            if received > 0 && !this.bare {
                this.pulse.bytes_arrived();
            }
            if this.sniff && !this.begins_as_usual(inner.filled()) {
                if this.pulse.is_taken() {
                    return Poll::Pending;
                }
                continue;
            }
            // SAFETY: `inner` was a view of the same memory and has filled that many bytes of it.
            unsafe { buf.advance(received) };
            return Poll::Ready(Ok(()));
        }
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if !this.bare && this.pulse.phase().awaits_request() {
            this.replace_refusal(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = this.stream.poll_write(cx, bytes);
        this.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total = slices.iter().map(|slice| slice.len()).sum::<usize>();
        let [first, rest @ ..] = slices else { return Poll::Ready(Ok(0)) };
        if rest.is_empty() {
            return self.poll_write(cx, first);
        }
        let this = &mut *self;
        if !this.bare && this.pulse.phase().awaits_request() {
            this.replace_refusal(first);
            return Poll::Ready(Ok(total));
        }
        let written = if total <= GATHER {
            let mut gathered = this.scratch.borrow_mut();
            gathered.clear();
            slices.iter().for_each(|slice| gathered.extend_from_slice(slice));
            this.stream.poll_write(cx, &gathered)
        } else {
            this.stream.poll_write_vectored(cx, slices)
        };
        this.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.farewell.is_empty() {
            return this.poll_farewell(cx);
        }
        if ready!(this.stream.poll_flush(cx)).is_err() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.bare {
            return Poll::Ready(Ok(()));
        }
        this.pulse.flushed();
        if this.pulse.take_probe() && this.stream.is_hung_up(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_farewell(cx))?;
        self.stream.poll_shutdown(cx)
    }
}

//! What a request carries, read only when somebody asks.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use hyper::body::Incoming;

/// Why a request body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Longer than allowed: 413.
    TooLarge {
        /// The number of bytes that were allowed.
        limit: u64,
    },
    /// The peer stopped sending: 408.
    Timeout,
    /// The framing is broken (a bad chunk): 400.
    Malformed,
    /// The peer went away; nobody is left to answer.
    Disconnected,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(f, "request body exceeds the limit of {limit} bytes"),
            Self::Timeout => f.write_str("request body was not received in time"),
            Self::Malformed => f.write_str("request body is not framed as announced"),
            Self::Disconnected => f.write_str("client disconnected before the request body was complete"),
        }
    }
}

impl std::error::Error for BodyError {}

/// What the connection wants to know about the reading of a body, and what it says back.
pub(crate) trait BodyWatch {
    /// Somebody waits for the peer to send; `waker` is woken when it takes too long.
    fn waiting(&self, waker: &Waker);
    /// The wait is over (bytes came, or nobody waits any more).
    fn resumed(&self);
    /// Whether the wait has taken too long.
    fn timed_out(&self) -> bool;
    /// The body was dropped before its end.
    fn abandoned(&self);
}

/// A request body. Nothing is read from the socket (and no `100 Continue` is sent) before it is polled.
#[derive(Default)]
pub struct RequestBody(Source);

#[derive(Default)]
enum Source {
    #[default]
    Empty,
    /// In memory: in-process clients and tests.
    Full(Bytes),
    Wire(Wire),
}

struct Wire {
    incoming: Incoming,
    watch: Rc<dyn BodyWatch>,
    waiting: bool,
    ended: bool,
    received: u64,
    limit: u64,
}

impl RequestBody {
    /// A body that comes from a connection and may have at most `limit` bytes.
    pub(crate) fn wire(incoming: Incoming, watch: impl FnOnce() -> Rc<dyn BodyWatch>, limit: u64) -> Self {
        if incoming.is_end_stream() {
            return Self(Source::Empty);
        }
        let watch = watch();
        Self(Source::Wire(Wire { incoming, watch, waiting: false, ended: false, received: 0, limit }))
    }

    /// Whether nothing more will come, known without waiting.
    #[must_use]
    pub fn is_end(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Full(bytes) => bytes.is_empty(),
            Source::Wire(wire) => wire.ended || wire.incoming.is_end_stream(),
        }
    }

    /// The number of bytes still to come, when announced (`Content-Length`).
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match &self.0 {
            Source::Empty => Some(0),
            Source::Full(bytes) => Some(bytes.len() as u64),
            Source::Wire(wire) => wire.incoming.size_hint().exact(),
        }
    }

    /// The same body, of which at most `limit` bytes are read.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] where more is announced.
    pub fn limited(mut self, limit: u64) -> Result<Self, BodyError> {
        if self.remaining().is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge { limit });
        }
        if let Source::Wire(wire) = &mut self.0 {
            wire.limit = wire.limit.min(limit);
        }
        Ok(self)
    }

    /// The next piece, shared with the read buffer; `None` at the end. Trailers are skipped.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match &mut self.0 {
            Source::Empty => Poll::Ready(None),
            Source::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Source::Empty;
                Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
            }
            Source::Wire(wire) => {
                let next = wire.poll_next(cx);
                if matches!(next, Poll::Ready(Some(Err(_)))) {
                    // Whoever keeps the body shall not keep the connection.
                    self.0 = Source::Empty;
                }
                next
            }
        }
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Reads the whole body of at most `limit` bytes. A body that arrives in one piece is not copied.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] before anything is read when the announced length exceeds the limit.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, BodyError> {
        let too_large = BodyError::TooLarge { limit: limit as u64 };
        let announced = self.remaining();
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(too_large);
        }
        if self.is_end() {
            return Ok(Bytes::new());
        }
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        if first.len() > limit {
            return Err(too_large);
        }
        if self.is_end() {
            return Ok(first);
        }
        let Some(second) = self.next().await.transpose()? else { return Ok(first) };
        // The announced length is bounded by the limit, but still only a claim: reserve it gradually.
        let expected = announced.map_or(0, |length| (length as usize).min(1 << 20));
        let mut all = BytesMut::with_capacity(expected.max(first.len() + second.len()));
        all.extend_from_slice(&first);
        let mut piece = Some(second);
        while let Some(bytes) = piece {
            if all.len() + bytes.len() > limit {
                return Err(too_large);
            }
            all.extend_from_slice(&bytes);
            piece = self.next().await.transpose()?;
        }
        Ok(all.freeze())
    }
}

impl Wire {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
                return self.wait(cx);
            };
            if std::mem::take(&mut self.waiting) {
                self.watch.resumed();
            }
            match frame {
                None => self.ended = true,
                Some(Err(error)) => return self.fail(classify(&error)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => return self.accept(bytes),
                    Err(_trailers) => self.ended = true,
                },
            }
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.waiting && self.watch.timed_out() {
            self.watch.resumed();
            self.waiting = false;
            return self.fail(BodyError::Timeout);
        }
        self.waiting = true;
        self.watch.waiting(cx.waker());
        Poll::Pending
    }

    fn accept(&mut self, bytes: Bytes) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.received += bytes.len() as u64;
        if self.received > self.limit {
            return self.fail(BodyError::TooLarge { limit: self.limit });
        }
        Poll::Ready(Some(Ok(bytes)))
    }

    /// After an error nothing more can be read; the connection is told that bytes were left behind.
    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.ended = true;
        self.watch.abandoned();
        Poll::Ready(Some(Err(error)))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.waiting {
            self.watch.resumed();
        }
        if !self.ended && !self.incoming.is_end_stream() {
            self.watch.abandoned();
        }
    }
}

/// hyper reports a chunk it cannot decode as an I/O error of kind `InvalidInput` or `InvalidData`.
fn classify(error: &hyper::Error) -> BodyError {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return match io.kind() {
                std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => BodyError::Malformed,
                _ => BodyError::Disconnected,
            };
        }
        cause = error.source();
    }
    BodyError::Disconnected
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Source::Empty } else { Source::Full(bytes) })
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("remaining", &self.remaining()).finish()
    }
}

//! What a response carries.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::sse::EventBody;
use crate::websocket::Socket;

/// Why a streamed response broke off; the connection is then closed without a proper end of body, so
/// that the peer can tell.
pub type StreamError = Box<dyn Error + Send + Sync>;

/// A source of response bytes, polled only while the peer takes them (back-pressure is the peer's pace).
pub trait BodyStream {
    /// The next piece; `None` ends the body. Empty pieces are skipped.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>>;

    /// The exact number of bytes still to come, when known: it becomes `Content-Length`.
    fn remaining(&self) -> Option<u64> {
        None
    }

    /// The server stops: a stream that has no end of its own ends with its next poll.
    fn drain(self: Pin<&mut Self>) {}
}

/// What a response carries.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// All of it.
    Full(Bytes),
    /// Piece by piece; chunked unless the stream knows its length.
    Stream(Pin<Box<dyn BodyStream>>),
    /// Events, for as long as both sides are there.
    Events(Box<EventBody>),
    /// Nothing; once the head is out, the connection is this WebSocket's. Only for 101.
    Socket(Rc<Socket>),
}

impl Body {
    /// A body that is produced while it is sent.
    pub fn stream(stream: impl BodyStream + 'static) -> Self {
        Self::Stream(Box::pin(stream))
    }

    /// The same body; `end` is called once its last byte was handed over, and never when it is given up before.
    #[must_use]
    pub fn on_end(self, end: impl FnOnce() + 'static) -> Self {
        match self {
            Self::Stream(inner) => Self::stream(Ending { inner, end: Some(Box::new(end)) }),
            Self::Events(events) => Self::Events(Box::new(
                events.wrapped(|inner| Box::pin(Ending { inner, end: Some(Box::new(end)) })),
            )),
            known => {
                end();
                known
            }
        }
    }

    /// The length in bytes, when known.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Empty | Self::Socket(_) => Some(0),
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => stream.remaining(),
            Self::Events(_) => None,
        }
    }

    /// Whether there is certainly nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Reads everything: for tests and for in-process clients.
    ///
    /// # Errors
    /// Whatever broke the stream off.
    pub async fn collect(self) -> Result<Bytes, StreamError> {
        match self {
            Self::Empty | Self::Socket(_) => Ok(Bytes::new()),
            Self::Full(bytes) => Ok(bytes),
            Self::Stream(stream) => collect(stream).await,
            Self::Events(events) => collect(Box::into_pin(events)).await,
        }
    }
}

async fn collect(mut stream: Pin<Box<impl BodyStream + ?Sized>>) -> Result<Bytes, StreamError> {
    let mut all = Vec::new();
    while let Some(piece) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        all.extend_from_slice(&piece?);
    }
    Ok(all.into())
}

/// A stream, and what happens after it.
struct Ending {
    inner: Pin<Box<dyn BodyStream>>,
    end: Option<Box<dyn FnOnce()>>,
}

impl BodyStream for Ending {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let next = self.inner.as_mut().poll_next(cx);
        // A stream of known length may not be polled past its last byte.
        let last = match &next {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(_))) => self.remaining() == Some(0),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if last && let Some(end) = self.end.take() {
            end();
        }
        next
    }

    fn remaining(&self) -> Option<u64> {
        self.inner.remaining()
    }

    fn drain(mut self: Pin<&mut Self>) {
        self.inner.as_mut().drain();
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        match &mut *self {
            Self::Empty | Self::Socket(_) => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Stream(stream) => {
                stream.as_mut().poll_next(cx).map(|next| next.map(|r| r.map(Frame::data)))
            }
            Self::Events(events) => {
                Pin::new(&mut **events).poll_next(cx).map(|next| next.map(|r| r.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.len().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Events(_) => f.write_str("Events"),
            Self::Socket(_) => f.write_str("Socket"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Full(bytes.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Full(text.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Full(Bytes::from_static(text.as_bytes()))
    }
}

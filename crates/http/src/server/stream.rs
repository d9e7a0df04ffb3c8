//! The transports a connection can run over.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long a socket that was told everything stays open for a peer that does not close.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// A socket that its task and whoever has something to send share.
pub(crate) type Line = Rc<RefCell<Stream>>;

/// A connected socket.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// Boxed, as it is much larger than the others.
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! each {
    ($self:expr, $stream:ident => $body:expr) => {
        match $self {
            Stream::Tcp($stream) => $body,
            Stream::Unix($stream) => $body,
            Stream::Tls($stream) => $body,
        }
    };
}

impl Stream {
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }

    /// Writes as much as the system takes at once, outside of any task; [`io::ErrorKind::WouldBlock`] where that is nothing,
    /// and always where writing is more than that.
    pub(crate) fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Tcp(stream), [only]) => stream.try_write(only),
            (Self::Tcp(stream), _) => stream.try_write_vectored(slices),
            (Self::Unix(stream), _) => stream.try_write_vectored(slices),
            (Self::Tls(_), _) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Ready once what was written is the system's; only TLS keeps something.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Whether it is encrypted.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether the peer has shut down its sending side, even with unread bytes in front of that.
    pub(crate) fn is_hung_up(&self, cx: &mut Context<'_>) -> bool {
        let ready = match self {
            Self::Tcp(stream) => std::pin::pin!(stream.ready(Interest::READABLE)).poll(cx),
            Self::Unix(stream) => std::pin::pin!(stream.ready(Interest::READABLE)).poll(cx),
            Self::Tls(stream) => std::pin::pin!(stream.get_ref().0.ready(Interest::READABLE)).poll(cx),
        };
        match ready {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Says that nothing more will come, and waits for the peer to say the same: closing with unread bytes would make the
    /// kernel send a reset, which can destroy what the peer has not read yet.
    pub(crate) async fn linger(&mut self, mut limit: usize) {
        // A timeout only means that the peer does not close either, and an error is as good as a close.
        let _ = timeout(LINGER_TIME, async {
            poll_fn(|cx| self.poll_shutdown(cx)).await?;
            poll_fn(|cx| self.poll_discard(cx, &mut limit)).await
        })
        .await;
    }

    /// Reads and forgets until the peer closes, or `limit` bytes.
    pub(crate) fn poll_discard(&mut self, cx: &mut Context<'_>, limit: &mut usize) -> Poll<io::Result<()>> {
        let mut scratch = [std::mem::MaybeUninit::uninit(); 16 * 1024];
        while *limit > 0 {
            let mut buf = ReadBuf::uninit(&mut scratch);
            ready!(self.poll_read(cx, &mut buf))?;
            match buf.filled().len() {
                0 => break,
                n => *limit = limit.saturating_sub(n),
            }
        }
        Poll::Ready(Ok(()))
    }
}

//! Telling the server to stop what a connection is running: a short connection of its own, as the protocol wants it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stream::Stream;

/// After a cancel request was delivered its signal may still hit a later statement for so long.
const ECHO: Duration = Duration::from_secs(1);

/// What identifies a session to `CancelRequest`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CancelKey {
    pub(crate) process: i32,
    pub(crate) secret: i32,
}

/// The cancel requests of one connection.
pub(crate) struct Cancellation {
    key: CancelKey,
    /// Cancel requests on their way.
    pending: Cell<u32>,
    /// Until when a cancelled statement may be the wrong one.
    echo: Cell<Option<Instant>>,
}

impl Cancellation {
    pub(super) fn new(key: CancelKey) -> Self {
        Self { key, pending: Cell::new(0), echo: Cell::new(None) }
    }

    pub(crate) fn key(&self) -> CancelKey {
        self.key
    }

    /// A cancel request is on its way.
    pub(crate) fn begin(&self) {
        self.pending.set(self.pending.get() + 1);
    }

    /// The cancel request reached the server, or failed.
    pub(crate) fn done(&self) {
        self.pending.set(self.pending.get().saturating_sub(1));
        self.echo.set(Some(Instant::now() + ECHO));
    }

    /// Whether a cancel request is on its way.
    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.get() > 0
    }

    /// Whether a cancelled statement may not be the one that was meant.
    pub(super) fn may_echo(&self) -> bool {
        self.is_pending() || self.echo.get().is_some_and(|until| Instant::now() < until)
    }
}

/// Sends the request over a fresh socket and waits until the server has dealt with it, which it tells by hanging up.
pub(crate) async fn send(mut stream: Stream, key: CancelKey) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    frontend::cancel_request(key.process, key.secret, &mut out);
    stream.write_all(&out).await?;
    stream.flush().await?;
    stream.read(&mut [0; 1]).await.map(|_| ())
}

//! Telling the server to stop what a connection is running: a short connection of its own, as the protocol wants it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::stream::Stream;

/// What identifies a session to `CancelRequest`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CancelKey {
    pub(crate) process: i32,
    pub(crate) secret: i32,
}

/// Sends the request over a fresh socket and waits until the server has dealt with it, which it tells by hanging up.
pub(crate) async fn send(mut stream: Stream, key: CancelKey) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    frontend::cancel_request(key.process, key.secret, &mut out);
    stream.write_all(&out).await?;
    stream.flush().await?;
    stream.read(&mut [0; 1]).await.map(|_| ())
}

//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692), as little memory per connection as it takes.
//!
//! In the order of a conversation: [`handshake`] makes an [`Opening`] of a request, which is the body of a 101; the
//! server then runs `drive`, the connection's task, over the bare socket. `reader` turns bytes into messages and
//! `frame` messages into bytes, both without I/O; `utf8`, `mask` and `deflate` serve them. [`Socket`] is what task and
//! application share; `flush` writes what the application sends on its own account. A [`Group`] is many sockets that are sent the same bytes.

mod close;
mod deflate;
pub(crate) mod drive;
mod extension;
pub(crate) mod flush;
mod frame;
mod group;
mod handshake;
mod mask;
mod outbox;
mod reader;
mod socket;
mod utf8;

pub use close::{Close, Code};
pub use drive::converse;
pub use frame::{Message, Outgoing};
pub use group::Group;
pub use handshake::{Opening, handshake};
pub use socket::{Socket, Watcher};

/// Whether and how messages are compressed (permessage-deflate).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Never.
    Off,
    /// Every message by itself (`no_context_takeover`), with one compressor for all connections of a worker: costs a
    /// connection nothing.
    #[default]
    Shared,
    /// Messages refer to earlier ones where the client allows it: smaller, at about 300 KiB per connection.
    Dedicated,
}

/// What one conversation may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message, decompressed; more is closed with 1009.
    pub max_message: usize,
    /// Messages that wait for the application before the peer is not read any more; nor is it while they have
    /// [`Self::max_message`] bytes together.
    pub max_inbox: usize,
    /// Bytes that wait for the peer before it counts as gone.
    pub max_outbox: usize,
    /// Compression.
    pub compression: Compression,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 16 * 1024 * 1024,
            max_inbox: 32,
            max_outbox: 4 * 1024 * 1024,
            compression: Compression::default(),
        }
    }
}

//! PostgreSQL over pipelined connections: bytes go from the read buffer straight into the sink of the request they
//! answer. One task per connection, everything on one thread.
//!
//! In the order of a connection's life: [`config`] says where; `connect` reaches it (`stream`, `tls`, `certificate`);
//! `handshake` logs in; `connection` takes requests (`begin`, `cache`, `prepared`, `variant`, `memory`, `bind`, `array`,
//! `outbox`) and `driver` moves bytes (`frame`, `message`); `call` is one request in flight; `cancel` stops one; `error`
//! says what the server's errors mean.

mod array;
pub(crate) mod begin;
mod bind;
mod cache;
pub(crate) mod call;
mod cancel;
mod certificate;
pub mod config;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod driver;
mod error;
pub(crate) mod frame;
mod handshake;
pub(crate) mod memory;
mod message;
mod oid;
mod outbox;
pub(crate) mod prepared;
pub(crate) mod stream;
mod tls;
mod variant;

pub use config::{Config, Host, Keepalives, SslMode, TargetSession};
pub use message::Notification;

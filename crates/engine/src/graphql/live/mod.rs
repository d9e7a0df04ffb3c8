//! Operations that answer more than once, and the two ways to hear them.
//!
//! * [`conversation`]: any number of operations over one WebSocket, in the messages of [`protocol`]
//!   (`graphql-transport-ws`);
//! * [`events`]: one operation as a stream of server-sent events (`graphql-sse`, distinct connections);
//! * [`responses`]: an operation begun, and its responses one by one;
//! * [`changes`]: what a table's trigger says, read once for all who asked the same; [`mailbox`]: what waits for one of
//!   them.

mod changes;
mod conversation;
mod events;
mod mailbox;
mod protocol;
mod responses;

pub use changes::{Member, Watched};

pub(super) use changes::Channels;
pub(super) use conversation::connect;
pub(super) use events::stream;

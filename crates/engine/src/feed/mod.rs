//! Change feeds: a table's inserts, updates and deletes as server-sent events, without the binding.
//!
//! A trigger sends key and number of every change ([`change`]); one connection of the worker hears them ([`news`]); each changed row
//! is read once by the route's plan, so that it looks as the API shows it, and written once for all clients that want it
//! ([`channel`]). [`endpoint`] is the route, [`stream`] one client.

pub(crate) mod change;
mod channel;
mod endpoint;
pub(crate) mod news;
mod stream;

pub use endpoint::{Feed, Parts};

//! Change feeds: a table's inserts, updates and deletes as server-sent events, without the binding.
//!
//! A trigger sends key and number of every change ([`change`]); one connection of the worker hears them; each changed row
//! is read once by the route's plan, so that it looks as the API shows it, and written once for all clients that want it
//! ([`channel`]). [`endpoint`] is the route, [`stream`] one client.

mod change;
mod channel;
mod endpoint;
mod stream;

pub use endpoint::{Feed, Parts};

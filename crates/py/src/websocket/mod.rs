//! WebSocket routes: a conversation is a coroutine that is given a [`WebSocket`].
//!
//! [`endpoint`] begins it and ends it; [`talk`] is what socket and coroutine share; [`object`] is what Python sees of it,
//! [`awaitable`] what its methods return; [`client`] is a test's other end.

mod awaitable;
mod client;
mod endpoint;
mod object;
mod talk;

pub(crate) use client::ClientSocket;
pub(crate) use endpoint::Conversations;
pub(crate) use object::{Messages, WebSocket};

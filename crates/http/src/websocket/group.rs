//! Many sockets that are sent the same bytes.

use std::collections::HashMap;
use std::rc::{Rc, Weak};

use super::frame::{Message, Outgoing};
use super::socket::Socket;

/// Sockets of this worker. Those that are gone are forgotten with the next broadcast, or when somebody asks for it.
#[derive(Default)]
pub struct Group(HashMap<usize, Weak<Socket>, foldhash::fast::RandomState>);

impl Group {
    /// Adds a socket; whether it was not in before.
    pub fn join(&mut self, socket: &Rc<Socket>) -> bool {
        self.0.insert(Rc::as_ptr(socket) as usize, Rc::downgrade(socket)).is_none()
    }

    /// Takes a socket out; whether it was in.
    pub fn leave(&mut self, socket: &Rc<Socket>) -> bool {
        self.0.remove(&(Rc::as_ptr(socket) as usize)).is_some()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are in it, as far as is known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets sockets whose conversation is over.
    pub fn forget_closed(&mut self) {
        self.0.retain(|_, member| member.upgrade().is_some_and(|socket| !socket.is_closed()));
    }

    /// Queues a message for every member; how many will get it. It is encoded once for all that are alike.
    pub fn broadcast(&mut self, message: Message) -> usize {
        let mut outgoing = Outgoing::new(message);
        self.0.retain(|_, member| {
            member.upgrade().is_some_and(|socket| socket.send_shared(&mut outgoing).is_ok())
        });
        self.0.len()
    }
}

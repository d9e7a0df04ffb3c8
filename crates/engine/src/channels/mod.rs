//! Groups: what is sent to a topic reaches its members on this worker, on the host's other workers and on other hosts.
//!
//! [`Hub`] knows this worker's members; [`link`] is the way to others: [`mesh`] over unix sockets between the workers of
//! a host, [`redis`] between hosts. [`envelope`] is what goes over it. A message is encoded once for all members that are
//! alike; what a link loses is lost (at most once), and links come back by themselves.

mod envelope;
mod hub;
pub mod link;
mod mesh;
mod redis;

pub use envelope::Kind;
pub use hub::{Hub, Mailbox};

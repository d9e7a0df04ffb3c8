//! Message bodies: [`RequestBody`] comes in, [`Body`] goes out.

mod incoming;
mod outgoing;

pub(crate) use incoming::BodyWatch;
pub use incoming::{BodyError, RequestBody};
pub use outgoing::{Body, BodyStream, StreamError};

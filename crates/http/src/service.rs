//! The seam between the server and whoever answers: one trait, no boxing for immediate answers.

use std::future::Future;
use std::pin::Pin;

use crate::{Body, Request};

/// What goes back to the peer.
pub type Response = http::Response<Body>;

/// An answer that may take time.
pub type PendingResponse = Pin<Box<dyn Future<Output = Response>>>;

/// An answer: here already, or later.
pub enum Reply {
    /// Known at once; costs no allocation.
    Ready(Response),
    /// Polled on the connection's own task; dropped when the peer goes away.
    Pending(PendingResponse),
}

impl Reply {
    /// Answer later.
    pub fn pending(future: impl Future<Output = Response> + 'static) -> Self {
        Self::Pending(Box::pin(future))
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Ready(response)
    }
}

/// Answers requests. A panic inside becomes a logged 500; the connection lives on.
pub trait Service {
    /// Answer `request`.
    fn call(&self, request: Request) -> Reply;
}

impl<F: Fn(Request) -> Reply> Service for F {
    fn call(&self, request: Request) -> Reply {
        self(request)
    }
}

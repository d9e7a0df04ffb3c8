//! The seam between routing and whoever answers: native plans, or the binding's callbacks.

use bytes::Bytes;
use plectrum_http::router::PathValues;
use plectrum_http::{Reply, Request};

/// One request on its way to an endpoint: routed, its body read where the endpoint wants one.
pub struct Call {
    /// Everything but the body.
    pub request: Request,
    /// Values of the path's parameters, decoded, in the order of the pattern.
    pub path: PathValues,
    /// The body; empty unless [`Endpoint::reads_body`].
    pub body: Bytes,
}

/// Answers the requests of one route.
pub trait Endpoint {
    /// Answers one request. Called on the worker's own thread; must not block.
    fn call(&self, call: Call) -> Reply;

    /// Whether [`Call::body`] must hold the whole body.
    fn reads_body(&self) -> bool {
        false
    }
}

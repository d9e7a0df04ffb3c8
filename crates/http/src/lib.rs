//! The HTTP side: server, router, request, response. Unaware of the database and of Python.
//!
//! In the order a request meets them:
//!
//! * [`server`]: listeners, bounded accept, timeouts, limits, graceful shutdown ([`serve`]);
//! * [`request`] and [`body`]: what arrives, moved out of the parser and never copied;
//! * [`form`]: forms with files, spooled to disk past a limit;
//! * [`router`]: method + path → endpoint, typed parameters, 405, OPTIONS, trailing slashes;
//! * [`query`], [`cookie`], [`media`]: lazy readers over header and query text; [`set_cookie`] writes;
//! * [`sse`]: streams of events;
//! * [`websocket`]: what a connection becomes after a 101;
//! * [`middleware`]: what every request and answer passes: proxies, hosts, CORS, compression, security headers;
//! * [`accept`], [`conditional`], [`range`], [`file`], [`mime`]: what the client takes and has, and files answered so;
//! * [`service`] and [`problem`]: the answer, and the pre-encoded error answers of RFC 9457.
//!
//! Everything runs on one thread of a current-thread runtime: nothing here is `Send`, nothing locks.

pub mod accept;
pub mod body;
pub mod conditional;
pub mod config;
pub mod cookie;
pub mod file;
pub mod form;
pub mod media;
pub mod middleware;
pub mod mime;
pub mod problem;
pub mod query;
pub mod range;
pub mod request;
pub mod router;
pub mod server;
pub mod service;
pub mod set_cookie;
pub mod sse;
pub mod websocket;

pub use bytes::Bytes;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};

pub use body::{Body, BodyError, BodyStream, RequestBody};
pub use config::{Certificate, Config, Timeouts};
pub use problem::Problem;
pub use request::{Peer, Request};
pub use router::{Match, Params, Router, RouterBuilder};
pub use server::{DrainReport, Listener, serve};
pub use service::{Reply, Response, Service};

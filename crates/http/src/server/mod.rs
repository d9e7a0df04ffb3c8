//! The server: sockets in, requests to a [`Service`](crate::Service), responses out.
//!
//! [`serve`] → `accept` (bounded) → `connection` (one task each, driven by hyper over `wire`) → the service.
//! `tls` wraps the
//! sockets, `multiplex` speaks HTTP/2, `events` is what a stream of events becomes. `pulse` is what a connection tells about itself, `reaper` the one task per worker that reads it and
//! ends what takes too long, `drain` the way out.

mod accept;
mod connection;
mod drain;
mod events;
mod exchange;
mod listener;
mod multiplex;
pub(crate) mod pulse;
mod reaper;
pub(crate) mod stream;
mod tls;
mod wire;

use std::future::Future;
use std::io;
use std::rc::Rc;

pub use drain::DrainReport;
pub use listener::{Listener, TcpOptions};
pub use tls::{Tls, TlsError};

use crate::websocket::flush;
use crate::{Config, Service};
use accept::Acceptor;
use connection::Worker;

/// Serves until `shutdown` completes, then drains: stops accepting, closes idle connections, lets running
/// requests finish for [`Config::drain`], and aborts what is left.
///
/// Runs on the current thread, inside a `LocalRuntime` or `LocalSet`.
///
/// # Errors
/// Only when a listener cannot be registered with the runtime or the certificate cannot be used; nothing that happens later
/// ends the server.
pub async fn serve<S: Service + 'static>(
    listeners: Vec<Listener>,
    config: Rc<Config>,
    service: Rc<S>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<DrainReport> {
    let tls = config.certificate.as_ref().map(|files| Tls::open(&files.chain, &files.key, config.http2));
    let tls = tls.transpose().map_err(io::Error::other)?;
    let watch = tls.clone().map(|tls| tokio::task::spawn_local(tls::watch(tls)));
    let worker = Rc::new(Worker::new(config, service, tls));
    let acceptor = Acceptor::spawn(listeners, &worker)?;
    let reaper = tokio::task::spawn_local(reaper::run(worker.clocked()));
    let flusher = tokio::task::spawn_local(flush::run());
    shutdown.await;
    acceptor.stop().await;
    let report = drain::run(&worker).await;
    reaper.abort();
    flusher.abort();
    watch.inspect(tokio::task::JoinHandle::abort);
    Ok(report)
}

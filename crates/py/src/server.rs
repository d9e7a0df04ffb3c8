//! A worker process: one runtime, one app, its listeners.

use std::os::fd::{FromRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use plectrum_http::{Listener, serve};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::Registration;
use crate::detached::detached;
use crate::observe;
use crate::worker::Worker;

/// Serves on the calling thread until SIGTERM or SIGINT, then finishes what is running.
pub(crate) fn run(
    py: Python<'_>,
    registration: &Arc<Registration>,
    descriptors: &[i32],
    ready: Option<i32>,
) -> PyResult<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(Default::default())?;
    let worker = runtime.block_on(async { Worker::start(py, &registration.settings, false) })?;
    // Inside of the runtime: what observes it goes on by itself.
    let app = Rc::new(runtime.block_on(async { registration.build(py, &worker) })?);
    let config = Rc::new(registration.http()?);
    let served = detached(py, || {
        runtime.block_on(async {
            let listeners = descriptors
                .iter()
                .map(|fd| listener(*fd))
                .collect::<std::io::Result<Vec<_>>>()
                .map_err(failed)?;
            let (mut terminate, mut interrupt) = (
                signal(SignalKind::terminate()).map_err(failed)?,
                signal(SignalKind::interrupt()).map_err(failed)?,
            );
            let lifespan = registration.lifespan.as_ref();
            worker.live(lifespan, "startup").await?;
            announce(ready);
            serve(listeners, config, app, async {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            })
            .await
            .map_err(failed)?;
            // The tasks of the last responses; what takes longer is cancelled with the event loop.
            let _ = tokio::time::timeout(registration.settings.drain(), worker.background.drained()).await;
            worker.live(lifespan, "shutdown").await?;
            observe::finish(&worker).await;
            worker.databases.close().await;
            PyResult::Ok(())
        })
    });
    served?;
    let (event_loop, grace) = (Rc::clone(&worker.event_loop), registration.settings.drain());
    detached(py, || runtime.block_on(event_loop.shutdown(grace)))
}

fn failed(error: std::io::Error) -> PyErr {
    PyOSError::new_err(error.to_string())
}

fn listener(descriptor: i32) -> std::io::Result<Listener> {
    // SAFETY: the supervisor opened the socket for this process and passed its number once; nobody else closes it.
    Listener::from_fd(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Tells the supervisor that requests are accepted.
fn announce(ready: Option<i32>) {
    if let Some(descriptor) = ready {
        // SAFETY: the supervisor made the pipe for this process alone and passed its number once; nobody else closes it.
        let mut pipe = unsafe { std::fs::File::from_raw_fd(descriptor) };
        // A supervisor that is gone needs no news.
        let _ = std::io::Write::write_all(&mut pipe, b"R");
    }
}

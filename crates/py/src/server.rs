//! A worker process: one runtime, one app, its listeners.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use plectrum_http::{Listener, Reply, Request, Service, serve};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::Registration;
use crate::detached::detached;
use crate::observe;
use crate::worker::Worker;

/// What a worker tells its supervisor (`plectrum/child.py`).
const READY: &[u8] = b"R";
const WORN_OUT: &[u8] = b"W";

/// Serves on the calling thread until SIGTERM or SIGINT, then finishes what is running.
pub(crate) fn run(
    py: Python<'_>,
    registration: &Arc<Registration>,
    descriptors: &[i32],
    supervisor: Option<i32>,
) -> PyResult<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(Default::default())?;
    let worker = runtime.block_on(async { Worker::start(py, &registration.settings, false) })?;
    // Inside of the runtime: what observes it goes on by itself.
    let app = Rc::new(runtime.block_on(async { registration.build(py, &worker) })?);
    let config = Rc::new(registration.http()?);
    let most = registration.settings.worker_max_requests;
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
            let stop = async {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            };
            let lifespan = registration.lifespan.as_ref();
            worker.live(lifespan, "startup").await?;
            let supervisor = Supervisor(supervisor.map(of_number).map(File::from));
            supervisor.tell(READY);
            let served = if most == 0 {
                serve(listeners, config, app, stop).await
            } else {
                serve(listeners, config, Rc::new(Counted { app, left: Cell::new(most), supervisor }), stop)
                    .await
            };
            served.map_err(failed)?;
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

/// Asks for a successor after so many requests; goes on until there is one.
struct Counted<S> {
    app: Rc<S>,
    left: Cell<u64>,
    supervisor: Supervisor,
}

impl<S: Service> Service for Counted<S> {
    fn call(&self, request: Request) -> Reply {
        match self.left.get() {
            0 => {}
            1 => {
                self.left.set(0);
                self.supervisor.tell(WORN_OUT);
            }
            left => self.left.set(left - 1),
        }
        self.app.call(request)
    }
}

/// The other end is the supervisor's, where there is one.
struct Supervisor(Option<File>);

impl Supervisor {
    fn tell(&self, news: &[u8]) {
        if let Some(mut pipe) = self.0.as_ref() {
            // A supervisor that is gone needs no news.
            let _ = pipe.write_all(news);
        }
    }
}

fn listener(descriptor: i32) -> std::io::Result<Listener> {
    Listener::from_fd(of_number(descriptor))
}

fn of_number(descriptor: i32) -> OwnedFd {
    // SAFETY: the supervisor opened it for this process alone and passed its number once; nobody else closes it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

//! Work that runs after its response has been sent; a worker that stops waits for it.

use std::cell::Cell;
use std::rc::Rc;

use plectrum_http::Body;
use pyo3::prelude::*;
use tokio::sync::Notify;

use crate::eventloop::Step;
use crate::names;
use crate::worker::Worker;

/// Counts what is running on a worker.
#[derive(Default)]
pub(crate) struct Background {
    running: Cell<usize>,
    idle: Notify,
}

impl Background {
    /// Waits until nothing is running.
    pub(crate) async fn drained(&self) {
        while self.running.get() > 0 {
            self.idle.notified().await;
        }
    }
}

/// Keeps the worker from stopping.
struct Running(Rc<Worker>);

impl Running {
    fn new(worker: Rc<Worker>) -> Self {
        let running = &worker.background.running;
        running.set(running.get() + 1);
        Self(worker)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let background = &self.0.background;
        background.running.set(background.running.get() - 1);
        background.idle.notify_waiters();
    }
}

/// `body`, after whose end `tasks` (a callable, or `plectrum.background.BackgroundTasks`) run. Tasks of a body that is given
/// up by the client do not run.
pub(crate) fn after(body: Body, worker: &Rc<Worker>, tasks: Py<PyAny>) -> Body {
    let running = Running::new(Rc::clone(worker));
    body.on_end(move || {
        // A turn of its own: by then the last byte is with the kernel.
        tokio::task::spawn_local(run(running, tasks));
    })
}

async fn run(running: Running, tasks: Py<PyAny>) {
    let event_loop = &running.0.event_loop;
    let begun = Python::attach(|py| {
        let coroutine = names::RUN_BACKGROUND.get(py)?.call1((tasks,))?;
        PyResult::Ok(event_loop.step(coroutine))
    });
    let outcome = match begun {
        Ok(Step::Done(outcome, _)) => outcome,
        Ok(Step::Suspended(pending)) => pending.await,
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        // Python's half logs what tasks raise; this is a cancellation, or its own failure.
        Python::attach(|py| error.write_unraisable(py, None));
    }
}

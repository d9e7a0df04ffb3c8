//! What one worker thread has: its asyncio loop, its thread pool, its databases.

use std::cell::RefCell;
use std::rc::Rc;

use plectrum_engine::observe::Observer;
use pyo3::prelude::*;

use crate::background::Background;
use crate::channels::Channels;
use crate::databases::Databases;
use crate::eventloop::{EventLoop, Step, SyncPool};
use crate::settings::Settings;

/// Calls that may wait for each thread of the pool before further ones are refused with 503.
const QUEUE_PER_THREAD: usize = 64;

/// Shared by all handlers of a thread.
pub(crate) struct Worker {
    pub(crate) event_loop: Rc<EventLoop>,
    pub(crate) pool: Rc<SyncPool>,
    pub(crate) databases: Databases,
    pub(crate) background: Background,
    /// A test's client calls the app: everything stays on its thread.
    pub(crate) in_process: bool,
    pub(crate) debug: bool,
    /// Sees all requests, where anything is to be observed.
    pub(crate) observer: RefCell<Option<Rc<Observer>>>,
}

impl Worker {
    /// Must be called inside of the thread's runtime. `in_process`: a client calls the app, no socket does.
    pub(crate) fn start(py: Python<'_>, settings: &Settings, in_process: bool) -> PyResult<Rc<Self>> {
        let pool = Rc::new(SyncPool::new(settings.sync_threads, settings.sync_threads * QUEUE_PER_THREAD));
        let event_loop = if in_process { EventLoop::start_in_process(py)? } else { EventLoop::start(py)? };
        let channels = Bound::new(py, Channels::new(settings.reach(), &event_loop))?;
        event_loop.python(py).setattr("channels", channels)?;
        Ok(Rc::new(Self {
            event_loop,
            databases: Databases::new(in_process, Rc::clone(&pool)),
            background: Background::default(),
            pool,
            in_process,
            debug: settings.debug,
            observer: RefCell::default(),
        }))
    }

    /// Tells mounted applications that the worker starts (`startup`) or stops (`shutdown`).
    pub(crate) async fn live(&self, lifespan: Option<&Py<PyAny>>, moment: &str) -> PyResult<()> {
        let Some(lifespan) = lifespan else { return Ok(()) };
        let step = Python::attach(|py| {
            let coroutine = lifespan.bind(py).call_method0(moment)?;
            PyResult::Ok(self.event_loop.step(coroutine))
        })?;
        match step {
            Step::Done(outcome, _) => outcome,
            Step::Suspended(pending) => pending.await,
        }
        .map(drop)
    }
}

//! What is seen of requests, as `plectrum.observe` describes it and as Python may ask for it.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use plectrum_engine::blueprint::Blueprint;
use plectrum_engine::endpoint::Endpoint;
use plectrum_engine::observe::health::{Check, Checking, Health, Ready};
use plectrum_engine::observe::lines::Lines;
use plectrum_engine::observe::otlp::Collector;
use plectrum_engine::observe::prometheus::Metrics;
use plectrum_engine::observe::{self, Observer, Options, trip};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use serde::Deserialize;

use crate::names;
use crate::worker::Worker;

/// `plectrum.observe.describe`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Observe {
    /// Whether anything but probes is on.
    on: bool,
    board: Option<PathBuf>,
    metrics: Option<String>,
    metrics_token: Option<String>,
    health: Option<String>,
    ready: Option<String>,
    access_log: Option<String>,
    access_sample: f64,
    slow: Option<f64>,
    otlp: Option<Otlp>,
    /// Name and address of every Redis in use.
    redis: Vec<(String, String)>,
}

#[derive(Debug, Clone, Deserialize)]
struct Otlp {
    endpoint: String,
    headers: Vec<(String, String)>,
    service: String,
    sample: f64,
}

thread_local! {
    /// Of the worker whose thread this is.
    static HERE: RefCell<Option<Rc<Observer>>> = const { RefCell::new(None) };
}

impl Observe {
    /// Paths of what is answered besides routes.
    pub(crate) fn paths(&self) -> Vec<String> {
        [&self.metrics, &self.health, &self.ready].into_iter().flatten().cloned().collect()
    }

    /// The worker's observer, started; none where there is nothing to observe.
    pub(crate) fn observer(
        &self,
        blueprint: &Blueprint,
        worker: &Rc<Worker>,
    ) -> PyResult<Option<Rc<Observer>>> {
        if !self.on {
            return Ok(None);
        }
        let options = Options {
            board: self.board.clone(),
            access_log: self.access_log.clone(),
            access_sample: self.access_sample,
            slow: self.slow.map(Duration::from_secs_f64),
            collector: self.otlp.clone().map(|otlp| Collector {
                endpoint: otlp.endpoint,
                headers: otlp.headers,
                service: otlp.service,
                sample: otlp.sample,
            }),
        };
        let observer = Observer::new(blueprint, &options).map_err(configuration_error)?;
        let pools = Rc::downgrade(worker);
        observer.start(move || pools.upgrade().map(|worker| worker.databases.stats()).unwrap_or_default());
        *worker.observer.borrow_mut() = Some(Rc::clone(&observer));
        HERE.set(Some(Rc::clone(&observer)));
        Ok(Some(observer))
    }

    /// Who answers on each of [`Observe::paths`].
    pub(crate) fn endpoints(
        &self,
        py: Python<'_>,
        observer: Option<&Rc<Observer>>,
        worker: &Rc<Worker>,
    ) -> PyResult<Vec<(String, Rc<dyn Endpoint>)>> {
        let mut endpoints: Vec<(String, Rc<dyn Endpoint>)> = Vec::new();
        if let (Some(path), Some(observer)) = (&self.metrics, observer) {
            let metrics = Metrics::new(Rc::clone(observer), self.metrics_token.clone());
            endpoints.push((path.clone(), Rc::new(metrics)));
        }
        if let Some(path) = &self.health {
            endpoints.push((path.clone(), Rc::new(Health)));
        }
        if let Some(path) = &self.ready {
            endpoints.push((path.clone(), Rc::new(Ready::new(self.checks(py, worker)?))));
        }
        Ok(endpoints)
    }

    fn checks(&self, py: Python<'_>, worker: &Rc<Worker>) -> PyResult<Vec<Check>> {
        let mut checks = Vec::new();
        let aliases: Vec<(String, bool)> = names::ALIASES.get(py)?.call0()?.extract()?;
        for (alias, ours) in aliases {
            let name = format!("database {alias}");
            if ours && !worker.in_process {
                let (database, _) = worker.databases.get(py, &alias, false)?;
                checks.push(Check::database(name, database));
            } else {
                checks.push(in_python(name, &alias, worker));
            }
        }
        if names::ALIASES.get(py)?.call0()?.is_truthy()? {
            checks.push(in_python("migrations".to_owned(), "", worker));
        }
        for (name, url) in &self.redis {
            checks.push(Check::redis(format!("redis {name}"), url).map_err(configuration_error)?);
        }
        Ok(checks)
    }
}

/// A check of `plectrum.readiness`: of a database, or of the migrations where `alias` is empty.
fn in_python(name: String, alias: &str, worker: &Rc<Worker>) -> Check {
    let (alias, worker) = (alias.to_owned(), Rc::clone(worker));
    let run = move || -> Checking {
        let asked = Python::attach(|py| {
            let (function, arguments) = (names::READINESS.get(py)?, PyTuple::new(py, [&alias])?);
            if worker.in_process {
                // The test's transaction is on this thread.
                return Ok(Err(names::CALL_HERE.get(py)?.call1((function, arguments, py.None()))?.unbind()));
            }
            worker.pool.call(function, &arguments, None).map(Ok)
        });
        Box::pin(async move {
            let answer = match asked.map_err(|error| error.to_string())? {
                Ok(Ok(call)) => call.await.map_err(|error| error.to_string())?,
                Ok(Err(busy)) => return Err(busy.to_string()),
                Err(answer) => answer,
            };
            let why: Option<String> =
                Python::attach(|py| answer.extract(py)).map_err(|error: PyErr| error.to_string())?;
            why.map_or(Ok(()), Err)
        })
    };
    Check { name, run: Box::new(run) }
}

fn configuration_error(text: String) -> PyErr {
    Python::attach(|py| match names::CONFIGURATION_ERROR.get(py).and_then(|class| class.call1((text,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    })
}

/// Writes and sends what a worker that stops still has.
pub(crate) async fn finish(worker: &Worker) {
    let observer = worker.observer.borrow_mut().take();
    if let Some(observer) = observer {
        observer.finish().await;
    }
    HERE.take();
}

/// Has `context`, which nobody is in, remember the current request, where that has a name: its handler goes on in it.
pub(crate) fn remember(context: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(trip) = trip::current() else { return Ok(()) };
    let (id, trace) = (trip.request_id(), trip.traceparent());
    if id.is_some() || trace.is_some() {
        let py = context.py();
        context.call_method1(intern!(py, "run"), (names::REMEMBER.get(py)?, id, trace))?;
    }
    Ok(())
}

/// What the request of this thread is called; none outside of one, or where nothing names requests.
#[pyfunction]
pub(crate) fn request_id() -> Option<String> {
    trip::current().and_then(|trip| trip.request_id())
}

/// The trace of this thread's request, for requests made on its behalf.
#[pyfunction]
pub(crate) fn traceparent() -> Option<String> {
    trip::current().and_then(|trip| trip.traceparent())
}

/// The numbers of all workers, as JSON text; none where nothing is observed.
#[pyfunction]
pub(crate) fn snapshot() -> Option<String> {
    HERE.with_borrow(|here| here.as_ref().map(|observer| observer.snapshot().to_string()))
}

/// Leaves a JSON object for the dashboard.
#[pyfunction]
pub(crate) fn note(json: String) {
    observe::leave(json);
}

/// A log whose lines Rust writes, from any thread.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct LogLines(Lines);

#[pymethods]
impl LogLines {
    /// Opens `stdout`, `stderr` or a file.
    #[new]
    fn new(target: &str) -> PyResult<Self> {
        Lines::open(target).map(Self).map_err(PyValueError::new_err)
    }

    /// Writes one line, which must not hold line breaks, at once.
    fn write(&self, line: &str) -> PyResult<()> {
        if line.contains('\n') {
            return Err(PyRuntimeError::new_err("a line of a log is one line"));
        }
        self.0.push(|out| out.extend_from_slice(line.as_bytes()));
        self.0.flush();
        Ok(())
    }
}

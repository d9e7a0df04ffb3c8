//! `plectrum.graphql`: graphs of an API, and who plans their shapes.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use plectrum_engine::endpoint::Endpoint;
use plectrum_engine::graphql::{
    Answer, Argument, Description, GraphQl, Kind, Origin, Plan, Planner, Refusal, Resolved, Source, Viewer,
};
use plectrum_graphql::RootField;
use plectrum_http::{Bytes, HeaderName};
use plectrum_schema::Schema;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::eventloop::{Pending, Step, SyncCall};
use crate::exceptions;
use crate::gate::{Access, Callbacks};
use crate::names;
use crate::operation;
use crate::request::Request;
use crate::settings::Settings;
use crate::stream::{self, Items};
use crate::uploads;
use crate::worker::Worker;

/// The graphs of one worker: routes of one graph share its endpoint, and so its caches.
#[derive(Default)]
pub(crate) struct Graphs(RefCell<HashMap<usize, Rc<dyn Endpoint>>>);

impl Graphs {
    /// The endpoint of graph `number`, made when it is first asked for.
    pub(crate) fn get(
        &self,
        py: Python<'_>,
        number: usize,
        description: &Description,
        planner: &Py<PyAny>,
        (worker, callbacks, settings): (&Rc<Worker>, &Arc<Callbacks>, &Settings),
    ) -> PyResult<Rc<dyn Endpoint>> {
        if let Some(known) = self.0.borrow().get(&number) {
            return Ok(Rc::clone(known));
        }
        let planner = PyPlanner {
            planner: planner.clone_ref(py),
            worker: Rc::clone(worker),
            callbacks: Arc::clone(callbacks),
        };
        let (sockets, origins) = settings.websocket();
        let made =
            GraphQl::new(description, Box::new(planner), sockets, origins).map_err(PyValueError::new_err)?;
        let made: Rc<dyn Endpoint> = Rc::new(made);
        self.0.borrow_mut().insert(number, Rc::clone(&made));
        Ok(made)
    }
}

/// `plectrum.graphql.planner.Planner`.
struct PyPlanner {
    planner: Py<PyAny>,
    worker: Rc<Worker>,
    callbacks: Arc<Callbacks>,
}

/// An argument as Python describes it.
#[derive(Deserialize)]
struct Described {
    name: String,
    schema: Box<RawValue>,
    #[serde(default)]
    text: bool,
    /// `header`, `subject`, `claim` or `unused`; otherwise the shape's value.
    #[serde(default)]
    origin: Option<String>,
    /// Of the header or the claim.
    #[serde(default)]
    key: String,
}

impl Planner for PyPlanner {
    fn plan(&self, shape: &str) -> Result<Plan, Refusal> {
        Python::attach(|py| self.ask(py, shape).map_err(|error| self.refusal(py, &error)))
    }

    fn resolve<'a>(
        &'a self,
        ty: &'a str,
        field: &'a str,
        parents: String,
        viewer: &'a Viewer,
    ) -> LocalBoxFuture<'a, Result<Vec<Resolved>, Refusal>> {
        Box::pin(async move {
            let result = match Python::attach(|py| self.begin_resolving(py, (ty, field), parents, viewer)) {
                Ok(begun) => begun.result().await,
                Err(error) => Err(error),
            };
            Python::attach(|py| {
                let text = result.and_then(|text| text.extract::<String>(py));
                let read = text.and_then(|text| serde_json::from_str(&text).map_err(|error| wrong(&error)));
                read.map_err(|error| self.refusal(py, &error))
            })
        })
    }

    fn call<'a>(
        &'a self,
        kind: Kind,
        field: &'a RootField,
        viewer: &'a Viewer,
    ) -> LocalBoxFuture<'a, Result<Answer, Refusal>> {
        Box::pin(async move {
            let result = match Python::attach(|py| self.begin(py, kind, field, viewer)) {
                Ok(begun) => begun.result().await,
                Err(error) => Err(error),
            };
            Python::attach(|py| {
                let text = result.and_then(|text| text.extract::<String>(py));
                Answer::parse(&text.map_err(|error| self.refusal(py, &error))?)
            })
        })
    }

    fn subscribe(&self, field: &RootField, viewer: &Viewer) -> Result<Source, Refusal> {
        Python::attach(|py| self.source(py, field, viewer).map_err(|error| self.refusal(py, &error)))
    }
}

impl PyPlanner {
    fn ask(&self, py: Python<'_>, shape: &str) -> PyResult<Plan> {
        let planned = self.planner.bind(py).call_method1("plan", (shape,))?;
        let (plan, arguments, alias, foreign, resolves): (Bound<'_, PyAny>, String, String, bool, bool) =
            planned.extract()?;
        let described: Vec<Described> = serde_json::from_str(&arguments).map_err(|error| wrong(&error))?;
        let (database, zones) = self.worker.databases.get(py, &alias, foreign)?;
        Ok(Plan {
            operation: operation::of(&plan)?,
            arguments: described.into_iter().map(argument).collect::<PyResult<_>>()?,
            database,
            zones,
            resolves,
            kept: Box::new(plan.unbind()),
        })
    }

    /// Calls the function that answers a root field.
    fn begin(&self, py: Python<'_>, kind: Kind, field: &RootField, viewer: &Viewer) -> PyResult<Begun> {
        let is_async = self.planner.bind(py).call_method1("is_async", (kind.name(), &field.name))?;
        let (shape, values, visit) = self.arguments(py, field, viewer)?;
        let arguments = (kind.name(), shape, values, visit).into_pyobject(py)?;
        self.start(py, is_async.is_truthy()?, ("call", "call_async"), &arguments)
    }

    /// Calls the function that gives a field of rows.
    fn begin_resolving(
        &self,
        py: Python<'_>,
        (ty, field): (&str, &str),
        parents: String,
        viewer: &Viewer,
    ) -> PyResult<Begun> {
        let is_async = self.planner.bind(py).call_method1("resolves_async", (ty, field))?;
        let arguments = (ty, field, parents, self.visit(py, viewer)?).into_pyobject(py)?;
        self.start(py, is_async.is_truthy()?, ("resolve", "resolve_async"), &arguments)
    }

    /// Calls one of two methods of the planner: here the one of coroutines, or where a test's transaction is on this
    /// thread; the other one on a thread of the pool.
    fn start(
        &self,
        py: Python<'_>,
        is_async: bool,
        (plain, asynchronous): (&str, &str),
        arguments: &Bound<'_, PyTuple>,
    ) -> PyResult<Begun> {
        let planner = self.planner.bind(py);
        if is_async {
            let coroutine = planner.getattr(asynchronous)?.call1(arguments)?;
            return Ok(match self.worker.event_loop.step(coroutine) {
                Step::Done(result, _) => Begun::Done(result),
                Step::Suspended(pending) => Begun::Suspended(pending),
            });
        }
        let function = planner.getattr(plain)?;
        if self.worker.in_process {
            let call = names::CALL_HERE.get(py)?;
            return Ok(Begun::Done(call.call1((function, arguments, py.None())).map(Bound::unbind)));
        }
        match self.worker.pool.call(&function, arguments, None)? {
            Ok(call) => Ok(Begun::Threaded(call)),
            Err(busy) => Err(PyRuntimeError::new_err(busy.to_string())),
        }
    }

    /// Shape, values, and who asks.
    fn arguments<'py>(
        &self,
        py: Python<'py>,
        field: &RootField,
        viewer: &Viewer,
    ) -> PyResult<(String, Vec<String>, Bound<'py, PyTuple>)> {
        let shape = String::from_utf8_lossy(&field.shape).into_owned();
        let values = field.values.iter().map(|json| String::from_utf8_lossy(json).into_owned()).collect();
        Ok((shape, values, self.visit(py, viewer)?))
    }

    /// Subject, claims as JSON text, headers; the request itself; what a WebSocket's client said of itself; files.
    fn visit<'py>(&self, py: Python<'py>, viewer: &Viewer) -> PyResult<Bound<'py, PyTuple>> {
        let identity = viewer.identity.as_deref();
        let subject = identity.and_then(|identity| identity.subject());
        let claims = identity.map_or(&[][..], |identity| identity.claims_json());
        let headers = PyDict::new(py);
        for (name, value) in &viewer.head.headers {
            if let Ok(text) = value.to_str() {
                headers.set_item(name.as_str(), text)?;
            }
        }
        let access = Access::new(py, viewer.identity.clone(), self.callbacks.loaders());
        let request = Request::of_head(viewer.head.clone(), access);
        let files = viewer.files.iter().map(|upload| uploads::received(py, upload));
        let files = files.collect::<PyResult<Vec<_>>>()?;
        let claims = String::from_utf8_lossy(claims);
        (subject, claims, headers, request, viewer.params.as_deref(), files).into_pyobject(py)
    }

    fn source(&self, py: Python<'_>, field: &RootField, viewer: &Viewer) -> PyResult<Source> {
        let source = self.planner.bind(py).call_method1("subscribe", self.arguments(py, field, viewer)?)?;
        if let Ok(watched) = source.extract::<String>() {
            return serde_json::from_str(&watched).map(Source::Changes).map_err(|error| wrong(&error));
        }
        let items = stream::items(&source, &self.worker, &field.name)?;
        Ok(Source::Function(lines(items).boxed_local()))
    }

    fn refusal(&self, py: Python<'_>, error: &PyErr) -> Refusal {
        match names::GRAPHQL_ERROR.get(py) {
            Ok(class) if error.is_instance(py, class) => Refusal::Input(error.value(py).to_string()),
            _ => {
                // Writes the log and tells what may be shown.
                let _ = exceptions::respond(py, error, "graphql", self.worker.debug);
                Refusal::Fault(self.worker.debug.then(|| error.to_string()))
            }
        }
    }
}

/// A call under way, or done.
enum Begun {
    Done(PyResult<Py<PyAny>>),
    Threaded(SyncCall),
    Suspended(Pending),
}

impl Begun {
    async fn result(self) -> PyResult<Py<PyAny>> {
        match self {
            Self::Done(result) => result,
            Self::Threaded(call) => call.await,
            Self::Suspended(pending) => pending.await,
        }
    }
}

/// Answers, one on each line of a stream.
fn lines(items: Items) -> impl Stream<Item = Result<Answer, Refusal>> {
    let state = (Some(items), VecDeque::<Bytes>::new());
    futures_util::stream::unfold(state, |(mut items, mut waiting)| async move {
        loop {
            if let Some(line) = waiting.pop_front() {
                return Some((Answer::parse(&String::from_utf8_lossy(&line)), (items, waiting)));
            }
            match poll_fn(|cx| items.as_mut().map_or(Poll::Ready(None), |items| items.as_mut().poll_next(cx)))
                .await
            {
                Some(Ok(bytes)) => waiting.extend(
                    bytes
                        .split(|byte| *byte == b'\n')
                        .filter(|line| !line.is_empty())
                        .map(|line| bytes.slice_ref(line)),
                ),
                // The reason is in the log.
                Some(Err(_)) => return Some((Err(Refusal::Fault(None)), (None, waiting))),
                None => return None,
            }
        }
    })
}

fn argument(described: Described) -> PyResult<Argument> {
    let schema = Schema::from_json(described.schema.get()).map_err(|error| wrong(&error))?;
    let origin = match described.origin.as_deref() {
        Some("header") => Origin::Header(HeaderName::try_from(described.key).map_err(|error| wrong(&error))?),
        Some("subject") => Origin::Subject,
        Some("claim") => Origin::Claim(described.key),
        Some("unused") => Origin::Unused,
        _ => Origin::Given,
    };
    Ok(Argument { name: described.name, schema: Arc::new(schema), text: described.text, origin })
}

fn wrong(error: &dyn std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Compiles a schema; what is wrong with it is Python's to say.
pub(crate) fn check(sdl: &str) -> PyResult<()> {
    plectrum_graphql::Graph::parse(sdl, false, true).map(drop).map_err(PyValueError::new_err)
}

/// Errors of a document against a schema, as the JSON list of a response.
pub(crate) fn validate(sdl: &str, document: &str) -> PyResult<String> {
    let graph = plectrum_graphql::Graph::parse(sdl, false, true).map_err(PyValueError::new_err)?;
    let limits = plectrum_graphql::Limits::default();
    let errors = plectrum_graphql::Document::compile(&graph, document, &limits).err().unwrap_or_default();
    let mut out = vec![b'{'];
    plectrum_graphql::error::write_errors(&mut out, &errors);
    out.push(b'}');
    Ok(String::from_utf8_lossy(&out).into_owned())
}

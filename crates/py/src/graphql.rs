//! `plectrum.graphql`: graphs of an API, and who plans their shapes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use plectrum_engine::endpoint::Endpoint;
use plectrum_engine::graphql::{
    Argument, Description, GraphQl, Origin, Plan, Planner, Refusal, Viewer, Written,
};
use plectrum_http::HeaderName;
use plectrum_schema::Schema;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::eventloop::SyncCall;
use crate::exceptions;
use crate::names;
use crate::operation;
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
        worker: &Rc<Worker>,
    ) -> PyResult<Rc<dyn Endpoint>> {
        if let Some(known) = self.0.borrow().get(&number) {
            return Ok(Rc::clone(known));
        }
        let planner = PyPlanner { planner: planner.clone_ref(py), worker: Rc::clone(worker) };
        let made = GraphQl::new(description, Box::new(planner)).map_err(PyValueError::new_err)?;
        let made: Rc<dyn Endpoint> = Rc::new(made);
        self.0.borrow_mut().insert(number, Rc::clone(&made));
        Ok(made)
    }
}

/// `plectrum.graphql.planner.Planner`.
struct PyPlanner {
    planner: Py<PyAny>,
    worker: Rc<Worker>,
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

    fn write<'a>(
        &'a self,
        shape: &'a str,
        values: &'a [Box<[u8]>],
        viewer: &'a Viewer,
    ) -> LocalBoxFuture<'a, Result<Written, Refusal>> {
        Box::pin(async move {
            let result = match Python::attach(|py| self.begin(py, shape, values, viewer)) {
                Ok(Begun::Done(result)) => Ok(result),
                Ok(Begun::Call(call)) => call.await,
                Err(error) => Err(error),
            };
            Python::attach(|py| {
                result.and_then(|value| written(value.bind(py))).map_err(|error| self.refusal(py, &error))
            })
        })
    }
}

impl PyPlanner {
    fn ask(&self, py: Python<'_>, shape: &str) -> PyResult<Plan> {
        let planned = self.planner.bind(py).call_method1("plan", (shape,))?;
        let (plan, arguments, alias, foreign): (Bound<'_, PyAny>, String, String, bool) =
            planned.extract()?;
        let described: Vec<Described> = serde_json::from_str(&arguments).map_err(|error| wrong(&error))?;
        let (database, zones) = self.worker.databases.get(py, &alias, foreign)?;
        Ok(Plan {
            operation: operation::of(&plan)?,
            arguments: described.into_iter().map(argument).collect::<PyResult<_>>()?,
            database,
            zones,
            kept: Box::new(plan.unbind()),
        })
    }

    /// Calls `Planner.write`: on a thread of the pool, or here where a test's transaction is on this one.
    fn begin(&self, py: Python<'_>, shape: &str, values: &[Box<[u8]>], viewer: &Viewer) -> PyResult<Begun> {
        let function = self.planner.bind(py).getattr("write")?;
        let values = values.iter().map(|json| String::from_utf8_lossy(json).into_owned()).collect::<Vec<_>>();
        let arguments = (shape, values, viewer_of(py, viewer)?).into_pyobject(py)?;
        if self.worker.in_process {
            let call = names::CALL_HERE.get(py)?;
            return Ok(Begun::Done(call.call1((function, arguments, py.None()))?.unbind()));
        }
        match self.worker.pool.call(&function, &arguments, None)? {
            Ok(call) => Ok(Begun::Call(call)),
            Err(busy) => Err(PyRuntimeError::new_err(busy.to_string())),
        }
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

/// A write under way, or done.
enum Begun {
    Done(Py<PyAny>),
    Call(SyncCall),
}

/// Subject, claims as JSON text, headers.
fn viewer_of<'py>(py: Python<'py>, viewer: &Viewer) -> PyResult<Bound<'py, PyTuple>> {
    let identity = viewer.identity.as_deref();
    let subject = identity.and_then(|identity| identity.subject.as_deref());
    let claims = identity.map_or(&[][..], |identity| identity.claims_json());
    let headers = PyDict::new(py);
    for (name, value) in &viewer.headers {
        if let Ok(text) = value.to_str() {
            headers.set_item(name.as_str(), text)?;
        }
    }
    (subject, String::from_utf8_lossy(claims), headers).into_pyobject(py)
}

/// `(shape, values)`, or the response's JSON.
fn written(result: &Bound<'_, PyAny>) -> PyResult<Written> {
    if let Ok(json) = result.extract::<String>() {
        return Ok(Written::Json(json.into_bytes()));
    }
    let (shape, values): (String, Vec<String>) = result.extract()?;
    Ok(Written::Shape(shape, values.into_iter().map(|json| json.into_bytes().into_boxed_slice()).collect()))
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

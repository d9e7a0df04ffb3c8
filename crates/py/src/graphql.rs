//! `plectrum.graphql`: graphs of an API, and who plans their shapes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use plectrum_engine::endpoint::Endpoint;
use plectrum_engine::graphql::{Argument, Description, GraphQl, Origin, Plan, Planner, Refusal};
use plectrum_http::HeaderName;
use plectrum_schema::Schema;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    /// `header`, `subject` or `claim`; otherwise the shape's value.
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

fn argument(described: Described) -> PyResult<Argument> {
    let schema = Schema::from_json(described.schema.get()).map_err(|error| wrong(&error))?;
    let origin = match described.origin.as_deref() {
        Some("header") => Origin::Header(HeaderName::try_from(described.key).map_err(|error| wrong(&error))?),
        Some("subject") => Origin::Subject,
        Some("claim") => Origin::Claim(described.key),
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

//! `Operation`: a compiled operation that Python can keep beside its own description.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use plectrum_db::zone::Zone;
use plectrum_db::{Backend, Context, Operation as Compiled, Outcome, buffer, execute};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::django::DjangoRows;
use crate::given::GivenRows;
use crate::names;
use crate::values;

/// A compiled operation; frozen and shared by all threads.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Operation(pub(crate) Arc<Compiled>);

#[pymethods]
impl Operation {
    /// Compiles a JSON description (`crates/db/src/plan.rs`); a mistake in it is ours, not the user's.
    #[new]
    fn new(description: &str) -> PyResult<Self> {
        let compiled =
            Compiled::from_json(description).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self(Arc::new(compiled)))
    }

    /// What `plectrum.bridge` knows the operation by.
    #[getter]
    fn number(&self) -> usize {
        number(&self.0)
    }

    /// Every statement's SQL: top statements and their children, query by query.
    #[getter]
    fn statements(&self) -> Vec<String> {
        self.0.statements().map(str::to_owned).collect()
    }

    /// The answer as JSON bytes, from rows that Django's connection gave: a list of tuples for each statement.
    ///
    /// `zone` is the IANA name of the time zone aware datetimes are shown in.
    fn write_rows<'py>(
        &self,
        py: Python<'py>,
        rows: Py<PyList>,
        arguments: Vec<Bound<'py, PyAny>>,
        zone: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let context = Context { zone: named(zone)?, ..Context::default() };
        let rows = DjangoRows::new(&self.0, rows).map_err(failed)?;
        self.written(py, &rows, &arguments, &context)
    }

    /// The answer as JSON bytes, from rows as Django's drivers hold them (see [`GivenRows`]), and how many there were.
    ///
    /// `zone` is the IANA name of the time zone aware datetimes are shown in, `session` of the one they are stored in.
    fn write_given<'py>(
        &self,
        py: Python<'py>,
        fetched: &Bound<'py, PyList>,
        arguments: Vec<Bound<'py, PyAny>>,
        zone: &str,
        session: &str,
    ) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let context = Context { zone: named(zone)?, session: named(session)?, ..Context::default() };
        let rows = GivenRows::new(&self.0, fetched)?;
        let written = self.written(py, &rows, &arguments, &context)?;
        Ok((written, rows.written()))
    }
}

impl Operation {
    fn written<'py>(
        &self,
        py: Python<'py>,
        rows: &impl Backend,
        arguments: &[Bound<'py, PyAny>],
        context: &Context,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let arguments = arguments.iter().map(values::from_python).collect::<PyResult<Vec<_>>>()?;
        // Nothing is waited for where the rows are there already: one poll is the whole of it.
        let writing = pin!(execute(rows, &self.0, &arguments, context, buffer::take()));
        match writing.poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Outcome::Found(bytes))) => {
                let written = PyBytes::new(py, &bytes);
                buffer::give(bytes);
                Ok(written)
            }
            Poll::Ready(Ok(Outcome::NotFound)) => Ok(PyBytes::new(py, b"null")),
            Poll::Ready(Err(error)) => Err(failed(error)),
            Poll::Pending => Err(PyRuntimeError::new_err("Rows that are there were waited for.")),
        }
    }
}

fn named(zone: &str) -> PyResult<Zone> {
    Zone::named(zone).map_err(|error| PyValueError::new_err(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn failed(error: plectrum_db::error::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What Python knows an operation by.
pub(crate) fn number(operation: &Arc<Compiled>) -> usize {
    Arc::as_ptr(operation) as usize
}

/// The compiled form of a `plectrum.orm.Operation`, made once.
pub(crate) fn of(operation: &Bound<'_, PyAny>) -> PyResult<Arc<Compiled>> {
    let compiled = names::COMPILED.get(operation.py())?.call1((operation,))?;
    Ok(Arc::clone(&compiled.cast::<Operation>()?.get().0))
}

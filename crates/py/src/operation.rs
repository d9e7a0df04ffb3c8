//! `Operation`: a compiled operation that Python can keep beside its own description.

use std::sync::Arc;

use plectrum_db::Operation as Compiled;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::names;

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

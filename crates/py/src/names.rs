//! Python names the binding needs, imported the first time each is used.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

/// A Python object found by module and attribute, once.
pub(crate) struct Name {
    module: &'static str,
    attribute: &'static str,
    found: PyOnceLock<Py<PyAny>>,
}

impl Name {
    const fn new(module: &'static str, attribute: &'static str) -> Self {
        Self { module, attribute, found: PyOnceLock::new() }
    }

    /// The object, imported where that has not happened yet.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let found = self.found.get_or_try_init(py, || {
            let module = py.import(self.module)?;
            module.getattr(PyString::new(py, self.attribute)).map(Bound::unbind)
        })?;
        Ok(found.bind(py))
    }
}

/// `decimal.Decimal`
pub(crate) static DECIMAL: Name = Name::new("decimal", "Decimal");
/// `uuid.UUID`
pub(crate) static UUID: Name = Name::new("uuid", "UUID");
/// `enum.Enum`
pub(crate) static ENUM: Name = Name::new("enum", "Enum");
/// `collections.abc.Mapping`
pub(crate) static MAPPING: Name = Name::new("collections.abc", "Mapping");
/// `collections.abc.Iterable`
pub(crate) static ITERABLE: Name = Name::new("collections.abc", "Iterable");
/// How an unusual class becomes JSON; see `plectrum/encoding.py`.
pub(crate) static CLASSIFY: Name = Name::new("plectrum.encoding", "classify");
/// Turns a query result into an operation and its arguments.
pub(crate) static PLAN_RESULT: Name = Name::new("plectrum.bridge", "plan_result");
/// Turns an exception into a response's parts.
pub(crate) static DESCRIBE_EXCEPTION: Name = Name::new("plectrum.bridge", "describe_exception");
/// Runs an operation on Django's own connection.
pub(crate) static RUN_ON_DJANGO: Name = Name::new("plectrum.bridge", "run_on_django");

//! `Invalidator`: tells caches what has changed.

use std::path::PathBuf;

use plectrum_engine::cache::tags;
use pyo3::exceptions::{PyConnectionError, PyValueError};
use pyo3::prelude::*;

/// Tells the caches of this server, or of all that share a Redis, what has changed; from any thread.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Invalidator(tags::Invalidator);

#[pymethods]
impl Invalidator {
    /// `tags` is the file of the server's workers, `redis` an address, `prefix` stands before keys there.
    #[new]
    fn new(tags: Option<PathBuf>, redis: Option<&str>, prefix: &str) -> PyResult<Self> {
        tags::Invalidator::new(tags.as_deref(), redis, prefix).map(Self).map_err(PyValueError::new_err)
    }

    /// Answers made of these are not given any more. Raises `ConnectionError` where Redis could not be told.
    fn changed(&self, py: Python<'_>, names: Vec<String>) -> PyResult<()> {
        py.detach(|| self.0.changed(&names)).map_err(PyConnectionError::new_err)
    }
}

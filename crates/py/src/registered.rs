//! What is known of a Python handler since registration; shared by all threads.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::names;
use crate::sink::Default;

/// What is known of a handler since registration; shared by all threads.
pub(crate) struct Registered {
    /// Function and what it is called with.
    pub(crate) function: Py<PyAny>,
    /// One per argument: what stands in for an absent one.
    pub(crate) defaults: Vec<Option<Default>>,
    /// Names of the keyword-only arguments, which come last.
    pub(crate) keywords: Option<Py<PyTuple>>,
    /// What loads the users of each authentication scheme.
    pub(crate) loaders: Py<PyAny>,
    /// Runs in the thread pool.
    pub(crate) sync: bool,
    /// The function stands around an endpoint of Rust's.
    pub(crate) chained: bool,
    /// What writes results by the return annotation, and what checks them as well; none where any JSON will do.
    pub(crate) output: Option<Output>,
    /// The evaluated return annotation, for query results.
    pub(crate) returns: Py<PyAny>,
}

impl Registered {
    /// Reads `plectrum.api.CompiledRoute`.
    pub(crate) fn extract(route: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut defaults = Vec::new();
        for parameter in route.getattr("parameters")?.try_iter()? {
            defaults.push(default_of(&parameter?)?);
        }
        let keywords = route.getattr("keywords")?;
        Ok(Self {
            function: route.getattr("call")?.unbind(),
            defaults,
            keywords: if keywords.is_empty()? {
                None
            } else {
                Some(keywords.cast_into::<PyTuple>()?.unbind())
            },
            loaders: route.getattr("loaders")?.unbind(),
            sync: route.getattr("in_pool")?.extract()?,
            chained: route.getattr("chained")?.extract()?,
            output: Output::extract(&route.getattr("output")?)?,
            returns: route.getattr("returns")?.getattr("annotation")?.unbind(),
        })
    }
}

/// Methods of `plectrum.output.Output`: a result → its JSON.
pub(crate) struct Output {
    write: Py<PyAny>,
    check: Py<PyAny>,
}

impl Output {
    fn extract(output: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        if output.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { write: output.getattr("write")?.unbind(), check: output.getattr("check")?.unbind() }))
    }

    /// JSON of a result, checked where `debug`.
    pub(crate) fn json<'py>(&self, value: &Bound<'py, PyAny>, debug: bool) -> PyResult<Bound<'py, PyBytes>> {
        let method = if debug { &self.check } else { &self.write };
        Ok(method.bind(value.py()).call1((value,))?.cast_into::<PyBytes>()?)
    }
}

impl Registered {
    /// Where the user wrote it, as `file:line`.
    pub(crate) fn line(&self, py: Python<'_>) -> PyResult<String> {
        names::LINE_OF.get(py)?.call1((&self.function,))?.extract()
    }
}

fn default_of(parameter: &Bound<'_, PyAny>) -> PyResult<Option<Default>> {
    if parameter.getattr("required")?.extract()? {
        return Ok(None);
    }
    Ok(Some(Default::of(parameter.getattr("default")?, parameter.getattr("factory")?)))
}

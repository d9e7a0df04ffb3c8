//! What DRF makes of the exceptions of validation.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::names;

/// An exception, by how `to_internal_value` handles it.
pub(super) enum Failure {
    /// DRF's `ValidationError`.
    Rest(PyErr),
    /// Django's.
    Django(PyErr),
    /// `SkipField`.
    Skip(PyErr),
    /// Anything else is not validation's business.
    Other(PyErr),
}

impl Failure {
    pub(super) fn of(error: PyErr, py: Python<'_>) -> PyResult<Self> {
        Ok(if error.is_instance(py, names::VALIDATION_ERROR.get(py)?) {
            Self::Rest(error)
        } else if error.is_instance(py, names::DJANGO_VALIDATION_ERROR.get(py)?) {
            Self::Django(error)
        } else if error.is_instance(py, names::SKIP_FIELD.get(py)?) {
            Self::Skip(error)
        } else {
            Self::Other(error)
        })
    }
}

/// The errors of a record's fields or of a field's items, by name or position.
#[derive(Default)]
pub(super) struct Errors<'py>(Option<Bound<'py, PyDict>>);

impl<'py> Errors<'py> {
    /// Notes an error of `key`.
    ///
    /// # Errors
    /// The exception itself, where it is no validation error.
    pub(super) fn add(
        &mut self,
        key: impl IntoPyObject<'py>,
        failure: Failure,
        py: Python<'py>,
    ) -> PyResult<()> {
        let detail = match failure {
            Failure::Rest(error) => error.value(py).getattr(intern!(py, "detail"))?,
            Failure::Django(error) => names::GET_ERROR_DETAIL.get(py)?.call1((error.value(py),))?,
            Failure::Skip(error) | Failure::Other(error) => return Err(error),
        };
        self.0.get_or_insert_with(|| PyDict::new(py)).set_item(key, detail)
    }

    /// The errors so far, to go on with elsewhere.
    pub(super) fn take(&mut self) -> Option<Bound<'py, PyDict>> {
        self.0.take()
    }

    /// `ValidationError(errors)`, where there are any.
    pub(super) fn raise(self, py: Python<'py>) -> PyResult<()> {
        match self.0 {
            Some(errors) => Err(PyErr::from_value(names::VALIDATION_ERROR.get(py)?.call1((errors,))?)),
            None => Ok(()),
        }
    }
}

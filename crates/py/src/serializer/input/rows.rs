//! `ListSerializer.to_internal_value` without a Python frame of its own: DRF's deprecation warning counts frames to name
//! the caller's line.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};

use crate::names;

/// Set as a class's attribute it is a method.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct InternalRows;

#[pymethods]
impl InternalRows {
    #[new]
    fn new() -> Self {
        Self
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if instance.is_none() {
            return Ok(slf.clone().into_any());
        }
        names::PARTIAL.get(slf.py())?.call1((slf, instance))
    }

    /// `to_internal_value(serializer, data)`.
    #[pyo3(signature = (*args))]
    fn __call__<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let (py, Ok((serializer, data))) =
            (args.py(), args.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>())
        else {
            return Err(PyTypeError::new_err("to_internal_value takes the serializer and its data"));
        };
        let found = names::VALIDATE_ROWS.get(py)?.call1((&serializer, &data))?;
        let Ok(replays) = found.cast::<PyBool>() else { return Ok(found) };
        let result = names::INTERNAL_LIST.get(py)?.call1((&serializer, data));
        if replays.is_true() {
            serializer.delattr(intern!(py, "run_child_validation"))?;
        }
        result
    }
}

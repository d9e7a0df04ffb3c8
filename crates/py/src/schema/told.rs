//! Validation errors as Python's exception.

use plectrum_schema::Error;
use plectrum_schema::error::{Param, Step};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::names;

/// `error` of the value at `index`.
pub(super) fn at(index: usize, mut error: Error) -> Error {
    error.loc.insert(0, Step::Index(index));
    error
}

/// `plectrum.schema.InvalidError` with every error.
#[cold]
pub(super) fn exception(py: Python<'_>, errors: &[Error]) -> PyErr {
    match described(py, errors).and_then(|errors| names::INVALID.get(py)?.call1((errors,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// What a constructor raised: Python's own limits (the digits of an int, the days of a timedelta) are the input's fault.
#[cold]
pub(super) fn raised(py: Python<'_>, raised: PyErr) -> PyErr {
    if raised.is_instance_of::<PyOverflowError>(py) || raised.is_instance_of::<PyValueError>(py) {
        return exception(py, &[Error::new("value_error", raised.value(py).to_string())]);
    }
    raised
}

/// `[(loc, code, message, params), …]`
fn described<'py>(py: Python<'py>, errors: &[Error]) -> PyResult<Bound<'py, PyList>> {
    let told = errors.iter().map(|error| {
        let loc = error.loc.iter().map(|step| match step {
            Step::Key(key) => Ok(PyString::new(py, key).into_any()),
            Step::Index(index) => index.into_pyobject(py).map(Bound::into_any).map_err(PyErr::from),
        });
        let loc = PyTuple::new(py, loc.collect::<PyResult<Vec<_>>>()?)?;
        let params = PyDict::new(py);
        for (name, value) in &error.params {
            match value {
                Param::Count(count) => params.set_item(name, count)?,
                Param::Text(text) => params.set_item(name, text.as_ref())?,
            }
        }
        (loc, error.code.as_ref(), error.message.as_ref(), params).into_pyobject(py)
    });
    PyList::new(py, told.collect::<PyResult<Vec<_>>>()?)
}

//! What a class's own checks found, in our terms.

use plectrum_schema::error::{Error, Step};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What checks gave: the value, and `[(code, message), …]`.
pub(super) fn checked<'py>(found: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Vec<Error>)> {
    let (value, errors): (Bound<'py, PyAny>, Vec<(String, String)>) = found.extract()?;
    Ok((value, errors.into_iter().map(|(code, message)| Error::new(code, message)).collect()))
}

/// A pydantic `ValidationError` in our own terms; anything else is an error of this function.
pub(super) fn foreign_errors(py: Python<'_>, error: &PyErr) -> PyResult<Vec<Error>> {
    let options = PyDict::new(py);
    for name in ["include_url", "include_context", "include_input"] {
        options.set_item(name, false)?;
    }
    let items = error.value(py).call_method("errors", (), Some(&options))?;
    items.try_iter()?.map(|item| foreign_error(&item?)).collect()
}

fn foreign_error(item: &Bound<'_, PyAny>) -> PyResult<Error> {
    let mut loc = Vec::new();
    for step in item.get_item("loc")?.try_iter()? {
        let step = step?;
        loc.push(match step.extract::<usize>() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(step.str()?.to_string().into()),
        });
    }
    let mut error =
        Error::new(item.get_item("type")?.extract::<String>()?, item.get_item("msg")?.extract::<String>()?);
    error.loc = loc;
    Ok(error)
}

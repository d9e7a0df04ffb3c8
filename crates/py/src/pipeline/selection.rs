//! Selections as Python writes them: paths, and mappings from a field to what is selected inside of it.

use plectrum_json::pipeline::{MAX_DEPTH, Selection, SelectionError};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyString};

/// The tree of a sequence of paths and mappings.
pub(super) fn of(items: &Bound<'_, PyAny>) -> PyResult<Selection> {
    let selection = inside(items, 0)?;
    if selection.is_empty() {
        return Err(PyValueError::new_err("The selection is empty; GraphQL has no object without fields."));
    }
    Ok(selection)
}

fn inside(items: &Bound<'_, PyAny>, depth: usize) -> PyResult<Selection> {
    if depth == MAX_DEPTH {
        return Err(refused(&SelectionError::Deep));
    }
    if items.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("A selection is a sequence of paths and mappings, not one str."));
    }
    let mut selection = Selection::default();
    for item in items.try_iter()? {
        let item = item?;
        if let Ok(path) = item.cast::<PyString>() {
            selection.add(path.to_str()?).map_err(|error| refused(&error))?;
        } else if let Ok(mapping) = item.cast::<PyMapping>() {
            for pair in mapping.items()? {
                let (name, inner): (String, Bound<'_, PyAny>) = pair.extract()?;
                selection.add_inside(&name, inside(&inner, depth + 1)?).map_err(|error| refused(&error))?;
            }
        } else {
            let kind = item.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "A selection holds paths (str) and mappings, not {kind}."
            )));
        }
    }
    Ok(selection)
}

/// The error as a sentence.
fn refused(error: &SelectionError) -> PyErr {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    PyValueError::new_err(format!("{}{}.", first.map(String::from).unwrap_or_default(), letters.as_str()))
}

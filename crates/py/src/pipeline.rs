//! `plectrum.pipeline`: JSON rows → the bytes of a GraphQL response.

mod bytes;
mod registry;
mod selection;

use plectrum_json::pipeline::{Fault, Of, Rows, Types, Writer};
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

pub(crate) use bytes::RustResponseBytes;
pub(crate) use registry::TypeRegistry;

use crate::names;

/// Bytes set aside besides the rows: per row for its type's name, and for what stands around all of them.
const PER_ROW: usize = 32;
const AROUND: usize = 64;

/// One field of a response.
#[derive(FromPyObject)]
pub(crate) struct Field<'py> {
    name: String,
    /// A sequence of rows, or one row.
    rows: Bound<'py, PyAny>,
    type_name: Option<String>,
    select: Option<Bound<'py, PyAny>>,
    many: bool,
    always_typename: bool,
}

/// The response that holds `fields`, in their order.
pub(crate) fn build<'py>(
    py: Python<'py>,
    fields: &[Field<'py>],
    registry: &TypeRegistry,
) -> PyResult<Bound<'py, PyBytes>> {
    let given = fields.iter().map(Given::of).collect::<PyResult<Vec<_>>>()?;
    let texts = given.iter().map(Given::texts).collect::<PyResult<Vec<_>>>()?;
    let size = texts.iter().flatten().map(|text| text.map_or(0, str::len) + PER_ROW).sum::<usize>();
    let types = registry.types();
    let mut writer = Writer::with_capacity(size + AROUND * (fields.len() + 1));
    for (given, texts) in given.iter().zip(&texts) {
        given.write(py, &types, texts, &mut writer)?;
    }
    Ok(PyBytes::new(py, &writer.finish()))
}

/// A field whose rows have been taken out of their sequence, so that nobody changes it meanwhile.
struct Given<'a, 'py> {
    field: &'a Field<'py>,
    rows: Vec<Bound<'py, PyAny>>,
}

impl<'a, 'py> Given<'a, 'py> {
    fn of(field: &'a Field<'py>) -> PyResult<Self> {
        if !field.many {
            return Ok(Self { field, rows: vec![field.rows.clone()] });
        }
        if field.rows.is_instance_of::<PyString>() || field.rows.is_instance_of::<PyBytes>() {
            let message = format!("The rows of \"{}\" are one text, not a list of texts.", field.name);
            return Err(PyTypeError::new_err(message));
        }
        Ok(Self { field, rows: field.rows.try_iter()?.collect::<PyResult<_>>()? })
    }

    /// The text of each row, `None` where it is SQL's NULL.
    fn texts(&self) -> PyResult<Vec<Option<&str>>> {
        let text = |(index, row)| self.text(index, row);
        self.rows.iter().enumerate().map(text).collect()
    }

    fn text<'b>(&self, index: usize, row: &'b Bound<'py, PyAny>) -> PyResult<Option<&'b str>> {
        if let Ok(text) = row.cast::<PyString>() {
            return text.to_str().map(Some).map_err(|error| self.surrogate(row.py(), index, error));
        }
        if let Ok(bytes) = row.cast::<PyBytes>() {
            let text = Rows::text(bytes.as_bytes());
            return text.map(Some).map_err(|fault| self.invalid(row.py(), index, fault.at, fault.what));
        }
        if row.is_none() {
            return Ok(None);
        }
        let (name, kind) = (&self.field.name, row.get_type().name()?);
        let message = format!("Row {index} of \"{name}\" is {kind}, not JSON text (str or bytes) or None.");
        Err(PyTypeError::new_err(message))
    }

    fn write(
        &self,
        py: Python<'py>,
        types: &Types,
        texts: &[Option<&str>],
        writer: &mut Writer,
    ) -> PyResult<()> {
        let of = self.field.type_name.as_deref().map_or(Of::Any, Of::parse);
        let select = self.field.select.as_ref().map(selection::of).transpose()?;
        let mut rows = Rows::new(types, of, select, self.field.always_typename);
        let name = self.field.name.as_str();
        if !self.field.many {
            let [Some(text)] = texts else {
                writer.null(name);
                return Ok(());
            };
            return writer.single(name, &mut rows, text).map_err(|fault| self.fault(py, 0, text, fault));
        }
        let mut list = writer.list(name);
        for (index, text) in texts.iter().enumerate() {
            match text {
                Some(text) => {
                    list.row(&mut rows, text).map_err(|fault| self.fault(py, index, text, fault))?;
                }
                None => list.null(),
            }
        }
        list.end();
        Ok(())
    }

    /// The position is what Python counts: characters of a `str`, bytes of `bytes`.
    fn fault(&self, py: Python<'_>, index: usize, text: &str, fault: Fault) -> PyErr {
        let of_str = self.rows.get(index).is_some_and(|row| row.is_instance_of::<PyString>());
        let before = text.get(..fault.at).filter(|_| of_str);
        self.invalid(py, index, before.map_or(fault.at, |before| before.chars().count()), fault.what)
    }

    fn surrogate(&self, py: Python<'_>, index: usize, error: PyErr) -> PyErr {
        if !error.is_instance_of::<PyUnicodeEncodeError>(py) {
            return error;
        }
        let at = error.value(py).getattr("start").and_then(|start| start.extract()).unwrap_or_default();
        self.invalid(py, index, at, "lone surrogate")
    }

    fn invalid(&self, py: Python<'_>, index: usize, position: usize, what: &str) -> PyErr {
        let row = self.field.many.then_some(index);
        let class = names::INVALID_ROW.get(py);
        match class.and_then(|class| class.call1((self.field.name.as_str(), row, position, what))) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }
}

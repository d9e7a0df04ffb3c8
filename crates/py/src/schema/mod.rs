//! `Validator`: a compiled type that validates and writes values outside of any route.
//!
//! * [`input`]: Python values as the schema walk sees them;
//! * [`shape`]: how values of the type are written as JSON;
//! * [`told`]: validation errors as Python's exception.

mod dump;
mod input;
mod shape;
mod told;

use plectrum_schema::{Error, Schema, describe, validate_json, validate_value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyString, PyTuple};

use crate::sink::{Class, PySink};
use dump::Dump;
use input::PyInput;
use shape::Shapes;

/// A compiled type; frozen and shared by all threads.
#[pyclass(frozen, subclass, generic, module = "plectrum._core")]
pub(crate) struct Validator {
    schema: Schema,
    classes: Box<[Class]>,
    shapes: Shapes,
}

#[pymethods]
impl Validator {
    /// Compiles a description (`plectrum.nodes`) and the classes it numbers.
    #[new]
    fn new(py: Python<'_>, description: &str, classes: &Bound<'_, PyAny>) -> PyResult<Self> {
        let schema =
            Schema::from_json(description).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let entries = classes.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        let shapes = Shapes::new(py, &schema, &entries)?;
        let classes = entries.iter().map(Class::extract).collect::<PyResult<_>>()?;
        Ok(Self { schema, classes, shapes })
    }

    /// Validates a JSON document.
    fn validate_json<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let mut sink = PySink::new(data.py(), &self.classes);
        let outcome = with_bytes(data, |bytes| validate_json(&self.schema, bytes, &mut sink))?;
        settle(outcome, sink)
    }

    /// Validates a Python value.
    fn validate<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let mut sink = PySink::new(data.py(), &self.classes);
        let outcome = validate_value(&self.schema, &PyInput(data.clone()), &mut sink);
        settle(outcome, sink)
    }

    /// Validates every value of an iterable; errors of all are told, located by position.
    fn validate_many<'py>(&self, rows: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = rows.py();
        let mut sink = PySink::new(py, &self.classes);
        let (mut built, mut errors) = (Vec::new(), Vec::new());
        for (index, row) in rows.try_iter()?.enumerate() {
            match validate_value(&self.schema, &PyInput(row?), &mut sink) {
                Ok(value) => built.push(value),
                Err(found) => errors.extend(found.into_iter().map(|error| told::at(index, error))),
            }
        }
        if let Some(raised) = sink.raised.take() {
            return Err(told::raised(py, raised));
        }
        if errors.is_empty() { PyList::new(py, built) } else { Err(told::exception(py, &errors)) }
    }

    /// A value of the type as JSON bytes.
    fn dump<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut dump = Dump::new(value.py(), &self.shapes);
        dump.root(value)?;
        Ok(dump.finish())
    }

    /// Values of the type as a JSON array.
    fn dump_many<'py>(&self, values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut dump = Dump::new(values.py(), &self.shapes);
        dump.many(values)?;
        Ok(dump.finish())
    }

    /// Rows, as `QuerySet.values_list` gives them, as a JSON array of objects; `columns` names their fields.
    fn dump_rows<'py>(
        &self,
        rows: &Bound<'py, PyAny>,
        columns: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut dump = Dump::new(rows.py(), &self.shapes);
        dump.rows(rows, columns)?;
        Ok(dump.finish())
    }

    /// JSON bytes as plain Python values: dicts, lists and scalars.
    #[staticmethod]
    fn load<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let mut sink = PySink::new(data.py(), &[]);
        let outcome = with_bytes(data, |bytes| validate_json(&Schema::any(), bytes, &mut sink))?;
        settle(outcome, sink)
    }

    /// JSON Schema 2020-12 as JSON text, references beginning with `prefix`: the schema, and the definitions it refers to.
    fn describe(&self, prefix: &str) -> (String, String) {
        let described = describe(&self.schema, prefix);
        let definitions = serde_json::Value::Object(described.definitions);
        (described.schema.to_string(), definitions.to_string())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.classes.iter().try_for_each(|class| class.traverse(&visit))
    }
}

/// What came out, or the exception that says why nothing did.
fn settle<'py>(
    outcome: Result<Bound<'py, PyAny>, Vec<Error>>,
    sink: PySink<'py, '_>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = sink.py();
    match (sink.raised, outcome) {
        (Some(raised), _) => Err(told::raised(py, raised)),
        (None, Ok(value)) => Ok(value),
        (None, Err(errors)) => Err(told::exception(py, &errors)),
    }
}

/// Hands on the bytes of `bytes`, `bytearray`, `memoryview` or text.
fn with_bytes<R>(data: &Bound<'_, PyAny>, read: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(read(bytes.as_bytes()));
    }
    if let Ok(text) = data.cast::<PyString>() {
        return Ok(read(text.to_str()?.as_bytes()));
    }
    if data.is_instance_of::<PyByteArray>() || data.get_type().name()? == "memoryview" {
        let copy = data.py().get_type::<PyBytes>().call1((data,))?;
        return Ok(read(copy.cast::<PyBytes>()?.as_bytes()));
    }
    let found = data.get_type().name()?;
    Err(PyTypeError::new_err(format!("JSON is read from bytes, bytearray, memoryview or str, not {found}.")))
}

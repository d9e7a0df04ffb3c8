//! Python values as the schema walk sees them.

use plectrum_schema::value::View;
use plectrum_schema::{Error, Input};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList,
    PyMapping, PySet, PyString, PyTime, PyTuple,
};

use crate::names;
use crate::sink::PySink;

/// A Python value to be validated.
pub(crate) struct PyInput<'py>(pub(crate) Bound<'py, PyAny>);

impl<'py> Input<PySink<'py, '_>> for PyInput<'py> {
    fn view(&self) -> View<'_> {
        let value = &self.0;
        if let Ok(text) = value.cast::<PyString>() {
            return text.to_str().map_or(View::BrokenStr, View::Str);
        }
        if value.is_exact_instance_of::<PyDict>() {
            return View::Object;
        }
        if value.is_none() {
            return View::Null;
        }
        if let Ok(value) = value.cast_exact::<PyBool>() {
            return View::Bool(value.is_true());
        }
        if let Ok(int) = value.cast::<PyInt>() {
            return int.extract::<i64>().map_or_else(|_| big(int), View::Int);
        }
        if let Ok(float) = value.cast::<PyFloat>() {
            return View::Float(float.value());
        }
        if value.is_exact_instance_of::<PyList>() {
            return View::List;
        }
        unusual(value)
    }

    fn keep(&self) -> Bound<'py, PyAny> {
        self.0.clone()
    }

    fn items(&self) -> Vec<Self> {
        if let Ok(list) = self.0.cast_exact::<PyList>() {
            return list.iter().map(PyInput).collect();
        }
        let items = self.0.try_iter().map(|items| items.filter_map(Result::ok).map(PyInput).collect());
        items.unwrap_or_default()
    }

    fn entries(&self) -> Vec<(Self, Self)> {
        let pair = |(key, value)| (PyInput(key), PyInput(value));
        if let Ok(dict) = self.0.cast_exact::<PyDict>() {
            return dict.iter().map(pair).collect();
        }
        // Subclasses say themselves what they hold: a QueryDict gives the last value of each key.
        let items = self.0.call_method0("items").and_then(|items| {
            items.try_iter()?.map(|item| item?.extract().map(pair)).collect::<PyResult<Vec<_>>>()
        });
        items.unwrap_or_default()
    }

    fn is_instance(&self, sink: &PySink<'py, '_>, class: u32) -> bool {
        sink.class(class).is_some_and(|class| class.has_instance(&self.0))
    }

    fn foreign(&self, sink: &mut PySink<'py, '_>, class: u32) -> Result<Bound<'py, PyAny>, Vec<Error>> {
        sink.foreign_value(class, &self.0)
    }
}

/// An integer past 64 bits; its digits are those of `int`, whatever a subclass prints.
fn big<'v>(int: &Bound<'_, PyInt>) -> View<'v> {
    let digits = int.py().get_type::<PyInt>().call_method1("__repr__", (int,));
    digits.map_or(View::Other, |digits| View::BigInt(digits.to_string()))
}

/// What is not of JSON's own types.
fn unusual<'v>(value: &'v Bound<'_, PyAny>) -> View<'v> {
    let py = value.py();
    let is = |name: &names::Name| name.get(py).is_ok_and(|class| value.is_instance(class).unwrap_or(false));
    if value.is_instance_of::<PyDateTime>() {
        View::Datetime
    } else if value.is_instance_of::<PyDate>() {
        View::Date
    } else if value.is_instance_of::<PyTime>() {
        View::Time
    } else if value.is_instance_of::<PyDelta>() {
        View::Duration
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        View::Bytes(bytes.as_bytes())
    } else if is_sequence(value) {
        View::List
    } else if is(&names::DECIMAL) {
        View::Decimal(value.to_string())
    } else if is(&names::UUID) {
        View::Uuid
    } else if value.cast::<PyMapping>().is_ok() {
        View::Object
    } else {
        View::Other
    }
}

fn is_sequence(value: &Bound<'_, PyAny>) -> bool {
    !value.is_instance_of::<PyByteArray>()
        && (value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PyList>()
            || value.is_instance_of::<PySet>()
            || value.is_instance_of::<PyFrozenSet>())
}

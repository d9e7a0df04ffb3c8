//! Validated values → Python objects.
//!
//! * [`class`]: the classes it builds; [`build`]: how; [`refused`]: what a class itself refuses.

mod build;
mod class;
mod refused;

use plectrum_http::form::Upload;
use plectrum_schema::error::Error;
use plectrum_schema::node::{Container, Struct};
use plectrum_schema::sink::{Date, Sink, Time};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyTime,
    PyTuple, PyTzInfo,
};

pub(crate) use build::vectorcall;
pub(crate) use class::{Class, Default};
use refused::{checked, foreign_errors};

use crate::names;
use crate::uploads;
use crate::uuids;

/// Builds Python objects for one request.
pub(crate) struct PySink<'py, 'c> {
    py: Python<'py>,
    classes: &'c [Class],
    /// Files of the request's form.
    pub(crate) uploads: &'c [(String, Upload)],
    /// An exception that is the application's own fault rather than the input's.
    pub(crate) raised: Option<PyErr>,
}

impl<'py, 'c> PySink<'py, 'c> {
    pub(crate) fn new(py: Python<'py>, classes: &'c [Class]) -> Self {
        Self { py, classes, uploads: &[], raised: None }
    }

    pub(crate) fn py(&self) -> Python<'py> {
        self.py
    }

    pub(crate) fn class(&self, class: u32) -> Option<&'c Class> {
        self.classes.get(class as usize)
    }

    /// A Python value for a class that validates by itself.
    pub(crate) fn foreign_value(
        &mut self,
        class: u32,
        value: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>, Vec<Error>> {
        let Some(Class::Foreign { from_value, .. }) = self.class(class) else {
            return Err(vec![Error::new("error", "not a foreign class")]);
        };
        let built = from_value.bind(self.py).call1((value,));
        built.map_err(|error| foreign_errors(self.py, &error).unwrap_or_else(|_| self.refused(error)))
    }

    /// A constructor's result; what it could not build becomes `None` and is remembered.
    fn built<T>(&mut self, result: PyResult<Bound<'py, T>>) -> Bound<'py, PyAny> {
        match result {
            Ok(value) => value.into_any(),
            Err(error) => {
                self.raised.get_or_insert(error);
                self.py.None().into_bound(self.py)
            }
        }
    }

    /// `ValueError` and `TypeError` from a class's own checks are the input's fault, anything else the application's.
    fn refused(&mut self, error: PyErr) -> Vec<Error> {
        if error.is_instance_of::<PyValueError>(self.py) || error.is_instance_of::<PyTypeError>(self.py) {
            return vec![Error::new("value_error", error.value(self.py).to_string())];
        }
        self.raised.get_or_insert(error);
        vec![Error::new("error", "")]
    }

    fn time_of(&mut self, time: Time) -> PyResult<Option<Bound<'py, PyTzInfo>>> {
        time.offset.map(|seconds| build::zone(self.py, seconds)).transpose()
    }
}

impl<'py> Sink for PySink<'py, '_> {
    type Value = Bound<'py, PyAny>;

    fn null(&mut self) -> Self::Value {
        self.py.None().into_bound(self.py)
    }

    fn bool(&mut self, value: bool) -> Self::Value {
        PyBool::new(self.py, value).to_owned().into_any()
    }

    fn int(&mut self, value: i64) -> Self::Value {
        PyInt::new(self.py, value).into_any()
    }

    fn big_int(&mut self, digits: &str) -> Self::Value {
        let built = self.py.get_type::<PyInt>().call1((digits,));
        self.built(built)
    }

    fn float(&mut self, value: f64) -> Self::Value {
        PyFloat::new(self.py, value).into_any()
    }

    fn str(&mut self, value: &str) -> Self::Value {
        build::text(self.py, value)
    }

    fn bytes(&mut self, value: &[u8]) -> Self::Value {
        PyBytes::new(self.py, value).into_any()
    }

    fn decimal(&mut self, literal: &str) -> Self::Value {
        let built = names::DECIMAL.get(self.py).and_then(|class| class.call1((literal,)));
        self.built(built)
    }

    fn uuid(&mut self, value: [u8; 16]) -> Self::Value {
        let built = uuids::make(self.py, u128::from_be_bytes(value));
        self.built(built)
    }

    fn date(&mut self, value: Date) -> Self::Value {
        let built = PyDate::new(self.py, i32::from(value.year), value.month, value.day);
        self.built(built)
    }

    fn time(&mut self, value: Time) -> Self::Value {
        let built = self.time_of(value).and_then(|zone| {
            PyTime::new(self.py, value.hour, value.minute, value.second, value.microsecond, zone.as_ref())
        });
        self.built(built)
    }

    fn datetime(&mut self, date: Date, time: Time) -> Self::Value {
        let built = self.time_of(time).and_then(|zone| {
            let (year, month, day) = (i32::from(date.year), date.month, date.day);
            let Time { hour, minute, second, microsecond, .. } = time;
            PyDateTime::new(self.py, year, month, day, hour, minute, second, microsecond, zone.as_ref())
        });
        self.built(built)
    }

    fn duration(&mut self, microseconds: i128) -> Self::Value {
        const DAY: i128 = 86_400_000_000;
        let (days, rest) = (microseconds.div_euclid(DAY), microseconds.rem_euclid(DAY));
        // Within one day: seconds < 86,400 and microseconds < 1,000,000 both fit; a day count that does not fit a
        // timedelta raises OverflowError, which `built` reports.
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let built = PyDelta::new(self.py, days, (rest / 1_000_000) as i32, (rest % 1_000_000) as i32, false);
        self.built(built)
    }

    fn enum_member(&mut self, class: u32, index: usize) -> Self::Value {
        let member = match self.classes.get(class as usize) {
            Some(Class::Enum { members, .. }) => members.bind(self.py).get_item(index),
            _ => Err(PyValueError::new_err("not an enum class")),
        };
        self.built(member)
    }

    fn list(
        &mut self,
        container: Container,
        items: impl ExactSizeIterator<Item = Self::Value>,
    ) -> Self::Value {
        let built = match container {
            Container::List => PyList::new(self.py, items).map(Bound::into_any),
            Container::Tuple => PyTuple::new(self.py, items).map(Bound::into_any),
            Container::Set => PySet::new(self.py, items).map(Bound::into_any),
            Container::FrozenSet => PyFrozenSet::new(self.py, items).map(Bound::into_any),
        };
        self.built(built)
    }

    fn dict(&mut self, entries: Vec<(Self::Value, Self::Value)>) -> Self::Value {
        let dict = PyDict::new(self.py);
        for (key, value) in entries {
            if let Err(error) = dict.set_item(key, value) {
                self.raised.get_or_insert(error);
            }
        }
        dict.into_any()
    }

    fn structure(
        &mut self,
        of: &Struct,
        slots: &mut [Option<Self::Value>],
    ) -> Result<Self::Value, Vec<Error>> {
        let built = match self.classes.get(of.class as usize) {
            Some(Class::Call { target, names }) => {
                build::call(target.bind(self.py), names.bind(self.py), slots)
            }
            Some(Class::Record { target, fields, members }) => {
                build::record(target.bind(self.py), fields, members.as_ref(), slots)
            }
            Some(Class::Dict { fields }) => build::dict(self.py, fields, slots),
            _ => Err(PyTypeError::new_err(format!("{} is not a class to build", of.name))),
        };
        built.map_err(|error| self.refused(error))
    }

    fn check(&mut self, class: u32, value: Self::Value) -> Result<Self::Value, Vec<Error>> {
        let Some(Class::Checks { target }) = self.class(class) else { return Ok(value) };
        match target.bind(self.py).call1((&value,)).and_then(|found| checked(&found)) {
            Ok((value, errors)) if errors.is_empty() => Ok(value),
            Ok((_, errors)) => Err(errors),
            Err(error) => Err(self.refused(error)),
        }
    }

    fn upload(&mut self, index: usize) -> Self::Value {
        let built = match self.uploads.get(index) {
            Some((_, upload)) => uploads::received(self.py, upload),
            None => Err(PyValueError::new_err("no such file in the form")),
        };
        self.built(built)
    }

    fn foreign(&mut self, class: u32, raw: &[u8]) -> Result<Self::Value, Vec<Error>> {
        let Some(Class::Foreign { target, .. }) = self.classes.get(class as usize) else {
            return Err(vec![Error::new("error", "not a foreign class")]);
        };
        let built = target.bind(self.py).call1((PyBytes::new(self.py, raw),));
        built.map_err(|error| foreign_errors(self.py, &error).unwrap_or_else(|_| self.refused(error)))
    }
}

//! Serializers of Django REST framework, compiled: what `Serializer.run_validation` does, one crossing per list.
//!
//! One rule keeps every answer DRF's: Rust accepts what is *plainly* valid, and whatever is not goes to the field's own
//! Python, which raises DRF's error or finds the value valid after all. So there is no error text here at all.
//!
//! * [`record`]: a record and its fields in order; [`check`]: one field's value; [`parse`]: raw value → internal value;
//! * [`rows`]: a list of records, [`shape`] what these have in common; [`rules`]: the validators whose answer is known; [`text`]: questions to strings; [`moment`]: dates and times;
//! * [`session`]: what holds until Python code has run, as does the rest of the [`collector`]; [`failure`]: what DRF makes of exceptions.

mod check;
mod collector;
mod failure;
mod moment;
mod parse;
mod record;
mod rows;
mod rules;
mod session;
mod shape;
mod text;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::step::Snapshot;
use failure::Failure;
use record::Field;
pub(crate) use rows::InternalRows;
use session::Session;
use shape::Shape;

/// The compiled `run_validation` of one serializer instance.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Validation {
    serializer: Py<PyAny>,
    snapshots: Vec<Snapshot>,
    fields: Vec<Field>,
    /// Every key, each with `None`: copied for a record, which then needs no growing. `None` where keys are not those
    /// of the fields, one each.
    empty: Option<Py<PyDict>>,
    /// Whether there is more to do when all fields are valid than to run the serializer's validators.
    has_tail: bool,
}

#[pymethods]
impl Validation {
    #[new]
    fn new(
        serializer: Py<PyAny>,
        fields: &Bound<'_, PyList>,
        steps: &Bound<'_, PyList>,
        has_tail: bool,
    ) -> PyResult<Self> {
        let snapshots = fields.iter().map(|field| Snapshot::of(&field)).collect::<PyResult<_>>()?;
        let fields = steps.iter().map(|step| Field::new(&step)).collect::<PyResult<Vec<_>>>()?;
        let empty = record::keys_of(&fields, steps.py())?;
        Ok(Self { serializer, snapshots, fields, empty, has_tail })
    }

    /// What the serializer's `to_internal_value` returns for a dict.
    fn internal<'py>(&self, data: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.values(data, &Session::new(&self.serializer, data.py()), None)?.into_any())
    }

    /// `run_validation` of each row from `start` on, until fields are found to have changed: valid ones are appended
    /// to `valid`, the `ValidationError` of others is put into `invalid` by position. Gives the row to go on with.
    fn run_many<'py>(
        &self,
        rows: &Bound<'py, PyList>,
        start: usize,
        valid: &Bound<'py, PyList>,
        invalid: &Bound<'py, PyDict>,
    ) -> PyResult<usize> {
        let (py, session) = (rows.py(), Session::at_rest(&self.serializer, rows.py()));
        let (mut turns, mut shape) = (session.turns(), Shape::default());
        for (index, row) in rows.iter().enumerate().skip(start) {
            if turns != session.turns() {
                turns = session.turns();
                if !self.is_current(py)? {
                    return Ok(index);
                }
                session.rest_again(py);
            }
            match self.run(&row, &session, Some(&mut shape)) {
                Ok(value) => valid.append(value)?,
                Err(error) => match Failure::of(error, py)? {
                    Failure::Rest(error) => invalid.set_item(index, error.into_value(py))?,
                    Failure::Django(error) | Failure::Other(error) | Failure::Skip(error) => {
                        return Err(error);
                    }
                },
            }
        }
        Ok(rows.len())
    }

    /// Whether the serializer still has the fields it was compiled for, each as it was.
    fn is_current(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(super::step::are_of(&self.snapshots, self.serializer.bind(py))?
            && self.fields.iter().all(|field| field.is_current(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.serializer)?;
        self.snapshots.iter().try_for_each(|snapshot| snapshot.traverse(&visit))?;
        self.fields.iter().try_for_each(|field| field.traverse(&visit))
    }
}

//! Serializers of Django REST framework, compiled: what `Serializer.to_representation` does, one crossing per list.
//!
//! Python (`plectrum/drf/`) decides what each field does and describes it; a field it cannot describe is called as
//! DRF calls it. So is every value that is not of the exact type a converter knows.
//!
//! * [`access`]: instance → the field's value; [`convert`] that value → what `.data` holds;
//! * [`layout`]: dates and times in a format of their own;
//! * [`sink`]: where it goes, Python objects or JSON text; [`scalar`] numbers, dates, uuids and decimals;
//! * [`dump`]: any value of `.data` as JSON, as DRF's `JSONRenderer` writes it;
//! * [`input`]: the way in, `run_validation`;
//! * [`run`]: what stays the same during a call; [`traits`] what is known of a class.

mod access;
mod convert;
mod dump;
mod input;
mod layout;
mod run;
mod scalar;
mod sink;
mod step;
mod traits;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use convert::Nested;
pub(crate) use input::{InternalRows, Validation};
use run::Run;
use sink::{Json, Objects};
use step::{Snapshot, Step};

/// The compiled `to_representation` of one serializer instance.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Representation {
    serializer: Py<PyAny>,
    fields: Vec<Snapshot>,
    steps: Vec<Step>,
    /// Every name, each with `None`: copied for a record, which then needs no growing.
    empty: Py<PyDict>,
}

#[pymethods]
impl Representation {
    #[new]
    fn new(serializer: Py<PyAny>, fields: &Bound<'_, PyList>, steps: &Bound<'_, PyList>) -> PyResult<Self> {
        let py = fields.py();
        let fields = fields.iter().map(|field| Snapshot::of(&field)).collect::<PyResult<_>>()?;
        let steps = steps.iter().map(|step| Step::new(&step)).collect::<PyResult<Vec<_>>>()?;
        let empty = PyDict::new(py);
        steps.iter().try_for_each(|step| empty.set_item(&step.name, py.None()))?;
        Ok(Self { serializer, fields, steps, empty: empty.unbind() })
    }

    /// What the serializer's `to_representation` returns.
    fn represent<'py>(&self, instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.write(instance, &Run::new(instance.py()), &mut Objects::default())
    }

    /// Whether the serializer still has the fields it was compiled for, each as it was.
    fn is_current(&self, py: Python<'_>) -> PyResult<bool> {
        if !step::are_of(&self.fields, self.serializer.bind(py))? {
            return Ok(false);
        }
        for step in &self.steps {
            if !step.is_current(py)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.serializer)?;
        self.fields.iter().try_for_each(|snapshot| snapshot.traverse(&visit))?;
        self.steps.iter().try_for_each(|step| step.traverse(&visit))
    }
}

/// `ListSerializer.to_representation` over rows that are no manager, with `child` compiled at the second of them.
#[pyfunction]
pub(crate) fn represent_many<'py>(
    child: &Bound<'py, PyAny>,
    rows: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let nested = Nested::new(child.clone().unbind());
    nested.write_many(rows, &Run::new(child.py()), &mut Objects::default())
}

/// The JSON of [`represent_many`]; `default` is the encoder's.
#[pyfunction]
pub(crate) fn represent_json<'py>(
    child: &Bound<'py, PyAny>,
    rows: &Bound<'py, PyAny>,
    default: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut sink = Json::new(dump::Dump::new(default, false));
    Nested::new(child.clone().unbind()).write_many(rows, &Run::new(child.py()), &mut sink)?;
    Ok(PyBytes::new(child.py(), &sink.finish()))
}

/// A value as DRF's compact `JSONRenderer` writes it.
#[pyfunction]
pub(crate) fn dump_json<'py>(
    value: &Bound<'py, PyAny>,
    default: &Bound<'py, PyAny>,
    allow_nan: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    dump::Dump::new(default, allow_nan).write(value, &mut out)?;
    Ok(PyBytes::new(value.py(), &out))
}

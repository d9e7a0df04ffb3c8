//! One field of a compiled serializer.

use std::ptr;

use plectrum_json::text;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::Representation;
use super::access::{Access, Found, Instance};
use super::convert::Convert;
use super::run::Run;
use super::sink::Sink;

/// A field to write: under which key, from where, and how.
pub(super) struct Step {
    field: Py<PyAny>,
    pub(super) name: Py<PyString>,
    /// `"name":`
    pub(super) key: Box<[u8]>,
    access: Access,
    convert: Convert,
}

impl Step {
    /// From `(field, name, access, convert)` as `plectrum.drf.describe` writes it.
    pub(super) fn new(description: &Bound<'_, PyAny>) -> PyResult<Self> {
        type Parts<'py> = (Py<PyAny>, Bound<'py, PyString>, Bound<'py, PyTuple>, Bound<'py, PyTuple>);
        let (field, name, access, convert): Parts<'_> = description.extract()?;
        Ok(Self {
            field,
            key: text::key(name.to_str()?),
            name: name.unbind(),
            access: Access::new(&access)?,
            convert: Convert::new(&convert)?,
        })
    }

    pub(super) fn is_current(&self, py: Python<'_>) -> PyResult<bool> {
        self.convert.is_current(py)
    }

    /// Writes the field's value; `None` where the field is skipped.
    fn write<'py, S: Sink<'py>>(
        &self,
        instance: &Instance<'py>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<Option<S::Value>> {
        let field = self.field.bind(instance.value.py());
        match self.access.get(field, instance)? {
            Found::Value(value) if !value.is_none() => self.convert.write(field, value, run, sink).map(Some),
            Found::Value(value) | Found::Representation(value) => sink.object(value).map(Some),
            Found::Skipped => Ok(None),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.field)?;
        self.convert.traverse(visit)
    }
}

impl Representation {
    /// Writes every field of `instance`.
    pub(super) fn write<'py, S: Sink<'py>>(
        &self,
        instance: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let _level = run.deeper()?;
        let instance = Instance::new(instance)?;
        let mut record = sink.begin_record(self.empty.bind(instance.value.py()))?;
        for step in &self.steps {
            let mark = sink.key(step);
            match step.write(&instance, run, sink)? {
                Some(value) => sink.set(&mut record, step, value)?,
                None => sink.skip(&record, step, mark)?,
            }
        }
        Ok(sink.end_record(record))
    }
}

/// A field and the objects its `__dict__` held: a field changed since is no longer the one that was compiled.
pub(super) struct Snapshot {
    field: Py<PyAny>,
    /// Keeps alive what `addresses` names.
    state: Py<PyDict>,
    addresses: Vec<(usize, usize)>,
}

impl Snapshot {
    pub(super) fn of(field: &Bound<'_, PyAny>) -> PyResult<Self> {
        let state = state_of(field)?.copy()?;
        let mut addresses = Vec::with_capacity(state.len());
        each_address(&state, |entry| {
            addresses.push(entry);
            true
        });
        Ok(Self { field: field.clone().unbind(), state: state.unbind(), addresses })
    }

    pub(super) fn is_of(&self, field: &Bound<'_, PyAny>) -> PyResult<bool> {
        if !self.field.is(field) {
            return Ok(false);
        }
        let (state, mut was) = (state_of(field)?, self.addresses.iter());
        let same = each_address(&state, |entry| was.next() == Some(&entry));
        Ok(same && was.next().is_none())
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.field)?;
        visit.call(&self.state)
    }
}

/// Whether a serializer has these fields and no others, each as it was.
pub(super) fn are_of(snapshots: &[Snapshot], serializer: &Bound<'_, PyAny>) -> PyResult<bool> {
    let bound = serializer.getattr(intern!(serializer.py(), "fields"))?;
    let Ok(fields) = bound.getattr(intern!(serializer.py(), "fields")) else { return Ok(false) };
    let fields = fields.cast::<PyDict>()?;
    if fields.len() != snapshots.len() {
        return Ok(false);
    }
    for ((_, field), snapshot) in fields.iter().zip(snapshots) {
        if !snapshot.is_of(&field)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn state_of<'py>(field: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    Ok(field.getattr(intern!(field.py(), "__dict__"))?.cast_into()?)
}

/// Shows where each key and value of `dict` is, in order, until `visit` says no; whether it never did.
fn each_address(dict: &Bound<'_, PyDict>, mut visit: impl FnMut((usize, usize)) -> bool) -> bool {
    with_critical_section(dict, || {
        let (mut position, mut key, mut value) = (0, ptr::null_mut(), ptr::null_mut());
        // SAFETY: the dict is alive, locked where threads run in parallel, and not changed meanwhile: `visit` runs no
        // Python. The borrowed references are only compared, never followed.
        while unsafe { ffi::PyDict_Next(dict.as_ptr(), &mut position, &mut key, &mut value) } != 0 {
            if !visit((key as usize, value as usize)) {
                return false;
            }
        }
        true
    })
}

/// A description Python made that Rust does not know: the two were not built together.
pub(super) fn unknown(kind: &str) -> PyErr {
    PyValueError::new_err(format!("{kind:?} is no way to write a field."))
}

//! A record: `Serializer.run_validation` over a dict, field by field.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::super::access::interned;
use super::Validation;
use super::check::Check;
use super::failure::{Errors, Failure};
use super::session::Session;
use super::shape::{Place, Shape};
use crate::names;

/// A writable field of a serializer.
pub(super) struct Field {
    name: Py<PyString>,
    check: Check,
    /// `validate_<name>`.
    method: Option<Py<PyAny>>,
    target: Target,
    source: Source,
}

/// Where the value goes.
enum Target {
    Key(Py<PyString>),
    /// A path of keys; an empty one for `source="*"`.
    Path(Py<PyAny>),
}

/// Where the raw value comes from.
#[derive(Clone, Copy)]
enum Source {
    /// The field's key.
    Key,
    /// `field.get_value(data)`.
    Python,
}

impl Field {
    /// From `(field, name, method, source_attrs, asks, description)`.
    pub(super) fn new(step: &Bound<'_, PyAny>) -> PyResult<Self> {
        type Parts<'py> = (
            Bound<'py, PyAny>,
            Bound<'py, PyAny>,
            Option<Py<PyAny>>,
            Bound<'py, PyList>,
            bool,
            Bound<'py, PyTuple>,
        );
        let (field, name, method, path, asks, description): Parts<'_> = step.extract()?;
        Ok(Self {
            name: interned(&name)?,
            check: Check::new(field, &description)?,
            method,
            target: match path.len() {
                1 => Target::Key(interned(&path.get_item(0)?)?),
                _ => Target::Path(path.into_any().unbind()),
            },
            source: if asks { Source::Python } else { Source::Key },
        })
    }

    fn raw<'py>(
        &self,
        data: &Bound<'py, PyDict>,
        place: Option<&Place<'py>>,
        session: &Session<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = data.py();
        match self.source {
            Source::Key => match place.and_then(|place| place.value_in(data)) {
                Some(value) => Ok(Some(value)),
                None => data.get_item(self.name.bind(py)),
            },
            Source::Python => {
                session.python_runs();
                let raw = self.check.field.bind(py).call_method1(intern!(py, "get_value"), (data,))?;
                Ok(if raw.is(names::EMPTY.get(py)?) { None } else { Some(raw) })
            }
        }
    }

    fn run<'py>(
        &self,
        raw: Option<Bound<'py, PyAny>>,
        session: &Session<'py>,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(value) = self.check.run(raw, session, py)? else { return Ok(None) };
        match &self.method {
            Some(method) => {
                session.python_runs();
                method.bind(py).call1((value,)).map(Some)
            }
            None => Ok(Some(value)),
        }
    }

    pub(super) fn is_current(&self, py: Python<'_>) -> bool {
        self.check.is_current(py)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.check.traverse(visit)?;
        self.method.iter().try_for_each(|method| visit.call(method))
    }
}

/// Each field's key with `None`; `None` where a field has a path, or another one's key.
pub(super) fn keys_of(fields: &[Field], py: Python<'_>) -> PyResult<Option<Py<PyDict>>> {
    let keys = PyDict::new(py);
    for field in fields {
        let Target::Key(key) = &field.target else { return Ok(None) };
        keys.set_item(key, py.None())?;
    }
    Ok((keys.len() == fields.len()).then(|| keys.unbind()))
}

impl Validation {
    /// `serializer.run_validation(data)`.
    pub(super) fn run<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        session: &Session<'py>,
        shape: Option<&mut Shape<'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let Ok(record) = data.cast_exact::<PyDict>() else {
            session.python_runs();
            return self.serializer.bind(py).call_method1(intern!(py, "run_validation"), (data,));
        };
        let values = self.values(record, session, shape)?;
        if !self.has_tail && self.has_no_validators(py)? {
            return Ok(values.into_any());
        }
        session.python_runs();
        names::FINISH_VALIDATION.get(py)?.call1((&self.serializer, values))
    }

    /// Whether it is known already that the serializer has none; they are made when they are first asked for.
    fn has_no_validators(&self, py: Python<'_>) -> PyResult<bool> {
        let state = self.serializer.bind(py).getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        let validators = state.get_item(intern!(py, "_validators"))?;
        Ok(validators.is_some_and(|list| list.cast_exact::<PyList>().is_ok_and(|list| list.is_empty())))
    }

    /// `serializer.to_internal_value(data)`.
    pub(super) fn values<'py>(
        &self,
        data: &Bound<'py, PyDict>,
        session: &Session<'py>,
        shape: Option<&mut Shape<'py>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let names = self.fields.iter().map(|field| &field.name);
        let places = shape.map(|shape| shape.of(data, names)).transpose()?;
        let (py, values, mut errors) = (data.py(), self.begin(data.py())?, Errors::default());
        let mut turns = session.turns();
        for (index, field) in self.fields.iter().enumerate() {
            if turns != session.turns() {
                turns = session.turns();
                if !self.is_current(py)? {
                    let before = errors.take();
                    let (done, left) = self.fields.split_at_checked(index).unwrap_or_default();
                    left.iter().try_for_each(|field| self.leave_out(&values, field))?;
                    let done = PyList::new(py, done.iter().map(|field| &field.name))?;
                    names::CONTINUE_VALIDATION.get(py)?.call1((
                        &self.serializer,
                        data,
                        done,
                        &values,
                        before,
                    ))?;
                    return Ok(values);
                }
            }
            let place = places.and_then(|places| places.get(index)?.as_ref());
            let raw = field.raw(data, place, session)?;
            match field.run(raw, session, py) {
                Ok(Some(value)) => self.set(&values, field, value)?,
                Ok(None) => self.leave_out(&values, field)?,
                Err(error) => match Failure::of(error, py)? {
                    Failure::Skip(_) => self.leave_out(&values, field)?,
                    failure => errors.add(&field.name, failure, py)?,
                },
            }
        }
        errors.raise(py)?;
        Ok(values)
    }

    fn begin<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match &self.empty {
            Some(empty) => empty.bind(py).copy(),
            None => Ok(PyDict::new(py)),
        }
    }

    /// The field has no value.
    fn leave_out(&self, values: &Bound<'_, PyDict>, field: &Field) -> PyResult<()> {
        match (&self.empty, &field.target) {
            (Some(_), Target::Key(key)) => values.del_item(key),
            _ => Ok(()),
        }
    }

    fn set<'py>(&self, values: &Bound<'py, PyDict>, field: &Field, value: Bound<'py, PyAny>) -> PyResult<()> {
        let py = values.py();
        match &field.target {
            Target::Key(key) => values.set_item(key, value),
            Target::Path(path) => {
                self.serializer.bind(py).call_method1(intern!(py, "set_value"), (values, path, value))?;
                Ok(())
            }
        }
    }
}

/// A serializer inside of another, compiled when its second value comes: that is where it begins to pay, and one that
/// nests itself has no end before.
pub(super) struct Nested {
    serializer: Py<PyAny>,
    is_used: AtomicBool,
    compiled: OnceLock<Option<Py<Validation>>>,
}

impl Nested {
    pub(super) fn new(serializer: Py<PyAny>) -> Self {
        Self { serializer, is_used: AtomicBool::new(false), compiled: OnceLock::new() }
    }

    /// `serializer.run_validation(raw)`.
    pub(super) fn run<'py>(
        &self,
        raw: &Bound<'py, PyAny>,
        session: &Session<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = raw.py();
        if let Some(compiled) = self.compiled(py)?
            && compiled.get().is_current(py)?
        {
            return compiled.get().run(raw, session, None);
        }
        session.python_runs();
        self.serializer.bind(py).call_method1(intern!(py, "run_validation"), (raw,))
    }

    fn compiled(&self, py: Python<'_>) -> PyResult<Option<&Py<Validation>>> {
        if !self.is_used.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        if self.compiled.get().is_none() {
            let compiled = names::COMPILED_VALIDATION.get(py)?.call1((&self.serializer,))?;
            // Where another thread was first, its answer stands.
            let _ = self.compiled.set(compiled.extract().map_err(PyErr::from)?);
        }
        Ok(self.compiled.get().and_then(Option::as_ref))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.serializer)?;
        self.compiled.get().and_then(Option::as_ref).map_or(Ok(()), |compiled| visit.call(compiled))
    }
}

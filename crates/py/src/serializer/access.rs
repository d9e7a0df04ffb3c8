//! Instance → the value of a field: what `Field.get_attribute` finds.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple, PyType};

use super::step::unknown;
use super::traits::{self, Traits};
use crate::names;

/// Where a field's value is.
pub(super) enum Access {
    /// Attributes or keys, one after the other; none for `source="*"`.
    Path { path: Vec<Py<PyString>>, first: PyOnceLock<Column> },
    /// The key of a related object, which is not loaded for it.
    Key { name: Py<PyString>, column: PyOnceLock<Column> },
    /// `field.get_attribute(instance)`.
    Python,
}

/// What a field's value is.
pub(super) enum Found<'py> {
    Value(Bound<'py, PyAny>),
    /// What the field represents it as.
    Representation(Bound<'py, PyAny>),
    /// The field is to be left out (`SkipField`).
    Skipped,
}

/// How a model holds an attribute; asked of Python when its first instance comes.
pub(super) struct Column {
    model: Py<PyType>,
    /// The attribute to read; `None` where only Python knows.
    attribute: Option<Py<PyString>>,
    /// What the instance's `__dict__` has of that name is its value.
    stored: bool,
}

impl Column {
    /// How `instance` holds `name`, if it is of the model asked about first.
    fn of<'a>(
        asked: &'a PyOnceLock<Self>,
        name: &Py<PyString>,
        is_relation: bool,
        instance: &Instance<'_>,
    ) -> PyResult<Option<&'a Self>> {
        if let Some(column) = asked.get(instance.value.py()) {
            return Ok(column.is_of(instance).then_some(column));
        }
        let (py, class) = (instance.value.py(), instance.value.get_type());
        let column = asked.get_or_try_init(py, || {
            let found = names::COLUMN_OF.get(py)?.call1((&class, name, is_relation))?;
            let (attribute, stored): (Option<Bound<'_, PyAny>>, bool) = found.extract()?;
            let attribute = attribute.map(|name| interned(&name)).transpose()?;
            PyResult::Ok(Self { model: class.clone().unbind(), attribute, stored })
        })?;
        Ok(column.is_of(instance).then_some(column))
    }

    #[inline]
    fn is_of(&self, instance: &Instance<'_>) -> bool {
        std::ptr::eq(self.model.as_ptr(), instance.value.get_type_ptr().cast())
    }
}

/// What a record is made of.
pub(super) struct Instance<'py> {
    pub(super) value: Bound<'py, PyAny>,
    traits: Traits,
    /// `__dict__` of a model instance.
    state: Option<Bound<'py, PyDict>>,
}

impl<'py> Instance<'py> {
    pub(super) fn new(value: &Bound<'py, PyAny>) -> PyResult<Self> {
        let traits = traits::of(value)?;
        let state = match traits.contains(Traits::MODEL) {
            true => value.getattr(intern!(value.py(), "__dict__"))?.cast_into().ok(),
            false => None,
        };
        Ok(Self { value: value.clone(), traits, state })
    }

    /// What the instance's `__dict__` has of a column asked about before; nothing that DRF might call.
    #[inline]
    fn stored(
        &self,
        name: &Py<PyString>,
        column: &PyOnceLock<Column>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (Some(state), Some(column)) = (&self.state, column.get(self.value.py())) else { return Ok(None) };
        if !column.stored || !column.is_of(self) {
            return Ok(None);
        }
        Ok(state.get_item(name)?.filter(|value| !value.is_callable()))
    }

    fn get(&self, name: &Bound<'py, PyString>, column: Option<&Column>) -> PyResult<Bound<'py, PyAny>> {
        if let (Some(state), Some(Column { stored: true, .. })) = (&self.state, column)
            && let Some(value) = state.get_item(name)?
        {
            return Ok(value);
        }
        self.value.getattr(name)
    }
}

impl Access {
    /// From `(kind, …)`.
    pub(super) fn new(description: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let kind = description.get_item(0)?;
        Ok(match kind.cast::<PyString>()?.to_str()? {
            "path" => Self::Path { path: names_of(&description.get_item(1)?)?, first: PyOnceLock::new() },
            "key" => Self::Key { name: interned(&description.get_item(1)?)?, column: PyOnceLock::new() },
            "asked" | "python" => Self::Python,
            kind => return Err(unknown(kind)),
        })
    }

    /// The value for `instance`.
    pub(super) fn get<'py>(
        &self,
        field: &Bound<'py, PyAny>,
        instance: &Instance<'py>,
    ) -> PyResult<Found<'py>> {
        if let Self::Path { path, first } = self
            && let [name] = path.as_slice()
            && let Some(value) = instance.stored(name, first)?
        {
            return Ok(Found::Value(value));
        }
        let found = match self {
            Self::Path { path, first } => follow(path, first, field, instance),
            Self::Key { name, column } => match key_of(name, column, instance) {
                Ok(Some(key)) => return Ok(Found::Representation(key)),
                Ok(None) => ask(field, &instance.value),
                Err(error) => Err(error),
            },
            Self::Python => ask(field, &instance.value),
        };
        match found {
            Ok(value) => Ok(Found::Value(value)),
            Err(error) if error.is_instance(field.py(), names::SKIP_FIELD.get(field.py())?) => {
                Ok(Found::Skipped)
            }
            Err(error) => Err(error),
        }
    }
}

/// The Python way; the key of a `PKOnlyObject` that is null counts as null, as in DRF.
fn ask<'py>(field: &Bound<'py, PyAny>, instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = field.py();
    let value = field.call_method1(intern!(py, "get_attribute"), (instance,))?;
    if value.is_none() || !value.get_type().is(names::PK_ONLY_OBJECT.get(py)?) {
        return Ok(value);
    }
    let key = value.getattr(intern!(py, "pk"))?;
    Ok(if key.is_none() { key } else { value })
}

/// DRF's `get_attribute(instance, path)`. What fails is replayed to DRF, which knows about defaults and messages.
fn follow<'py>(
    path: &[Py<PyString>],
    first: &PyOnceLock<Column>,
    field: &Bound<'py, PyAny>,
    instance: &Instance<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = field.py();
    let mut value = instance.value.clone();
    for (hop, name) in path.iter().enumerate() {
        let traits = if hop == 0 { instance.traits } else { traits::of(&value)? };
        let found = if traits.contains(Traits::MAPPING) {
            value.get_item(name)
        } else if hop == 0 && instance.state.is_some() {
            instance.get(name.bind(py), Column::of(first, name, false, instance)?)
        } else {
            value.getattr(name)
        };
        value = match found {
            Ok(found) => found,
            Err(error) => return replay(field, &instance.value, error),
        };
        if value.is_callable() && traits::of(&value)?.contains(Traits::FUNCTION) {
            value = names::CALLED.get(py)?.call1((field, &instance.value, value, name))?;
        }
    }
    Ok(value)
}

fn replay<'py>(
    field: &Bound<'py, PyAny>,
    instance: &Bound<'py, PyAny>,
    error: PyErr,
) -> PyResult<Bound<'py, PyAny>> {
    names::REPLAY.get(field.py())?.call1((field, instance, error.into_value(field.py())))
}

/// A related object's key by the model's own attribute, where it is of a type that has no `pk` itself.
fn key_of<'py>(
    name: &Py<PyString>,
    column: &PyOnceLock<Column>,
    instance: &Instance<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = instance.value.py();
    let Some(column) = Column::of(column, name, true, instance)? else { return Ok(None) };
    let Some(attribute) = &column.attribute else { return Ok(None) };
    let key = instance.get(attribute.bind(py), Some(column))?;
    let simple = key.is_none()
        || key.is_exact_instance_of::<PyInt>()
        || key.is_exact_instance_of::<PyString>()
        || key.get_type().is(names::UUID.get(py)?);
    Ok(simple.then_some(key))
}

/// Attribute names, interned so that look-ups compare pointers.
pub(super) fn names_of(names: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyString>>> {
    names.try_iter()?.map(|name| interned(&name?)).collect()
}

pub(super) fn interned(name: &Bound<'_, PyAny>) -> PyResult<Py<PyString>> {
    Ok(PyString::intern(name.py(), name.cast::<PyString>()?.to_str()?).unbind())
}

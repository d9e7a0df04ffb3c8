//! The value of a field → what `.data` holds: each DRF field's `to_representation` for the types it is made for. Every
//! other value goes to the field itself.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTime, PyTuple};

use super::Representation;
use super::access::{interned, names_of};
use super::layout::Layout;
use super::run::{Run, Zone};
use super::scalar;
use super::sink::{Objects, Sink};
use super::step::unknown;
use crate::names;

/// How a field represents a value.
pub(super) enum Convert {
    /// As it is.
    Same,
    /// `str(value)`.
    Text,
    Integer,
    Float,
    Boolean,
    Decimal {
        places: Option<usize>,
        digits: Option<usize>,
        text: bool,
    },
    /// In a zone of its own, or the current one.
    DateTime(Option<Zone<Py<PyAny>>>),
    Date,
    Time,
    /// One of these three in a format of its own.
    Formatted {
        moment: Box<Convert>,
        layout: Layout,
    },
    /// One of the three as it is.
    Unformatted,
    Duration,
    Uuid,
    /// The choice spelled like the value.
    Choice(Py<PyDict>),
    /// Those of a list, without repetition.
    Choices(Py<PyDict>),
    /// A method of the serializer.
    Method {
        owner: Py<PyAny>,
        name: Py<PyString>,
    },
    /// An attribute's attribute (`SlugRelatedField`).
    Attributes(Vec<Py<PyString>>),
    Items(Box<Child>),
    /// Related objects, none of which is absent.
    Related(Box<Child>),
    Members(Box<Child>),
    Record(Nested),
    Records(Nested),
    /// `field.to_representation(value)`.
    Python,
}

/// The field of a list's items or a dict's values.
pub(super) struct Child {
    field: Py<PyAny>,
    convert: Convert,
}

impl Convert {
    /// From `(kind, …)`.
    pub(super) fn new(description: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let (kind, rest) = (description.get_item(0)?, |index| description.get_item(index));
        Ok(match kind.cast::<PyString>()?.to_str()? {
            "same" => Self::Same,
            "text" => Self::Text,
            "integer" => Self::Integer,
            "float" => Self::Float,
            "boolean" => Self::Boolean,
            "decimal" => Self::Decimal {
                places: rest(1)?.extract()?,
                digits: rest(2)?.extract()?,
                text: rest(3)?.extract()?,
            },
            "datetime" => Self::DateTime(None),
            "datetime in" => Self::DateTime(Some(Zone::new(rest(1)?)?.unbind())),
            "date" => Self::Date,
            "time" => Self::Time,
            "formatted" => Self::Formatted {
                moment: Box::new(Self::new(rest(1)?.cast::<PyTuple>()?)?),
                layout: Layout::new(rest(2)?.cast::<PyString>()?.to_str()?)?,
            },
            "unformatted" => Self::Unformatted,
            "duration" => Self::Duration,
            "uuid" => Self::Uuid,
            "choice" => Self::Choice(rest(1)?.cast_into::<PyDict>()?.unbind()),
            "choices" => Self::Choices(rest(1)?.cast_into::<PyDict>()?.unbind()),
            "method" => Self::Method { owner: rest(1)?.unbind(), name: interned(&rest(2)?)? },
            "attributes" => Self::Attributes(names_of(&rest(1)?)?),
            "items" => Self::Items(Child::new(&rest(1)?, &rest(2)?)?),
            "related" => Self::Related(Child::new(&rest(1)?, &rest(2)?)?),
            "members" => Self::Members(Child::new(&rest(1)?, &rest(2)?)?),
            "record" => Self::Record(Nested::new(rest(1)?.unbind())),
            "records" => Self::Records(Nested::new(rest(1)?.unbind())),
            "python" => Self::Python,
            kind => return Err(unknown(kind)),
        })
    }

    /// Writes `value`, which is not `None`.
    pub(super) fn write<'py, S: Sink<'py>>(
        &self,
        field: &Bound<'py, PyAny>,
        value: Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let py = field.py();
        match self {
            Self::Same => return sink.object(value),
            Self::Text if value.is_exact_instance_of::<PyString>() => return sink.object(value),
            Self::Text => return sink.object(value.str()?.into_any()),
            Self::Choice(choices) => {
                if let Some(choice) = chosen(choices.bind(py), &value)? {
                    return sink.object(choice);
                }
            }
            Self::Choices(choices) => {
                if let Some(chosen) = all_chosen(choices.bind(py), &value)? {
                    return sink.object(chosen);
                }
            }
            Self::Method { owner, name } => {
                return sink.object(owner.bind(py).call_method1(name.bind(py), (value,))?);
            }
            Self::Attributes(path) => return sink.object(attributes(path, value)?),
            Self::Items(child) => return child.write_items(&value, run, sink),
            Self::Related(child) => return child.write_related(&value, run, sink),
            Self::Members(child) if value.is_exact_instance_of::<PyDict>() => {
                return child.write_members(&value, run, sink);
            }
            Self::Record(nested) => return nested.write_one(&value, run, sink),
            Self::Records(nested) => return nested.write_many(&rows_of(value)?, run, sink),
            _ if self.keeps(&value, run)? => return sink.object(value),
            _ => {
                if let Some(written) = self.write_text(&value, run, sink)? {
                    return Ok(written);
                }
            }
        }
        sink.object(field.call_method1(intern!(py, "to_representation"), (value,))?)
    }

    /// Whether the field gives the value back as it came.
    fn keeps(&self, value: &Bound<'_, PyAny>, run: &Run<'_>) -> PyResult<bool> {
        Ok(match self {
            Self::Integer => value.is_exact_instance_of::<PyInt>(),
            Self::Float => value.is_exact_instance_of::<PyFloat>(),
            Self::Boolean => value.is_exact_instance_of::<PyBool>(),
            Self::Unformatted => {
                value.is_exact_instance_of::<PyDateTime>()
                    || value.is_exact_instance_of::<PyDate>()
                    || value.is_exact_instance_of::<PyTime>()
            }
            Self::Decimal { places, digits, text: false } => {
                scalar::is_quantized(value, *places, precision(*digits, run)?)
            }
            _ => false,
        })
    }

    fn write_text<'py, S: Sink<'py>>(
        &self,
        value: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<Option<S::Value>> {
        let py = value.py();
        Ok(match self {
            Self::Decimal { places, digits, text: true } => {
                let digits = precision(*digits, run)?;
                sink.text(py, |out| scalar::decimal(value, *places, digits, out))
            }
            Self::DateTime(None) => {
                let zone = run.zone()?;
                sink.text(py, |out| scalar::datetime(value, zone, out))
            }
            Self::DateTime(Some(zone)) => {
                let zone = zone.bind(py);
                sink.text(py, |out| scalar::datetime(value, &zone, out))
            }
            Self::Date => sink.text(py, |out| scalar::date(value, out)),
            Self::Time => sink.text(py, |out| scalar::time_of_day(value, out)),
            Self::Formatted { moment, layout } => {
                let Some(iso) = moment.write_text(value, run, &mut Objects::default())? else {
                    return Ok(None);
                };
                let iso = iso.cast::<PyString>()?.to_str()?;
                sink.text(py, |out| layout.write(iso.as_bytes(), out))
            }
            Self::Duration => sink.text(py, |out| scalar::duration(value, out)),
            Self::Uuid => sink.text(py, |out| scalar::identifier(value, out)),
            _ => None,
        })
    }

    pub(super) fn is_current(&self, py: Python<'_>) -> PyResult<bool> {
        match self {
            Self::Record(nested) | Self::Records(nested) => nested.is_current(py),
            _ => Ok(true),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::DateTime(Some(Zone::Other(zone))) => visit.call(zone),
            Self::Choice(choices) | Self::Choices(choices) => visit.call(choices),
            Self::Formatted { moment, .. } => moment.traverse(visit),
            Self::Method { owner, .. } => visit.call(owner),
            Self::Items(child) | Self::Related(child) | Self::Members(child) => {
                visit.call(&child.field)?;
                child.convert.traverse(visit)
            }
            Self::Record(nested) | Self::Records(nested) => nested.traverse(visit),
            _ => Ok(()),
        }
    }
}

fn precision(digits: Option<usize>, run: &Run<'_>) -> PyResult<usize> {
    digits.map_or_else(|| run.precision(), Ok)
}

/// `choice_strings_to_values.get(str(value), value)` for text and integers.
fn chosen<'py>(
    choices: &Bound<'py, PyDict>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let found = if let Ok(text) = value.cast_exact::<PyString>() {
        if text.len()? == 0 {
            return Ok(Some(value.clone()));
        }
        choices.get_item(text)?
    } else if value.is_exact_instance_of::<PyInt>() {
        choices.get_item(value.str()?)?
    } else {
        return Ok(None);
    };
    Ok(Some(found.unwrap_or_else(|| value.clone())))
}

/// The choices of a list's items, each once, in the order of their first mention.
fn all_chosen<'py>(
    choices: &Bound<'py, PyDict>,
    items: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(items) = items.cast_exact::<PyList>() else { return Ok(None) };
    let unique = PyDict::new(items.py());
    for item in items {
        match chosen(choices, &item)? {
            Some(choice) => unique.set_item(choice, items.py().None())?,
            None => return Ok(None),
        }
    }
    Ok(Some(unique.keys().into_any()))
}

fn attributes<'py>(path: &[Py<PyString>], value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    path.iter().try_fold(value, |value, name| value.getattr(name.bind(value.py())))
}

/// What a manager stands for; anything else is iterated as it is.
fn rows_of(value: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if value.is_exact_instance_of::<PyList>() {
        return Ok(value);
    }
    names::ROWS_OF.get(value.py())?.call1((value,))
}

/// Whether rows that are there already are more than one.
fn has_several(rows: &Bound<'_, PyAny>) -> bool {
    let is_sequence = rows.is_exact_instance_of::<PyList>() || rows.is_exact_instance_of::<PyTuple>();
    is_sequence && rows.len().is_ok_and(|count| count > 1)
}

impl Child {
    fn new(field: &Bound<'_, PyAny>, convert: &Bound<'_, PyAny>) -> PyResult<Box<Self>> {
        let convert = Convert::new(convert.cast::<PyTuple>()?)?;
        Ok(Box::new(Self { field: field.clone().unbind(), convert }))
    }

    fn write_items<'py, S: Sink<'py>>(
        &self,
        items: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let mut list = sink.begin_list(items.py());
        for item in items.try_iter()? {
            let written = self.write_item(item?, run, sink)?;
            sink.push(&mut list, written)?;
        }
        Ok(sink.end_list(list))
    }

    fn write_related<'py, S: Sink<'py>>(
        &self,
        objects: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let (field, mut list) = (self.field.bind(objects.py()), sink.begin_list(objects.py()));
        for object in objects.try_iter()? {
            let written = self.convert.write(field, object?, run, sink)?;
            sink.push(&mut list, written)?;
        }
        Ok(sink.end_list(list))
    }

    /// A dict's values under the text of their keys, which may coincide: a Python dict decides what remains.
    fn write_members<'py, S: Sink<'py>>(
        &self,
        members: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let written = PyDict::new(members.py());
        for (key, value) in members.cast::<PyDict>()?.iter() {
            let mut objects = super::Objects::default();
            written.set_item(key.str()?, self.write_item(value, run, &mut objects)?)?;
        }
        sink.object(written.into_any())
    }

    fn write_item<'py, S: Sink<'py>>(
        &self,
        item: Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        if item.is_none() {
            return sink.object(item);
        }
        self.convert.write(self.field.bind(item.py()), item, run, sink)
    }
}

/// A serializer inside of another or of a list, compiled when its second value comes: that is where it begins to pay,
/// and one that nests itself has no end before.
pub(super) struct Nested {
    serializer: Py<PyAny>,
    is_used: AtomicBool,
    /// `None` where the serializer represents itself.
    compiled: OnceLock<Option<Py<Representation>>>,
}

impl Nested {
    pub(super) fn new(serializer: Py<PyAny>) -> Self {
        Self { serializer, is_used: AtomicBool::new(false), compiled: OnceLock::new() }
    }

    pub(super) fn write_one<'py, S: Sink<'py>>(
        &self,
        value: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let py = value.py();
        match self.compiled(py)? {
            Some(compiled) => compiled.get().write(value, run, sink),
            None => sink
                .object(self.serializer.bind(py).call_method1(intern!(py, "to_representation"), (value,))?),
        }
    }

    pub(super) fn write_many<'py, S: Sink<'py>>(
        &self,
        rows: &Bound<'py, PyAny>,
        run: &Run<'py>,
        sink: &mut S,
    ) -> PyResult<S::Value> {
        let mut list = sink.begin_list(rows.py());
        if has_several(rows) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        for row in rows.try_iter()? {
            let written = self.write_one(&row?, run, sink)?;
            sink.push(&mut list, written)?;
        }
        Ok(sink.end_list(list))
    }

    fn compiled(&self, py: Python<'_>) -> PyResult<Option<&Py<Representation>>> {
        if !self.is_used.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        if self.compiled.get().is_none() {
            let compiled = names::COMPILED_SERIALIZER.get(py)?.call1((&self.serializer,))?;
            // Where another thread was first, its answer stands.
            let _ = self.compiled.set(compiled.extract().map_err(PyErr::from)?);
        }
        Ok(self.compiled.get().and_then(Option::as_ref))
    }

    fn is_current(&self, py: Python<'_>) -> PyResult<bool> {
        self.compiled
            .get()
            .and_then(Option::as_ref)
            .map_or(Ok(true), |compiled| compiled.get().is_current(py))
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.serializer)?;
        self.compiled.get().and_then(Option::as_ref).map_or(Ok(()), |compiled| visit.call(compiled))
    }
}

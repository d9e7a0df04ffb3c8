//! Classes that validation builds, as `plectrum.nodes` describes them.

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::members::Members;

/// A Python class that validation builds (`plectrum.nodes.ClassEntry`).
pub(crate) enum Class {
    /// Called with keywords.
    Call {
        /// The class.
        target: Py<PyAny>,
        /// Keyword per slot.
        names: Py<PyTuple>,
    },
    /// A bare instance whose attributes are set: what the generated `__init__` of a `Schema` would do.
    Record {
        /// The class.
        target: Py<PyType>,
        /// Attribute and default per slot.
        fields: Fields,
        /// Where the attributes are, where the class has slots for them.
        members: Option<Members>,
    },
    /// A dict with these keys.
    Dict {
        /// Key and default per slot.
        fields: Fields,
    },
    /// An enum.
    Enum {
        /// The class.
        target: Py<PyAny>,
        /// Members in declaration order.
        members: Py<PyTuple>,
    },
    /// Validates by itself.
    Foreign {
        /// Callable from JSON bytes to an instance.
        target: Py<PyAny>,
        /// Callable from a Python value to an instance.
        from_value: Py<PyAny>,
    },
    /// The user's own checks.
    Checks {
        /// Callable from a value to the value and what is wrong with it.
        target: Py<PyAny>,
    },
}

/// Attribute or key, and default, per slot.
pub(super) type Fields = Box<[(Py<PyString>, Option<Default>)]>;

impl Class {
    /// Reads one entry.
    pub(crate) fn extract(entry: &Bound<'_, PyAny>) -> PyResult<Self> {
        let target = entry.getattr("target")?.unbind();
        let names = entry.getattr("names")?.cast_into::<PyTuple>()?.unbind();
        match entry.getattr("kind")?.extract::<&str>()? {
            "call" => Ok(Self::Call { target, names }),
            "record" => {
                let target = entry.getattr("target")?.cast_into::<PyType>()?;
                let fields = fields_of(entry)?;
                let names: Vec<_> = fields.iter().map(|(name, _)| name.clone_ref(entry.py())).collect();
                let members = Members::of(&target, &names)?;
                Ok(Self::Record { target: target.unbind(), fields, members })
            }
            "dict" => Ok(Self::Dict { fields: fields_of(entry)? }),
            "enum" => Ok(Self::Enum { target, members: names }),
            "foreign" => Ok(Self::Foreign { target, from_value: entry.getattr("from_value")?.unbind() }),
            "checks" => Ok(Self::Checks { target }),
            other => Err(PyValueError::new_err(format!("unknown class kind {other:?}"))),
        }
    }

    /// Whether `value` is what this class builds already.
    pub(crate) fn has_instance(&self, value: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::Call { target, .. } | Self::Enum { target, .. } => {
                value.is_instance(target.bind(value.py())).unwrap_or(false)
            }
            Self::Record { target, .. } => value.is_instance(target.bind(value.py())).unwrap_or(false),
            Self::Dict { .. } | Self::Foreign { .. } | Self::Checks { .. } => false,
        }
    }

    /// Shows the garbage collector what this refers to.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Call { target, .. } | Self::Enum { target, .. } | Self::Checks { target } => {
                visit.call(target)
            }
            Self::Foreign { target, from_value } => {
                visit.call(target)?;
                visit.call(from_value)
            }
            Self::Record { target, fields, .. } => {
                visit.call(target)?;
                fields.iter().try_for_each(|(_, default)| traverse_default(default.as_ref(), visit))
            }
            Self::Dict { fields } => {
                fields.iter().try_for_each(|(_, default)| traverse_default(default.as_ref(), visit))
            }
        }
    }
}

fn traverse_default(default: Option<&Default>, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
    match default {
        Some(Default::Value(object) | Default::Factory(object)) => visit.call(object),
        None => Ok(()),
    }
}

/// Names and defaults of an entry; entries without defaults have none at all.
fn fields_of(entry: &Bound<'_, PyAny>) -> PyResult<Fields> {
    let names: Vec<Bound<'_, PyString>> = entry.getattr("names")?.extract()?;
    let defaults: Vec<Option<(Bound<'_, PyAny>, Bound<'_, PyAny>)>> = entry.getattr("defaults")?.extract()?;
    let defaults = defaults.into_iter().chain(std::iter::repeat_with(|| None));
    let field = |(name, default): (Bound<'_, PyString>, Option<_>)| {
        (name.unbind(), default.map(|(value, factory)| Default::of(value, factory)))
    };
    Ok(names.into_iter().zip(defaults).map(field).collect())
}

/// What stands in for an absent value.
pub(crate) enum Default {
    /// This.
    Value(Py<PyAny>),
    /// What this gives, made anew each time.
    Factory(Py<PyAny>),
}

impl Default {
    /// A factory, or else a value.
    pub(crate) fn of(value: Bound<'_, PyAny>, factory: Bound<'_, PyAny>) -> Self {
        if factory.is_none() { Self::Value(value.unbind()) } else { Self::Factory(factory.unbind()) }
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Value(value) => Ok(value.bind(py).clone()),
            Self::Factory(factory) => factory.bind(py).call0(),
        }
    }
}

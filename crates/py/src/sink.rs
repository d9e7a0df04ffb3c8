//! Validated values → Python objects.

use plectrum_http::form::Upload;
use plectrum_schema::error::{Error, Step};
use plectrum_schema::node::{Container, Struct};
use plectrum_schema::sink::{Date, Sink, Time};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet,
    PyString, PyTime, PyTuple, PyType, PyTzInfo,
};

use crate::members::Members;
use crate::names;
use crate::uploads;

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
type Fields = Box<[(Py<PyString>, Option<Default>)]>;

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
        time.offset.map(|seconds| zone(self.py, seconds)).transpose()
    }
}

/// `datetime.timezone` for an offset.
fn zone(py: Python<'_>, seconds: i32) -> PyResult<Bound<'_, PyTzInfo>> {
    if seconds == 0 {
        return PyTzInfo::utc(py).map(|utc| utc.to_owned());
    }
    PyTzInfo::fixed_offset(py, PyDelta::new(py, 0, seconds, 0, true)?)
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
        PyString::new(self.py, value).into_any()
    }

    fn bytes(&mut self, value: &[u8]) -> Self::Value {
        PyBytes::new(self.py, value).into_any()
    }

    fn decimal(&mut self, literal: &str) -> Self::Value {
        let built = names::DECIMAL.get(self.py).and_then(|class| class.call1((literal,)));
        self.built(built)
    }

    fn uuid(&mut self, value: [u8; 16]) -> Self::Value {
        let built = uuid_of(self.py, u128::from_be_bytes(value));
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

    fn list(&mut self, container: Container, items: Vec<Self::Value>) -> Self::Value {
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

    fn structure(&mut self, of: &Struct, slots: Vec<Option<Self::Value>>) -> Result<Self::Value, Vec<Error>> {
        let built = match self.classes.get(of.class as usize) {
            Some(Class::Call { target, names }) => {
                call_with_keywords(target.bind(self.py), names.bind(self.py), &slots)
            }
            Some(Class::Record { target, fields, members }) => {
                record_of(target.bind(self.py), fields, members.as_ref(), slots)
            }
            Some(Class::Dict { fields }) => dict_of(self.py, fields, slots),
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

/// `target(**{name: slot})` for the slots that are present.
fn call_with_keywords<'py>(
    target: &Bound<'py, PyAny>,
    names: &Bound<'py, PyTuple>,
    slots: &[Option<Bound<'py, PyAny>>],
) -> PyResult<Bound<'py, PyAny>> {
    let arguments: Vec<*mut ffi::PyObject> = slots.iter().flatten().map(Bound::as_ptr).collect();
    let present = if arguments.len() == slots.len() {
        names.clone()
    } else {
        let present = slots.iter().zip(names.iter()).filter(|(slot, _)| slot.is_some());
        PyTuple::new(target.py(), present.map(|(_, name)| name).collect::<Vec<_>>())?
    };
    vectorcall(target, &arguments, 0, Some(&present))
}

/// Calls `target` with `arguments`, of which the first `positional` are positional and the rest named by `keywords`.
pub(crate) fn vectorcall<'py>(
    target: &Bound<'py, PyAny>,
    arguments: &[*mut ffi::PyObject],
    positional: usize,
    keywords: Option<&Bound<'py, PyTuple>>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = keywords.map_or(std::ptr::null_mut(), |names| names.as_ptr());
    // SAFETY: the caller holds references to every argument for the duration of the call; their number is
    // `positional` plus the length of `names`; the result is a new reference or null with an exception set.
    unsafe {
        let result = ffi::PyObject_Vectorcall(target.as_ptr(), arguments.as_ptr(), positional, names);
        Bound::from_owned_ptr_or_err(target.py(), result)
    }
}

fn record_of<'py>(
    target: &Bound<'py, PyType>,
    fields: &[(Py<PyString>, Option<Default>)],
    members: Option<&Members>,
    slots: Vec<Option<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = target.py();
    let instance = bare_instance(target)?;
    for (index, ((name, default), slot)) in fields.iter().zip(slots).enumerate() {
        let value = match (slot, default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.get(py)?,
            (None, None) => continue,
        };
        match members {
            Some(members) => members.set_new(&instance, index, value),
            None => instance.setattr(name.bind(py), value)?,
        }
    }
    Ok(instance)
}

/// `object.__new__(target)`.
fn bare_instance<'py>(target: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: registration made sure that the class takes its `__new__` from `object`, whose whole work is `tp_alloc`;
    // `PyType_GenericAlloc` is the `tp_alloc` of every class made in Python. The result is a new reference or null with an
    // exception set.
    unsafe { Bound::from_owned_ptr_or_err(target.py(), ffi::PyType_GenericAlloc(target.as_type_ptr(), 0)) }
}

/// `uuid.UUID(int=number)` without its argument checks, which are written in Python.
fn uuid_of(py: Python<'_>, number: u128) -> PyResult<Bound<'_, PyAny>> {
    let instance = bare_instance(names::UUID.get(py)?.cast::<PyType>()?)?;
    let set = |name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>| {
        // SAFETY: three live objects; what `UUID.__init__` itself does, as the class refuses plain assignment.
        let status =
            unsafe { ffi::PyObject_GenericSetAttr(instance.as_ptr(), name.as_ptr(), value.as_ptr()) };
        if status == 0 { Ok(()) } else { Err(PyErr::fetch(py)) }
    };
    set(intern!(py, "int"), &number.into_pyobject(py)?.into_any())?;
    set(intern!(py, "is_safe"), names::UNKNOWN_SAFETY.get(py)?)?;
    Ok(instance)
}

fn dict_of<'py>(
    py: Python<'py>,
    fields: &[(Py<PyString>, Option<Default>)],
    slots: Vec<Option<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for ((name, default), slot) in fields.iter().zip(slots) {
        match (slot, default) {
            (Some(value), _) => dict.set_item(name, value)?,
            (None, Some(default)) => dict.set_item(name, default.get(py)?)?,
            (None, None) => {}
        }
    }
    Ok(dict.into_any())
}

/// What checks gave: the value, and `[(code, message), …]`.
fn checked<'py>(found: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Vec<Error>)> {
    let (value, errors): (Bound<'py, PyAny>, Vec<(String, String)>) = found.extract()?;
    Ok((value, errors.into_iter().map(|(code, message)| Error::new(code, message)).collect()))
}

/// A pydantic `ValidationError` in our own terms; anything else is an error of this function.
fn foreign_errors(py: Python<'_>, error: &PyErr) -> PyResult<Vec<Error>> {
    let options = PyDict::new(py);
    for name in ["include_url", "include_context", "include_input"] {
        options.set_item(name, false)?;
    }
    let items = error.value(py).call_method("errors", (), Some(&options))?;
    items.try_iter()?.map(|item| foreign_error(&item?)).collect()
}

fn foreign_error(item: &Bound<'_, PyAny>) -> PyResult<Error> {
    let mut loc = Vec::new();
    for step in item.get_item("loc")?.try_iter()? {
        let step = step?;
        loc.push(match step.extract::<usize>() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(step.str()?.to_string().into()),
        });
    }
    let mut error =
        Error::new(item.get_item("type")?.extract::<String>()?, item.get_item("msg")?.extract::<String>()?);
    error.loc = loc;
    Ok(error)
}

//! Raw value → internal value: each DRF field's `to_internal_value` for the plain forms it is made for.

use plectrum_schema::plain;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::super::scalar;
use super::super::step::unknown;
use super::check::Check;
use super::failure::{Errors, Failure};
use super::record::Nested;
use super::session::{Session, Zone};
use super::{moment, text};
use crate::{names, uuids};

/// Nesting of JSON past this is left to Python, which tells a cycle from a deep value.
const MAX_DEPTH: usize = 100;
/// Floats hold every integer up to here.
const MAX_EXACT: u64 = 1 << 53;

/// How a field reads its input.
pub(super) enum Parse {
    Text {
        trims: bool,
        takes_blank: bool,
    },
    Integer,
    Float,
    Boolean,
    Decimal {
        places: Option<usize>,
        digits: Option<usize>,
        whole: Option<usize>,
    },
    /// In a zone of its own, or the current one.
    DateTime(Option<Py<PyAny>>),
    Date,
    Time,
    Duration,
    Uuid,
    Choice {
        choices: Py<PyDict>,
        takes_blank: bool,
    },
    Choices {
        choices: Py<PyDict>,
        takes_empty: bool,
    },
    Items {
        child: Box<Check>,
        takes_empty: bool,
    },
    Members {
        child: Box<Check>,
        takes_empty: bool,
    },
    Json,
    Any,
    Record(Nested),
}

/// What came of it.
pub(super) enum Parsed<'py> {
    /// To be seen by the validators.
    Value(Bound<'py, PyAny>),
    /// Past them.
    Done(Bound<'py, PyAny>),
    /// DRF's to read.
    Unknown,
}

impl Parse {
    /// From `(kind, …)`.
    pub(super) fn new(description: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let (kind, rest) = (description.get_item(0)?, |index| description.get_item(index));
        let child = || Check::new(rest(1)?, rest(2)?.cast::<PyTuple>()?).map(Box::new);
        let choices = || Ok::<_, PyErr>(rest(1)?.cast_into::<PyDict>()?.unbind());
        Ok(match kind.cast::<PyString>()?.to_str()? {
            "text" => Self::Text { trims: rest(1)?.extract()?, takes_blank: rest(2)?.extract()? },
            "integer" => Self::Integer,
            "float" => Self::Float,
            "boolean" => Self::Boolean,
            "decimal" => Self::Decimal {
                places: rest(1)?.extract()?,
                digits: rest(2)?.extract()?,
                whole: rest(3)?.extract()?,
            },
            "datetime" => Self::DateTime(None),
            "datetime in" => Self::DateTime(Some(rest(1)?.unbind())),
            "date" => Self::Date,
            "time" => Self::Time,
            "duration" => Self::Duration,
            "uuid" => Self::Uuid,
            "choice" => Self::Choice { choices: choices()?, takes_blank: rest(2)?.extract()? },
            "choices" => Self::Choices { choices: choices()?, takes_empty: rest(2)?.extract()? },
            "items" => Self::Items { child: child()?, takes_empty: rest(3)?.extract()? },
            "members" => Self::Members { child: child()?, takes_empty: rest(3)?.extract()? },
            "json" => Self::Json,
            "any" => Self::Any,
            "record" => Self::Record(Nested::new(rest(1)?.unbind())),
            kind => return Err(unknown(kind)),
        })
    }

    /// The internal value of `raw`, where that is plain.
    pub(super) fn read<'py>(&self, raw: &Bound<'py, PyAny>, session: &Session<'py>) -> PyResult<Parsed<'py>> {
        let found = match self {
            Self::Text { trims, takes_blank } => return read_text(raw, *trims, *takes_blank),
            Self::Record(nested) => return nested.run(raw, session).map(Parsed::Done),
            Self::Items { child, takes_empty } => match raw.cast_exact::<PyList>() {
                Ok(items) if *takes_empty || !items.is_empty() => Some(child.items(items, session)?),
                _ => None,
            },
            Self::Members { child, takes_empty } => match raw.cast_exact::<PyDict>() {
                Ok(members) if *takes_empty || !members.is_empty() => Some(child.members(members, session)?),
                _ => None,
            },
            Self::Choice { choices, takes_blank } => read_choice(choices.bind(raw.py()), raw, *takes_blank)?,
            Self::Choices { choices, takes_empty } => {
                read_choices(choices.bind(raw.py()), raw, *takes_empty)?
            }
            Self::Decimal { places, digits, whole } => {
                let precision = digits.map_or_else(|| session.precision(), Ok)?;
                read_decimal(raw, *places, *digits, *whole, precision)
            }
            Self::DateTime(own) => match raw.cast_exact::<PyString>().ok().and_then(text::ascii) {
                Some(text) => {
                    let zone =
                        own.as_ref().map_or_else(|| session.zone(), |own| Zone::new(own.bind(raw.py())))?;
                    moment::datetime(text, &zone)
                }
                None => None,
            },
            _ => self.read_scalar(raw),
        };
        Ok(found.map_or(Parsed::Unknown, Parsed::Value))
    }

    fn read_scalar<'py>(&self, raw: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let (py, text) = (raw.py(), raw.cast_exact::<PyString>().ok().and_then(text::ascii));
        match (self, text) {
            (Self::Any, _) => Some(raw.clone()),
            (Self::Json, _) => is_json(raw, 0).then(|| raw.clone()),
            (Self::Boolean, None) => raw.is_exact_instance_of::<PyBool>().then(|| raw.clone()),
            (Self::Integer, Some(text)) => Some(plain::integer(text)?.into_pyobject(py).ok()?.into_any()),
            (Self::Integer, None) => small_integer(raw).map(|_| raw.clone()),
            (Self::Float, None) => read_float(raw),
            (Self::Date, Some(text)) => moment::date(text, py),
            (Self::Time, Some(text)) => moment::time(text, py),
            (Self::Duration, Some(text)) => moment::duration(text, py),
            (Self::Uuid, Some(text)) => uuids::make(py, plain::uuid(text)?).ok(),
            (Self::Uuid, None) => uuids::is_exact(raw).ok()?.then(|| raw.clone()),
            _ => None,
        }
    }

    pub(super) fn is_current(&self, py: Python<'_>) -> bool {
        match self {
            Self::Items { child, .. } | Self::Members { child, .. } => child.is_current(py),
            _ => true,
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::DateTime(Some(zone)) => visit.call(zone),
            Self::Choice { choices, .. } | Self::Choices { choices, .. } => visit.call(choices),
            Self::Items { child, .. } | Self::Members { child, .. } => child.traverse(visit),
            Self::Record(nested) => nested.traverse(visit),
            _ => Ok(()),
        }
    }
}

impl Check {
    /// `ListField.run_child_validation`.
    fn items<'py>(&self, items: &Bound<'py, PyList>, session: &Session<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (py, result, mut errors) = (items.py(), PyList::empty(items.py()), Errors::default());
        for (index, item) in items.iter().enumerate() {
            match self.run(Some(item), session, py) {
                Ok(value) => result.append(value)?,
                Err(error) => errors.add(index, Failure::of(error, py)?, py)?,
            }
        }
        errors.raise(py)?;
        Ok(result.into_any())
    }

    /// `DictField.run_child_validation`, which does not catch Django's errors.
    fn members<'py>(
        &self,
        members: &Bound<'py, PyDict>,
        session: &Session<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, result, mut errors) = (members.py(), PyDict::new(members.py()), Errors::default());
        for (key, item) in members.copy()?.iter() {
            let key = key.str()?;
            match self.run(Some(item), session, py) {
                Ok(value) => result.set_item(key, value)?,
                Err(error) => match Failure::of(error, py)? {
                    Failure::Django(error) => return Err(error),
                    failure => errors.add(key, failure, py)?,
                },
            }
        }
        errors.raise(py)?;
        Ok(result.into_any())
    }
}

fn read_text<'py>(raw: &Bound<'py, PyAny>, trims: bool, takes_blank: bool) -> PyResult<Parsed<'py>> {
    let Ok(text) = raw.cast_exact::<PyString>() else { return Ok(Parsed::Unknown) };
    let edges = text::edges(text)?;
    if !(edges.empty || edges.untidy && trims) {
        return Ok(Parsed::Value(raw.clone()));
    }
    let text = if trims { text.call_method0(intern!(raw.py(), "strip"))? } else { raw.clone() };
    Ok(match (text.len()?, takes_blank) {
        (0, true) => Parsed::Done(PyString::intern(raw.py(), "").into_any()),
        (0, false) => Parsed::Unknown,
        _ => Parsed::Value(text),
    })
}

fn small_integer(raw: &Bound<'_, PyAny>) -> Option<i64> {
    raw.cast_exact::<PyInt>().ok()?.extract().ok()
}

fn read_float<'py>(raw: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    if let Ok(float) = raw.cast_exact::<PyFloat>() {
        return float.value().is_finite().then(|| raw.clone());
    }
    let whole = small_integer(raw).filter(|whole| whole.unsigned_abs() <= MAX_EXACT)?;
    Some(PyFloat::new(raw.py(), whole as f64).into_any())
}

/// The `Decimal` of plain digits, with zeros up to `places`, where nothing is rounded and nothing exceeds.
fn read_decimal<'py>(
    raw: &Bound<'py, PyAny>,
    places: Option<usize>,
    digits: Option<usize>,
    whole: Option<usize>,
    precision: usize,
) -> Option<Bound<'py, PyAny>> {
    let py = raw.py();
    let kind = names::DECIMAL.get(py).ok()?;
    let text = match raw.cast_exact::<PyString>() {
        Ok(text) => text.clone(),
        Err(_) if is_number(raw) || raw.get_type().is(kind) => raw.str().ok()?,
        Err(_) => return None,
    };
    let plain_text = text::ascii(&text)?;
    let found = plain::decimal(plain_text).filter(|_| plain_text.len() <= 100)?;
    let within = |count: usize, most: Option<usize>| most.is_none_or(|most| count <= most);
    if !(within(found.total, digits) && within(found.fraction, places) && within(found.whole, whole)) {
        return None;
    }
    match scalar::missing_zeros(plain_text, places, precision)? {
        0 => kind.call1((text,)).ok(),
        zeros => {
            let point = if found.fraction == 0 { "." } else { "" };
            kind.call1((format!("{plain_text}{point}{:0<zeros$}", ""),)).ok()
        }
    }
}

fn is_number(raw: &Bound<'_, PyAny>) -> bool {
    raw.is_exact_instance_of::<PyInt>() || raw.is_exact_instance_of::<PyFloat>()
}

fn read_choice<'py>(
    choices: &Bound<'py, PyDict>,
    raw: &Bound<'py, PyAny>,
    takes_blank: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(text) = raw.cast_exact::<PyString>() {
        return if takes_blank && text.len()? == 0 { Ok(Some(raw.clone())) } else { choices.get_item(text) };
    }
    if small_integer(raw).is_some() { choices.get_item(raw.str()?) } else { Ok(None) }
}

/// The choices without repetition, in the order of their first mention.
fn read_choices<'py>(
    choices: &Bound<'py, PyDict>,
    raw: &Bound<'py, PyAny>,
    takes_empty: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(items) = raw.cast_exact::<PyList>() else { return Ok(None) };
    if items.is_empty() && !takes_empty {
        return Ok(None);
    }
    let unique = PyDict::new(raw.py());
    for item in items {
        match read_choice(choices, &item, false)? {
            Some(choice) => unique.set_item(choice, raw.py().None())?,
            None => return Ok(None),
        }
    }
    Ok(Some(unique.keys().into_any()))
}

/// Whether `json.dumps` surely accepts a value.
fn is_json(value: &Bound<'_, PyAny>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    if value.is_none() || value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyBool>() {
        return true;
    }
    if value.is_exact_instance_of::<PyInt>() {
        return small_integer(value).is_some();
    }
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        return float.value().is_finite();
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return list.iter().all(|item| is_json(&item, depth + 1));
    }
    value.cast_exact::<PyDict>().is_ok_and(|dict| {
        dict.iter().all(|(key, item)| key.is_exact_instance_of::<PyString>() && is_json(&item, depth + 1))
    })
}

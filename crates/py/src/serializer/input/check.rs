//! One field's `run_validation`.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::super::step::unknown;
use super::parse::{Parse, Parsed};
use super::rules::Rules;
use super::session::Session;
use crate::names;

/// A field and what is known of it.
pub(super) struct Check {
    pub(super) field: Py<PyAny>,
    /// `None` where only Python knows.
    known: Option<Known>,
}

struct Known {
    missing: Missing,
    /// Whether `None` is taken as it is.
    takes_null: bool,
    parse: Parse,
    rules: Rules,
}

/// What becomes of a field without input, unless the update is partial.
enum Missing {
    /// Nothing is said of it.
    Skip,
    /// The default.
    Value(Py<PyAny>),
    /// An error, or a default that is made.
    Python,
}

impl Check {
    /// From `(field, description)` as `plectrum.drf.accept` writes it.
    pub(super) fn new(field: Bound<'_, PyAny>, description: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let known = match description.get_item(0)?.cast::<PyString>()?.to_str()? {
            "python" => None,
            "known" => Some(Known::new(description)?),
            kind => return Err(unknown(kind)),
        };
        Ok(Self { field: field.unbind(), known })
    }

    /// The internal value of what the input has, `None` of a field that is left out.
    pub(super) fn run<'py>(
        &self,
        raw: Option<Bound<'py, PyAny>>,
        session: &Session<'py>,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(known) = &self.known else { return self.ask(raw, session, py).map(Some) };
        let Some(raw) = raw else {
            return match &known.missing {
                _ if session.is_partial()? => Ok(None),
                Missing::Skip => Ok(None),
                Missing::Value(value) => Ok(Some(value.bind(py).clone())),
                Missing::Python => self.ask(None, session, py).map(Some),
            };
        };
        if raw.is_none() {
            return if known.takes_null { Ok(Some(raw)) } else { self.ask(Some(raw), session, py).map(Some) };
        }
        match known.parse.read(&raw, session)? {
            Parsed::Done(value) => Ok(Some(value)),
            Parsed::Value(value) => {
                if !known.rules.hold(&value)? {
                    session.python_runs();
                    self.field.bind(py).call_method1(intern!(py, "run_validators"), (&value,))?;
                }
                Ok(Some(value))
            }
            Parsed::Unknown => self.ask(Some(raw), session, py).map(Some),
        }
    }

    /// The Python way.
    fn ask<'py>(
        &self,
        raw: Option<Bound<'py, PyAny>>,
        session: &Session<'py>,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        session.python_runs();
        let raw = raw.map_or_else(|| names::EMPTY.get(py).cloned(), Ok)?;
        self.field.bind(py).call_method1(intern!(py, "run_validation"), (raw,))
    }

    pub(super) fn is_current(&self, py: Python<'_>) -> bool {
        self.known.as_ref().is_none_or(|known| known.rules.is_current(py) && known.parse.is_current(py))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.field)?;
        let Some(known) = &self.known else { return Ok(()) };
        if let Missing::Value(value) = &known.missing {
            visit.call(value)?;
        }
        known.parse.traverse(visit)?;
        known.rules.traverse(visit)
    }
}

impl Known {
    /// From `("known", missing, takes_null, parse, rules)`.
    fn new(description: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let missing = description.get_item(1)?.cast_into::<PyTuple>()?;
        let missing = match missing.get_item(0)?.cast::<PyString>()?.to_str()? {
            "skip" => Missing::Skip,
            "value" => Missing::Value(missing.get_item(1)?.unbind()),
            "python" => Missing::Python,
            kind => return Err(unknown(kind)),
        };
        Ok(Self {
            missing,
            takes_null: description.get_item(2)?.extract()?,
            parse: Parse::new(description.get_item(3)?.cast::<PyTuple>()?)?,
            rules: Rules::new(&description.get_item(4)?)?,
        })
    }
}

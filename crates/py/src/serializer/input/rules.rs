//! The validators whose answer is known. `false` means "ask them".

use plectrum_schema::plain;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::super::step::unknown;
use super::text;

/// The validators of a field.
pub(super) struct Rules {
    /// `None` where only Python knows.
    known: Option<Vec<Rule>>,
    /// The list as it is, and what it held: validators may be appended to it.
    list: Py<PyList>,
    held: Py<PyTuple>,
}

enum Rule {
    MaxLength(usize),
    MinLength(usize),
    /// Values not greater than.
    Max(Py<PyAny>),
    Min(Py<PyAny>),
    /// No NUL, no surrogates.
    Clean,
    Email,
    Url,
    Slug,
    /// A pattern's `search`, and whether to find nothing is right.
    Pattern {
        search: Py<PyAny>,
        inverse: bool,
    },
}

impl Rules {
    /// From `(list, [(kind, …), …] or None)`.
    pub(super) fn new(description: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (list, known): (Bound<'_, PyList>, Option<Vec<Bound<'_, PyTuple>>>) = description.extract()?;
        let known = known.map(|rules| rules.iter().map(Rule::new).collect::<PyResult<_>>()).transpose()?;
        Ok(Self { known, held: list.to_tuple().unbind(), list: list.unbind() })
    }

    /// Whether every validator accepts the value, as far as is known without asking them.
    pub(super) fn hold(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Some(known) = &self.known else { return Ok(false) };
        for rule in known {
            if !rule.holds(value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn is_current(&self, py: Python<'_>) -> bool {
        let (list, held) = (self.list.bind(py), self.held.bind(py));
        list.len() == held.len() && list.iter().zip(held.iter()).all(|(now, then)| now.is(&then))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.list)?;
        visit.call(&self.held)?;
        self.known.iter().flatten().try_for_each(|rule| rule.traverse(visit))
    }
}

impl Rule {
    fn new(description: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let (kind, rest) = (description.get_item(0)?, |index| description.get_item(index));
        Ok(match kind.cast::<PyString>()?.to_str()? {
            "max length" => Self::MaxLength(rest(1)?.extract()?),
            "min length" => Self::MinLength(rest(1)?.extract()?),
            "max" => Self::Max(rest(1)?.unbind()),
            "min" => Self::Min(rest(1)?.unbind()),
            "clean" => Self::Clean,
            "email" => Self::Email,
            "url" => Self::Url,
            "slug" => Self::Slug,
            "pattern" => Self::Pattern { search: rest(1)?.unbind(), inverse: rest(2)?.extract()? },
            kind => return Err(unknown(kind)),
        })
    }

    fn holds(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = value.py();
        let is_plain = |accepts: fn(&str) -> bool| {
            value.cast_exact::<PyString>().ok().and_then(text::ascii).is_some_and(accepts)
        };
        Ok(match self {
            Self::MaxLength(most) => value.len().is_ok_and(|length| length <= *most),
            Self::MinLength(least) => value.len().is_ok_and(|length| length >= *least),
            Self::Max(limit) => value.gt(limit).is_ok_and(|greater| !greater),
            Self::Min(limit) => value.lt(limit).is_ok_and(|less| !less),
            Self::Clean => text::is_clean(value.cast_exact::<PyString>()?)?,
            Self::Email => is_plain(plain::is_email),
            Self::Url => is_plain(plain::is_url),
            Self::Slug => is_plain(plain::is_slug),
            Self::Pattern { search, inverse } => search.bind(py).call1((value,))?.is_none() == *inverse,
        })
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Max(limit) | Self::Min(limit) => visit.call(limit),
            Self::Pattern { search, .. } => visit.call(search),
            _ => Ok(()),
        }
    }
}

//! Values whose type is known beforehand: what they probably are is tried first.

use plectrum_json::{text, time, uuid};
use plectrum_schema::node::Node;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyFloat, PyInt, PyString};

use super::moment::{days_of, encode_datetime, out_of_range};
use super::{encode, encode_float, encode_int, write_formatted};
use crate::{names, uuids};

/// What a value probably is.
#[derive(Clone, Copy)]
pub(crate) enum Guess {
    Text,
    Int,
    Bool,
    Float,
    Decimal,
    Uuid,
    Date,
    DateTime,
}

impl Guess {
    /// What values of a type are; `None` where its name does not say.
    pub(crate) fn of(node: &Node) -> Option<Self> {
        Some(match node {
            Node::Str(_) => Self::Text,
            Node::Int(_) => Self::Int,
            Node::Bool => Self::Bool,
            Node::Float(_) => Self::Float,
            Node::Decimal(_) => Self::Decimal,
            Node::Uuid => Self::Uuid,
            Node::Date => Self::Date,
            Node::Datetime => Self::DateTime,
            _ => return None,
        })
    }

    /// As [`encode`], which also writes what the guess was wrong about.
    #[inline(never)] // once, with all that it calls within it
    pub(crate) fn encode(self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        match self {
            Self::Text => {
                if let Ok(found) = value.cast_exact::<PyString>() {
                    text::write(out, found.to_str()?);
                    return Ok(());
                }
            }
            Self::Int => {
                if let Ok(found) = value.cast_exact::<PyInt>() {
                    return encode_int(found, out);
                }
            }
            Self::Bool => {
                if let Ok(found) = value.cast_exact::<PyBool>() {
                    plectrum_json::write_bool(out, found.is_true());
                    return Ok(());
                }
            }
            Self::Float => {
                if let Ok(found) = value.cast_exact::<PyFloat>() {
                    return encode_float(found.value(), out);
                }
            }
            Self::DateTime => {
                if let Ok(found) = value.cast_exact::<PyDateTime>() {
                    return encode_datetime(found, out);
                }
            }
            Self::Date => {
                if let Ok(found) = value.cast_exact::<PyDate>() {
                    return time::write_date(out, days_of(found)).map_err(|_| out_of_range());
                }
            }
            Self::Decimal => {
                if value.get_type().is(names::DECIMAL.get(value.py())?) {
                    return encode_decimal(value, out);
                }
            }
            Self::Uuid => {
                if uuids::is_exact(value)? {
                    uuid::write(out, &uuids::number_of(value)?.to_be_bytes());
                    return Ok(());
                }
            }
        }
        encode(value, out)
    }
}

/// A decimal: `str()` costs less than `format()`, and is the same where it has no exponent.
fn encode_decimal(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let written = value.str()?;
    let digits = written.to_str()?;
    if digits.bytes().any(|byte| matches!(byte, b'E' | b'e')) {
        return write_formatted(value, out);
    }
    text::write(out, digits);
    Ok(())
}

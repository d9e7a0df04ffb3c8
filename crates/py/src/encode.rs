//! Python values → JSON text.
//!
//! Exact built-in types are recognised by their type pointer. Any other class is asked about once
//! (`plectrum.encoding.classify`) and remembered per thread, so no lock stands on the way.

mod guess;
mod moment;
mod rule;

use plectrum_json::{base64, number, text, time, uuid};
use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyString, PyTime, PyTuple,
};

pub(crate) use guess::Guess;
use moment::{days_of, encode_datetime, encode_time, micros_of_delta};
pub(crate) use moment::{instant_of, out_of_range};
pub(crate) use rule::{Asks, asks};
use rule::{Fields, Rule, rule_of};

use crate::uuids;

/// Nesting past this is refused: it is a cycle or an attack.
const MAX_DEPTH: usize = 200;

/// Appends `value` as JSON.
///
/// # Errors
/// `TypeError` for a class with no JSON form, `ValueError` for NaN and infinities, or what the value's own code raised.
/// `out` then holds a partial text; the caller drops it.
pub(crate) fn encode(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    encode_at(value, out, 0)
}

fn encode_at(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    if let Ok(string) = value.cast_exact::<PyString>() {
        text::write(out, string.to_str()?);
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        return encode_dict(dict, out, deeper(depth)?);
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        return encode_items(list.iter(), out, deeper(depth)?);
    } else if let Ok(int) = value.cast_exact::<PyInt>() {
        return encode_int(int, out);
    } else if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(bool) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if bool.is_true() { b"true" } else { b"false" });
    } else if let Ok(float) = value.cast_exact::<PyFloat>() {
        return encode_float(float.value(), out);
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return encode_items(tuple.iter(), out, deeper(depth)?);
    } else if let Ok(moment) = value.cast_exact::<PyDateTime>() {
        return encode_datetime(moment, out);
    } else {
        return encode_by_rule(value, out, depth);
    }
    Ok(())
}

fn deeper(depth: usize) -> PyResult<usize> {
    if depth == MAX_DEPTH {
        return Err(PyRecursionError::new_err(format!(
            "The value is nested deeper than {MAX_DEPTH} levels; JSON cannot express a cycle."
        )));
    }
    Ok(depth + 1)
}

fn encode_dict(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    let mut separator = b'{';
    for (key, value) in dict.iter() {
        out.push(separator);
        separator = b',';
        encode_key(&key, out)?;
        out.push(b':');
        encode_at(&value, out, depth)?;
    }
    if separator == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

/// Keys as `json.dumps` writes them, and besides dates, uuids and enum members by their own text.
pub(crate) fn encode_key(key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(string) = key.cast_exact::<PyString>() {
        text::write(out, string.to_str()?);
        return Ok(());
    }
    let mut written = Vec::new();
    encode_at(key, &mut written, MAX_DEPTH)?;
    if written.first() == Some(&b'"') {
        out.extend_from_slice(&written);
    } else {
        out.push(b'"');
        out.extend_from_slice(&written);
        out.push(b'"');
    }
    Ok(())
}

fn encode_items<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: usize,
) -> PyResult<()> {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        encode_at(&item, out, depth)?;
    }
    out.push(b']');
    Ok(())
}

#[inline]
fn encode_int(int: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match int.extract::<i64>() {
        Ok(small) => number::write_i64(out, small),
        Err(_) => out.extend_from_slice(
            int.py().get_type::<PyInt>().call_method1("__repr__", (int,))?.str()?.to_str()?.as_bytes(),
        ),
    }
    Ok(())
}

fn encode_float(value: f64, out: &mut Vec<u8>) -> PyResult<()> {
    number::write_f64(out, value).map_err(|_| {
        PyValueError::new_err(format!("{value} has no JSON form (RFC 8259 has no NaN and no infinities)."))
    })
}

fn encode_by_rule(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    match &*rule_of(value)? {
        Rule::Str => text::write(out, value.cast::<PyString>()?.to_str()?),
        Rule::Bool => out.extend_from_slice(if value.is_truthy()? { b"true" } else { b"false" }),
        Rule::Int => return encode_int(value.cast::<PyInt>()?, out),
        Rule::Float => return encode_float(value.cast::<PyFloat>()?.value(), out),
        Rule::Decimal => write_formatted(value, out)?,
        Rule::Uuid => uuid::write(out, &uuids::number_of(value)?.to_be_bytes()),
        Rule::DateTime => return encode_datetime(value.cast::<PyDateTime>()?, out),
        Rule::Date => {
            return time::write_date(out, days_of(value.cast::<PyDate>()?)).map_err(|_| out_of_range());
        }
        Rule::Time => return encode_time(value.cast::<PyTime>()?, out),
        Rule::Duration => time::write_duration(out, micros_of_delta(value.cast::<PyDelta>()?)),
        Rule::Bytes => base64::write(
            out,
            value.py().get_type::<PyBytes>().call1((value,))?.cast::<PyBytes>()?.as_bytes(),
        ),
        Rule::Dict => return encode_dict(value.cast::<PyDict>()?, out, deeper(depth)?),
        Rule::List => {
            let items = value.try_iter()?.collect::<PyResult<Vec<_>>>()?;
            return encode_items(items.into_iter(), out, deeper(depth)?);
        }
        Rule::Enum => return encode_at(&value.getattr("value")?, out, deeper(depth)?),
        Rule::Fields(fields) => return encode_fields(value, fields, out, deeper(depth)?),
        Rule::Raw(function) => {
            out.extend_from_slice(function.bind(value.py()).call1((value,))?.cast::<PyBytes>()?.as_bytes());
        }
        Rule::Query => {
            return Err(PyTypeError::new_err(
                "A QuerySet stands inside of another value. Return it alone, or a dict of querysets and query results only.",
            ));
        }
        Rule::Answer(_) => {
            return Err(PyTypeError::new_err("A response stands inside of another value. Return it alone."));
        }
        Rule::Convert(function) => {
            return encode_at(&function.bind(value.py()).call1((value,))?, out, deeper(depth)?);
        }
    }
    Ok(())
}

/// A decimal without an exponent.
fn write_formatted(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let formatted = value.call_method1(intern!(value.py(), "__format__"), (intern!(value.py(), "f"),))?;
    text::write(out, formatted.cast::<PyString>()?.to_str()?);
    Ok(())
}

fn encode_fields(value: &Bound<'_, PyAny>, fields: &Fields, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    let mut separator = b'{';
    for (attribute, key) in &fields.each {
        let field = value.getattr(attribute.bind(value.py()))?;
        if field.is(&fields.unset) {
            continue;
        }
        out.push(separator);
        separator = b',';
        out.extend_from_slice(key);
        encode_at(&field, out, depth)?;
    }
    if separator == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

//! Python values → JSON text.
//!
//! Exact built-in types are recognised by their type pointer. Any other class is asked about once
//! (`plectrum.encoding.classify`) and remembered per thread, so no lock stands on the way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use plectrum_json::{base64, number, text, time, uuid};
use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyDict, PyFloat, PyInt, PyList, PyString,
    PyTime, PyTimeAccess, PyTuple, PyTzInfo, PyTzInfoAccess,
};

use crate::names;

/// Nesting past this is refused: it is a cycle or an attack.
const MAX_DEPTH: usize = 200;

/// How instances of a class are written.
enum Rule {
    Str,
    Bool,
    Int,
    Float,
    Decimal,
    Uuid,
    DateTime,
    Date,
    Time,
    Duration,
    Bytes,
    Dict,
    List,
    /// The member's value.
    Enum,
    /// Attribute and `"key":` of each field.
    Fields(Vec<(Py<PyString>, Box<[u8]>)>),
    /// A function to JSON bytes.
    Raw(Py<PyAny>),
    /// A function to a simpler value.
    Convert(Py<PyAny>),
    /// A QuerySet, or a result around one: executed, not encoded.
    Query,
}

thread_local! {
    /// Keyed by type address; the reference kept beside the rule keeps the address from being reused.
    static RULES: RefCell<HashMap<usize, (Py<PyAny>, Rc<Rule>)>> = RefCell::default();
}

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
fn encode_key(key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
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

fn encode_items<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
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

fn encode_int(int: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match int.extract::<i64>() {
        Ok(small) => number::write_i64(out, small),
        Err(_) => out.extend_from_slice(int.py().get_type::<PyInt>().call_method1("__repr__", (int,))?.str()?.to_str()?.as_bytes()),
    }
    Ok(())
}

fn encode_float(value: f64, out: &mut Vec<u8>) -> PyResult<()> {
    number::write_f64(out, value)
        .map_err(|_| PyValueError::new_err(format!("{value} has no JSON form (RFC 8259 has no NaN and no infinities).")))
}

fn encode_by_rule(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    match &*rule_of(value)? {
        Rule::Str => text::write(out, value.cast::<PyString>()?.to_str()?),
        Rule::Bool => out.extend_from_slice(if value.is_truthy()? { b"true" } else { b"false" }),
        Rule::Int => return encode_int(value.cast::<PyInt>()?, out),
        Rule::Float => return encode_float(value.cast::<PyFloat>()?.value(), out),
        Rule::Decimal => text::write(out, value.call_method1("__format__", ("f",))?.cast::<PyString>()?.to_str()?),
        Rule::Uuid => uuid::write(out, &value.getattr("int")?.extract::<u128>()?.to_be_bytes()),
        Rule::DateTime => return encode_datetime(value.cast::<PyDateTime>()?, out),
        Rule::Date => {
            return time::write_date(out, days_of(value.cast::<PyDate>()?)).map_err(|_| out_of_range());
        }
        Rule::Time => return encode_time(value.cast::<PyTime>()?, out),
        Rule::Duration => time::write_duration(out, micros_of_delta(value.cast::<PyDelta>()?)),
        Rule::Bytes => base64::write(out, value.py().get_type::<PyBytes>().call1((value,))?.cast::<PyBytes>()?.as_bytes()),
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
        Rule::Convert(function) => {
            return encode_at(&function.bind(value.py()).call1((value,))?, out, deeper(depth)?);
        }
    }
    Ok(())
}

fn encode_fields(
    value: &Bound<'_, PyAny>,
    fields: &[(Py<PyString>, Box<[u8]>)],
    out: &mut Vec<u8>,
    depth: usize,
) -> PyResult<()> {
    out.push(b'{');
    for (index, (attribute, key)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key);
        encode_at(&value.getattr(attribute.bind(value.py()))?, out, depth)?;
    }
    out.push(b'}');
    Ok(())
}

/// Whether a value is a QuerySet or a result around one.
pub(crate) fn is_query(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_exact_instance_of::<PyDict>() || value.is_exact_instance_of::<PyList>() || value.is_none() {
        return Ok(false);
    }
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyInt>() {
        return Ok(false);
    }
    Ok(matches!(&*rule_of(value)?, Rule::Query))
}

/// Microseconds since 1970 of an aware datetime; `None` for a naive one.
pub(crate) fn instant_of(value: &Bound<'_, PyDateTime>) -> PyResult<Option<i64>> {
    let local = local_micros(value);
    Ok(match offset_of(value.as_any(), value.get_tzinfo())? {
        time::Offset::Naive => None,
        time::Offset::Utc => Some(local),
        time::Offset::Seconds(seconds) => Some(local - i64::from(seconds) * 1_000_000),
    })
}

/// Microseconds since 1970 of what the clock on the wall shows.
fn local_micros(value: &Bound<'_, PyDateTime>) -> i64 {
    let days = time::days_from_civil(value.get_year(), value.get_month(), value.get_day());
    let clock = micros_of_day(value.get_hour(), value.get_minute(), value.get_second(), value.get_microsecond());
    i64::from(days) * 86_400_000_000 + clock
}

/// Days since 1970-01-01.
fn days_of(date: &Bound<'_, PyDate>) -> i32 {
    time::days_from_civil(date.get_year(), date.get_month(), date.get_day())
}

fn micros_of_day(hour: u8, minute: u8, second: u8, micro: u32) -> i64 {
    (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000 + i64::from(micro)
}

fn micros_of_delta(delta: &Bound<'_, PyDelta>) -> i128 {
    (i128::from(delta.get_days()) * 86_400 + i128::from(delta.get_seconds())) * 1_000_000
        + i128::from(delta.get_microseconds())
}

fn encode_datetime(value: &Bound<'_, PyDateTime>, out: &mut Vec<u8>) -> PyResult<()> {
    let local = local_micros(value);
    let offset = offset_of(value.as_any(), value.get_tzinfo())?;
    // The writer takes the instant and shifts it by the offset; what it then shows is the local time given here.
    let shift = match offset {
        time::Offset::Seconds(seconds) => i64::from(seconds) * 1_000_000,
        time::Offset::Naive | time::Offset::Utc => 0,
    };
    time::write_datetime(out, local - shift, offset).map_err(|_| out_of_range())
}

fn encode_time(value: &Bound<'_, PyTime>, out: &mut Vec<u8>) -> PyResult<()> {
    if value.get_tzinfo().is_some() {
        text::write(out, value.call_method0("isoformat")?.cast::<PyString>()?.to_str()?);
        return Ok(());
    }
    let micros = micros_of_day(value.get_hour(), value.get_minute(), value.get_second(), value.get_microsecond());
    time::write_time(out, micros).map_err(|_| out_of_range())
}

pub(crate) fn out_of_range() -> PyErr {
    PyValueError::new_err("The date or time is out of the range JSON dates are written in (years 1 to 9999).")
}

fn offset_of(value: &Bound<'_, PyAny>, zone: Option<Bound<'_, PyTzInfo>>) -> PyResult<time::Offset> {
    let Some(zone) = zone else { return Ok(time::Offset::Naive) };
    if zone.is(PyTzInfo::utc(value.py())?) {
        return Ok(time::Offset::Utc);
    }
    let offset = value.call_method0("utcoffset")?;
    if offset.is_none() {
        return Ok(time::Offset::Naive);
    }
    let offset = offset.cast::<PyDelta>()?;
    match offset.get_days() * 86_400 + offset.get_seconds() {
        0 => Ok(time::Offset::Utc),
        seconds => Ok(time::Offset::Seconds(seconds)),
    }
}

fn rule_of(value: &Bound<'_, PyAny>) -> PyResult<Rc<Rule>> {
    let class = value.get_type();
    let address = class.as_ptr() as usize;
    if let Some(rule) = RULES.with_borrow(|rules| rules.get(&address).map(|(_, rule)| Rc::clone(rule))) {
        return Ok(rule);
    }
    let rule = Rc::new(classify(class.as_any())?);
    RULES.with_borrow_mut(|rules| rules.insert(address, (class.into_any().unbind(), Rc::clone(&rule))));
    Ok(rule)
}

fn classify(class: &Bound<'_, PyAny>) -> PyResult<Rule> {
    let (kind, detail): (String, Bound<'_, PyAny>) = names::CLASSIFY.get(class.py())?.call1((class,))?.extract()?;
    Ok(match kind.as_str() {
        "str" => Rule::Str,
        "bool" => Rule::Bool,
        "int" => Rule::Int,
        "float" => Rule::Float,
        "decimal" => Rule::Decimal,
        "uuid" => Rule::Uuid,
        "datetime" => Rule::DateTime,
        "date" => Rule::Date,
        "time" => Rule::Time,
        "duration" => Rule::Duration,
        "bytes" => Rule::Bytes,
        "dict" => Rule::Dict,
        "list" => Rule::List,
        "enum" => Rule::Enum,
        "fields" => Rule::Fields(fields_of(&detail)?),
        "raw" => Rule::Raw(detail.unbind()),
        "convert" => Rule::Convert(detail.unbind()),
        "query" => Rule::Query,
        _ => {
            let name = class.getattr("__qualname__")?;
            return Err(PyTypeError::new_err(format!(
                "{name} has no JSON form. Return a dict, list, dataclass, Schema, msgspec.Struct, pydantic model, Django \
                 model or QuerySet, or convert it first."
            )));
        }
    })
}

fn fields_of(detail: &Bound<'_, PyAny>) -> PyResult<Vec<(Py<PyString>, Box<[u8]>)>> {
    let pairs: Vec<(String, String)> = detail.extract()?;
    Ok(pairs
        .into_iter()
        .map(|(attribute, key)| (PyString::intern(detail.py(), &attribute).unbind(), text::key(&key)))
        .collect())
}

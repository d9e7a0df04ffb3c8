//! Arguments to the wire: one Bind + Execute + Sync per execution.
//!
//! The format of each argument follows from the type the server described: binary where both sides have an obvious
//! one, PostgreSQL's text input form everywhere else.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use super::{array, oid};
use crate::error::Error;
use crate::value::Value;

/// Execute the unnamed portal without a row limit, then Sync.
pub(crate) const EXECUTE_SYNC: &[u8] = b"E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04";

/// Appends a Bind of `statement` to the unnamed portal; all results in binary. `types` is the type of each parameter,
/// 0 where unknown. On an error nothing is appended.
pub(crate) fn write(out: &mut BytesMut, statement: &str, types: &[u32], args: &[Value]) -> Result<(), Error> {
    if args.len() != types.len() {
        let why = format!("the statement takes {} arguments, got {}", types.len(), args.len());
        return Err(Error::Bind(args.len().min(types.len()), why));
    }
    let Ok(count) = u16::try_from(args.len()) else {
        return Err(Error::Bind(
            usize::from(u16::MAX),
            "more arguments than the protocol can count".to_owned(),
        ));
    };
    let start = out.len();
    out.extend_from_slice(b"B\0\0\0\0\0");
    out.extend_from_slice(statement.as_bytes());
    out.put_u8(0);
    out.put_u16(count);
    for (value, kind) in args.iter().zip(types) {
        out.put_u16(u16::from(is_binary(value, *kind)));
    }
    out.put_u16(count);
    for (index, (value, kind)) in args.iter().zip(types).enumerate() {
        if let Err(why) = sized(out, |out| argument(out, value, *kind), matches!(value, Value::Null)) {
            out.truncate(start);
            return Err(Error::Bind(index, why));
        }
    }
    out.extend_from_slice(&[0, 1, 0, 1]);
    patch(out, start + 1).map_err(|why| {
        out.truncate(start);
        Error::Bind(0, why)
    })
}

/// Writes a four-byte length, then what `content` appends; the length of NULL is -1.
pub(crate) fn sized(
    out: &mut BytesMut,
    content: impl FnOnce(&mut BytesMut) -> Result<(), String>,
    null: bool,
) -> Result<(), String> {
    if null {
        out.put_i32(-1);
        return Ok(());
    }
    let at = out.len();
    out.put_i32(0);
    content(out)?;
    let length = out.len() - at - 4;
    put_length(out, at, length)
}

/// Fills in a message's length, which counts itself.
fn patch(out: &mut BytesMut, at: usize) -> Result<(), String> {
    let length = out.len() - at;
    put_length(out, at, length)
}

fn put_length(out: &mut BytesMut, at: usize, length: usize) -> Result<(), String> {
    let length =
        i32::try_from(length).map_err(|_| format!("{length} bytes are more than PostgreSQL accepts"))?;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn is_binary(value: &Value, kind: u32) -> bool {
    match value {
        Value::Bool(_) => kind == oid::BOOL,
        Value::Int(_) => {
            matches!(kind, oid::INT8 | oid::INT4 | oid::INT2 | oid::OID | oid::FLOAT8 | oid::FLOAT4)
        }
        Value::Float(_) => matches!(kind, oid::FLOAT8 | oid::FLOAT4),
        Value::Bytes(_) => kind == oid::BYTEA,
        Value::Array(items) => array::binary_item(kind, items).is_some(),
        Value::Null | Value::Text(_) => false,
    }
}

fn argument(out: &mut BytesMut, value: &Value, kind: u32) -> Result<(), String> {
    match value {
        Value::Array(items) => match array::binary_item(kind, items) {
            Some(item) => array::write_binary(out, items, item),
            None => array::write_text(out, items),
        },
        scalar if is_binary(scalar, kind) => binary(out, scalar, kind),
        scalar => text(out, scalar, kind),
    }
}

/// A scalar in binary; [`is_binary`] said that it can be.
pub(crate) fn binary(out: &mut BytesMut, value: &Value, kind: u32) -> Result<(), String> {
    match (value, kind) {
        (Value::Bool(value), _) => out.put_u8(u8::from(*value)),
        (Value::Int(value), oid::INT8) => out.put_i64(*value),
        (Value::Int(value), oid::INT4) => out.put_i32(narrow(*value, "integer")?),
        (Value::Int(value), oid::INT2) => out.put_i16(narrow(*value, "smallint")?),
        (Value::Int(value), oid::OID) => out.put_u32(narrow(*value, "oid")?),
        (Value::Int(value), oid::FLOAT4) => out.put_f32(*value as f32),
        (Value::Int(value), _) => out.put_f64(*value as f64),
        (Value::Float(value), oid::FLOAT4) => out.put_f32(*value as f32),
        (Value::Float(value), _) => out.put_f64(*value),
        (Value::Bytes(value), _) => out.put_slice(value),
        (other, _) => return Err(format!("{other:?} has no binary form for type {kind}")),
    }
    Ok(())
}

fn narrow<T: TryFrom<i64>>(value: i64, name: &str) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("{value} is out of range for type {name}"))
}

fn text(out: &mut BytesMut, value: &Value, kind: u32) -> Result<(), String> {
    let written = match value {
        Value::Null => Ok(()),
        Value::Bool(value) => match kind {
            oid::INT8 | oid::INT4 | oid::INT2 | oid::NUMERIC => write!(out, "{}", u8::from(*value)),
            _ => write!(out, "{value}"),
        },
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{}", FloatText(*value)),
        Value::Text(value) => {
            out.put_slice(value.as_bytes());
            Ok(())
        }
        Value::Bytes(value) => write!(out, "{}", HexText(value)),
        Value::Array(items) => return array::write_text(out, items),
    };
    written.map_err(|_| "no room".to_owned())
}

/// A float as PostgreSQL reads it.
pub(crate) struct FloatText(pub(crate) f64);

impl std::fmt::Display for FloatText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            value if value.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("Infinity"),
            f64::NEG_INFINITY => f.write_str("-Infinity"),
            value => write!(f, "{value:e}"),
        }
    }
}

/// Bytes in `bytea`'s hex form.
pub(crate) struct HexText<'a>(pub(crate) &'a [u8]);

impl std::fmt::Display for HexText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\\x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;

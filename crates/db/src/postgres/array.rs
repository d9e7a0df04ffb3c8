//! Array arguments: binary for plain numbers, `{…}` text for everything else.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use super::bind::{self, FloatText, HexText};
use super::oid;
use crate::value::Value;

/// The item type if the server's array type and every item allow the binary form.
pub(crate) fn binary_item(kind: u32, items: &[Value]) -> Option<u32> {
    let (item, fits): (u32, fn(&Value) -> bool) = match kind {
        oid::INT8_ARRAY => (oid::INT8, |value| matches!(value, Value::Int(_))),
        oid::INT4_ARRAY => {
            (oid::INT4, |value| matches!(value, Value::Int(int) if i32::try_from(*int).is_ok()))
        }
        oid::INT2_ARRAY => {
            (oid::INT2, |value| matches!(value, Value::Int(int) if i16::try_from(*int).is_ok()))
        }
        oid::BOOL_ARRAY => (oid::BOOL, |value| matches!(value, Value::Bool(_))),
        oid::FLOAT8_ARRAY => (oid::FLOAT8, |value| matches!(value, Value::Float(_) | Value::Int(_))),
        _ => return None,
    };
    items.iter().all(|value| matches!(value, Value::Null) || fits(value)).then_some(item)
}

/// One dimension of `item`s.
pub(crate) fn write_binary(out: &mut BytesMut, items: &[Value], item: u32) -> Result<(), String> {
    let length = i32::try_from(items.len()).map_err(|_| "more items than an array can hold".to_owned())?;
    out.put_i32(i32::from(length > 0)); // dimensions
    out.put_i32(i32::from(items.contains(&Value::Null)));
    out.put_u32(item);
    if length > 0 {
        out.put_i32(length);
        out.put_i32(1); // lower bound
    }
    items.iter().try_for_each(|value| {
        bind::sized(out, |out| bind::binary(out, value, item), matches!(value, Value::Null))
    })
}

/// PostgreSQL's array input form; every item that could be misread is quoted.
pub(crate) fn write_text(out: &mut BytesMut, items: &[Value]) -> Result<(), String> {
    out.put_u8(b'{');
    for (index, value) in items.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        item_text(out, value)?;
    }
    out.put_u8(b'}');
    Ok(())
}

fn item_text(out: &mut BytesMut, value: &Value) -> Result<(), String> {
    let written = match value {
        Value::Null => out.write_str("NULL"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{}", FloatText(*value)),
        // The backslash of the hex form is itself escaped inside quotes.
        Value::Bytes(value) => write!(out, "\"\\{}\"", HexText(value)),
        Value::Array(items) => return write_text(out, items),
        Value::Text(value) => {
            quoted(out, value);
            Ok(())
        }
    };
    written.map_err(|_| "no room".to_owned())
}

fn quoted(out: &mut BytesMut, text: &str) {
    out.put_u8(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.put_u8(b'\\');
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
}

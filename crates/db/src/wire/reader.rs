//! One column's reader: chosen when the statement is described, used for every cell.

use plectrum_json::number::{write_f64, write_i32, write_i64};
use plectrum_json::{base64, uuid, write_bool};

use super::array::Array;
use super::cursor::fixed;
use super::number::{Decimal, Form};
use super::time::Stamp;
use super::{Unwritable, hstore, network, number, range, text, time};
use crate::choice::write_choice;
use crate::key::Key;
use crate::zone::Clock;

/// How a column's cells become JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reader {
    Bool,
    Int4,
    Int8,
    Float8,
    /// `int()` of another number.
    Int(Form),
    /// `float()` of another number.
    Float(Form),
    Decimal(Form, Decimal),
    Text,
    Uuid,
    Date,
    Time,
    TimeTz,
    Timestamp(Stamp),
    Interval,
    Bytes,
    Json,
    Jsonb,
    /// JSON in a column of any text.
    JsonText,
    Ip,
    /// A stored value's reader, and the names of the values.
    Enum(Box<(Reader, Vec<(String, String)>)>),
    File(Box<str>),
    Array(Box<Array>),
    Hstore,
    Range(Box<Reader>),
}

impl Reader {
    /// Appends a cell that is not NULL.
    #[inline]
    pub(crate) fn write(&self, cell: &[u8], clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        match self {
            Self::Text => text::write(cell, out)?,
            Self::Int4 => write_i32(out, i32::from_be_bytes(fixed(cell)?)),
            Self::Int8 => write_i64(out, i64::from_be_bytes(fixed(cell)?)),
            Self::Timestamp(stamp) => time::timestamp(*stamp, cell, clock, out)?,
            Self::Bool => write_bool(out, fixed::<1>(cell)?[0] != 0),
            Self::Decimal(form, decimal) => decimal.write(*form, cell, out)?,
            Self::Float8 => write_f64(out, f64::from_be_bytes(fixed(cell)?))?,
            Self::Uuid => uuid::write(out, &fixed(cell)?),
            Self::Date => time::date(cell, out)?,
            Self::Jsonb => text::write_jsonb(cell, out)?,
            Self::Json => text::write_json(cell, out)?,
            _ => self.write_uncommon(cell, clock, out)?,
        }
        Ok(())
    }

    /// The rest, kept out of the hot function.
    fn write_uncommon(&self, cell: &[u8], clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        match self {
            Self::Int(form) => number::write_int(*form, cell, out),
            Self::Float(form) => number::write_float(*form, cell, out),
            Self::Time => time::time(cell, out),
            Self::TimeTz => time::timetz(cell, out),
            Self::Interval => time::interval(cell, out),
            Self::Bytes => {
                base64::write(out, cell);
                Ok(())
            }
            Self::JsonText => text::write_json_text(cell, out),
            Self::Ip => network::write(cell, out),
            Self::Enum(choices) => write_enum(&choices.0, &choices.1, cell, clock, out),
            Self::File(base) => text::write_file(base, cell, out),
            Self::Array(array) => array.write(cell, clock, out),
            Self::Hstore => hstore::write(cell, out),
            Self::Range(item) => range::write(item, cell, clock, out),
            _ => Err("a reader without a writer".into()),
        }
    }

    /// Appends what Python's `str()` or `isoformat()` makes of the cell's value: numbers, dates and times.
    pub(super) fn write_str(&self, cell: &[u8], clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        match self {
            Self::Timestamp(Stamp::InstantAware) => time::isoformat(cell, clock, out),
            Self::Decimal(Form::Numeric, _) => number::write_str(cell, out),
            _ => {
                let mut json = Vec::with_capacity(32);
                self.write(cell, clock, &mut json)?;
                out.extend_from_slice(unquoted(&json));
                Ok(())
            }
        }
    }

    /// A cell as a relation's key.
    pub(crate) fn key(&self, cell: &[u8], clock: &Clock) -> Result<Key, Unwritable> {
        Ok(match self {
            Self::Int8 => Key::Int(i64::from_be_bytes(fixed(cell)?)),
            Self::Int4 => Key::Int(i32::from_be_bytes(fixed(cell)?).into()),
            Self::Uuid => Key::Uuid(fixed(cell)?),
            Self::Text => Key::Text(std::str::from_utf8(cell)?.into()),
            Self::Int(form) => match form.integer(cell)? {
                Some(integer) => Key::Int(integer),
                None => self.text_key(cell, clock)?,
            },
            _ => self.text_key(cell, clock)?,
        })
    }

    /// Dates and the like are keys by the text they are written as, which the server reads back.
    fn text_key(&self, cell: &[u8], clock: &Clock) -> Result<Key, Unwritable> {
        let mut json = Vec::with_capacity(32);
        self.write(cell, clock, &mut json)?;
        let text = match serde_json::from_slice::<String>(&json) {
            Ok(text) => text,
            Err(_) => std::str::from_utf8(&json)?.to_owned(),
        };
        Ok(Key::Text(text.into()))
    }
}

fn write_enum(
    stored: &Reader,
    names: &[(String, String)],
    cell: &[u8],
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    let written = match stored {
        Reader::Text => write_choice(names, std::str::from_utf8(cell)?, out),
        number => {
            let mut digits = Vec::with_capacity(20);
            number.write(cell, clock, &mut digits)?;
            write_choice(names, std::str::from_utf8(&digits)?, out)
        }
    };
    Ok(written?)
}

fn unquoted(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(json)
}

//! Stored values → JSON, by the Django field's kind: what its converters and DRF's fields make of them.

use plectrum_json::decimal::{DecimalError, write_f64_quantized, write_quantized};
use plectrum_json::number::{write_f64, write_i64};
use plectrum_json::time::{write_date, write_datetime, write_duration, write_time};
use plectrum_json::{base64, text, uuid, write_bool};
use rusqlite::types::ValueRef;

use super::moment::{self, DAY, Moment};
use crate::choice::write_choice;
use crate::error::Error;
use crate::key::Key;
use crate::plan::Kind;
use crate::template::Row;
use crate::wire::{Unwritable, check_utf8, write_f64_as_int, write_file, write_json_text};
use crate::zone::{Clock, Offset};

/// A row SQLite stands on.
pub(super) struct SqliteRow<'a> {
    pub(super) row: &'a rusqlite::Row<'a>,
    pub(super) kinds: &'a [Kind],
    pub(super) clock: &'a Clock,
}

impl SqliteRow<'_> {
    /// The worker has checked that there are as many columns as kinds.
    fn value(&self, column: usize) -> ValueRef<'_> {
        self.row.get_ref(column).unwrap_or(ValueRef::Null)
    }
}

impl Row for SqliteRow<'_> {
    fn is_null(&self, column: usize) -> bool {
        self.value(column) == ValueRef::Null
    }

    #[inline]
    fn write(&self, column: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        write(&self.kinds[column], self.value(column), self.clock, out)
            .map_err(|Unwritable(why)| Error::Column(column, why.into_owned()))
    }

    fn key(&self, column: usize) -> Result<Option<Key>, Error> {
        key(&self.kinds[column], self.value(column))
            .map_err(|Unwritable(why)| Error::Column(column, why.into_owned()))
    }
}

fn write(kind: &Kind, value: ValueRef<'_>, clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    if value == ValueRef::Null {
        plectrum_json::write_null(out);
        return Ok(());
    }
    match kind {
        Kind::Text | Kind::Ip => write_text(kind, value, out),
        Kind::Int => write_int(kind, value, out),
        Kind::Bool => write_truth(kind, value, out),
        Kind::Float => write_float(kind, value, out),
        Kind::Decimal { string, places } => write_decimal(kind, value, *string, *places, out),
        Kind::Uuid => {
            uuid::write(out, &parse_uuid(text_of(kind, value)?).ok_or_else(|| unfit(kind, value))?);
            Ok(())
        }
        Kind::Date | Kind::Time | Kind::Datetime { .. } => write_moment(kind, value, clock, out),
        Kind::Duration => {
            let ValueRef::Integer(micros) = value else { return Err(unfit(kind, value)) };
            write_duration(out, micros.into());
            Ok(())
        }
        Kind::Bytes => {
            base64::write(out, value.as_bytes().map_err(|_| unfit(kind, value))?);
            Ok(())
        }
        Kind::Json => write_json(kind, value, out),
        Kind::Digits => write_text(kind, value, out),
        Kind::Enum { values } => match value {
            ValueRef::Integer(integer) => Ok(write_choice(values, &integer.to_string(), out)?),
            _ => Ok(write_choice(values, text_of(kind, value)?, out)?),
        },
        Kind::File { base } => write_file(base, text_of(kind, value)?.as_bytes(), out),
        Kind::Array { .. } | Kind::Hstore | Kind::Range { .. } => Err(unfit(kind, value)),
    }
}

#[cold]
fn unfit(kind: &Kind, value: ValueRef<'_>) -> Unwritable {
    let what = match value.as_bytes() {
        Ok(bytes) => format!("{} {:?}", value.data_type(), String::from_utf8_lossy(bytes)),
        Err(_) => format!("{value:?}"),
    };
    Unwritable::from(format!("the plan reads {kind:?}, the database holds {what}"))
}

fn text_of<'a>(kind: &Kind, value: ValueRef<'a>) -> Result<&'a str, Unwritable> {
    match value {
        ValueRef::Text(bytes) => Ok(std::str::from_utf8(bytes)?),
        _ => Err(unfit(kind, value)),
    }
}

/// Expressions may give a number where the field says text; DRF's `CharField` then writes `str(value)`.
fn write_text(kind: &Kind, value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match value {
        ValueRef::Text(bytes) => {
            check_utf8(bytes)?;
            text::write_bytes(out, bytes);
            return Ok(());
        }
        ValueRef::Integer(_) | ValueRef::Real(_) => {}
        _ => return Err(unfit(kind, value)),
    }
    out.push(b'"');
    match value {
        ValueRef::Real(real) => write_f64(out, real)?,
        _ => write_int(kind, value, out)?,
    }
    out.push(b'"');
    Ok(())
}

fn write_int(kind: &Kind, value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match value {
        ValueRef::Integer(integer) => write_i64(out, integer),
        ValueRef::Real(real) if real.is_finite() => write_f64_as_int(real, out),
        ValueRef::Text(_) => {
            write_i64(out, text_of(kind, value)?.trim().parse().map_err(|_| unfit(kind, value))?);
        }
        _ => return Err(unfit(kind, value)),
    }
    Ok(())
}

fn write_truth(kind: &Kind, value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match value {
        ValueRef::Integer(integer) => write_bool(out, integer != 0),
        ValueRef::Real(real) => write_bool(out, real != 0.0),
        _ => return Err(unfit(kind, value)),
    }
    Ok(())
}

fn write_float(kind: &Kind, value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let float = match value {
        ValueRef::Real(real) => real,
        ValueRef::Integer(integer) => integer as f64,
        _ => text_of(kind, value)?.trim().parse().map_err(|_| unfit(kind, value))?,
    };
    Ok(write_f64(out, float)?)
}

/// Django's converter keeps 15 significant digits of a stored number, then quantizes a column to its field's places.
fn write_decimal(
    kind: &Kind,
    value: ValueRef<'_>,
    string: bool,
    places: Option<u32>,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    if string {
        out.push(b'"');
    }
    match (value, places) {
        (ValueRef::Integer(integer), places) => {
            write_quantized(out, &fifteen_digits(integer).to_string(), places.unwrap_or(0))?;
        }
        (ValueRef::Real(real), Some(places)) => write_f64_quantized(out, real, places)?,
        (ValueRef::Real(real), None) => write_fifteen_digits(out, real)?,
        (_, Some(places)) => write_quantized(out, text_of(kind, value)?, places)?,
        (_, None) => {
            let text = text_of(kind, value)?;
            let (_, fraction) = text.split_once('.').unwrap_or((text, ""));
            write_quantized(out, text, fraction.len() as u32)?;
        }
    }
    if string {
        out.push(b'"');
    }
    Ok(())
}

/// An integer rounded to 15 significant digits, half to even.
pub(crate) fn fifteen_digits(integer: i64) -> i128 {
    let magnitude = i128::from(integer.unsigned_abs());
    let mut unit = 1;
    while magnitude / unit >= 1_000_000_000_000_000 {
        unit *= 10;
    }
    let (kept, rest) = (magnitude / unit, magnitude % unit * 2);
    let rounds_up = rest > unit || (rest == unit && kept % 2 == 1);
    (kept + i128::from(rounds_up)) * unit * i128::from(integer.signum())
}

/// `f"{Context(prec=15).create_decimal_from_float(real):f}"`: exact where 15 digits are enough, else all 15 of them.
fn write_fifteen_digits(out: &mut Vec<u8>, real: f64) -> Result<(), DecimalError> {
    let rounded = format!("{real:.14e}");
    let (mantissa, exponent) = rounded.split_once('e').ok_or(DecimalError::Infinite)?;
    let exponent: i32 = exponent.parse().map_err(|_| DecimalError::Malformed)?;
    // A float that close to a decimal of 15 digits is that decimal.
    let exact = format!("{real:.60e}").split_once('e').is_some_and(|(digits, _)| {
        digits.trim_end_matches('0').trim_end_matches('.').len() <= mantissa.trim_end_matches('0').len()
    });
    let digits = mantissa.trim_start_matches('-').len() as i32 - 2;
    let kept = if exact {
        mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len()) as i32
    } else {
        digits
    };
    write_quantized(out, &rounded, u32::try_from(kept - exponent).unwrap_or(0))
}

fn write_moment(
    kind: &Kind,
    value: ValueRef<'_>,
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    let text = text_of(kind, value)?;
    let unfit = || unfit(kind, value);
    match kind {
        Kind::Time => write_time(out, moment::parse_time(text.as_bytes()).ok_or_else(unfit)?)?,
        Kind::Date => match moment::parse_date(text) {
            Some(days) => write_date(out, days)?,
            // A truncated datetime with a date for output.
            None => write_date(out, Moment::parse(text).ok_or_else(unfit)?.wall.div_euclid(DAY) as i32)?,
        },
        Kind::Datetime { aware: true } => {
            let moment = Moment::parse(text).ok_or_else(unfit)?;
            let instant = match moment.offset {
                Some(offset) => moment.wall - i64::from(offset) * 1_000_000,
                None => clock.session_instant(moment.wall),
            };
            clock.write_instant(out, instant)?;
        }
        _ => write_datetime(out, Moment::parse(text).ok_or_else(unfit)?.wall, Offset::Naive)?,
    }
    Ok(())
}

/// Extracted numbers come in their own storage class; text is JSON where it parses.
fn write_json(kind: &Kind, value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match value {
        ValueRef::Integer(integer) => write_i64(out, integer),
        ValueRef::Real(real) => write_f64(out, real)?,
        ValueRef::Text(bytes) => write_json_text(bytes, out)?,
        _ => return Err(unfit(kind, value)),
    }
    Ok(())
}

/// 32 hexadecimal digits; hyphens between them are let pass.
pub(crate) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut digits = text.bytes().filter(|&byte| byte != b'-');
    for byte in &mut bytes {
        let mut digit = || char::from(digits.next()?).to_digit(16);
        *byte = (digit()? * 16 + digit()?) as u8;
    }
    digits.next().is_none().then_some(bytes)
}

fn key(kind: &Kind, value: ValueRef<'_>) -> Result<Option<Key>, Unwritable> {
    Ok(Some(match value {
        ValueRef::Null => return Ok(None),
        ValueRef::Integer(integer) => Key::Int(integer),
        ValueRef::Text(_) if *kind == Kind::Uuid => {
            Key::Uuid(parse_uuid(text_of(kind, value)?).ok_or_else(|| unfit(kind, value))?)
        }
        ValueRef::Text(_) => Key::Text(text_of(kind, value)?.into()),
        // Decimals: text that the column's affinity makes the same number of.
        ValueRef::Real(real) => Key::Text(real.to_string().into()),
        ValueRef::Blob(_) => return Err(unfit(kind, value)),
    }))
}

#[cfg(test)]
mod tests;

//! Values as Django's drivers give them before Django converts them, and what DRF's fields make of the converted ones.
//!
//! Strict: a value of another type than its column's is an error, because Django or DRF may convert or refuse it.

use plectrum_json::number::{write_f64, write_i64};
use plectrum_json::time::{write_date, write_datetime, write_duration, write_time};
use plectrum_json::{append, compact, decimal, text, uuid, write_bool, write_null};

use crate::error::Error;
use crate::key::Key;
use crate::plan::Kind;
use crate::sqlite::moment::{self, Moment};
use crate::sqlite::{fifteen_digits, parse_uuid};
use crate::template::Row;
use crate::wire::{Unwritable, check_utf8, utf8};
use crate::zone::{Clock, Offset};

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given<'a> {
    /// NULL.
    Null,
    /// SQLite's integer.
    Integer(i64),
    /// SQLite's float.
    Real(f64),
    /// SQLite's text.
    Text(&'a [u8]),
    /// Any value as PostgreSQL prints it.
    Printed(&'a [u8]),
}

/// A row of them.
pub trait Cells {
    /// Shows a column's value to `read`; gives what that returns.
    ///
    /// # Errors
    /// [`Error::Column`] where there is none, or one of a type no driver is known to give.
    fn cell<R>(&self, column: usize, read: impl FnOnce(Given<'_>) -> R) -> Result<R, Error>;
}

/// What a column's values must be like.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// How they become JSON.
    pub kinds: &'a [Kind],
    /// The most digits of a decimal.
    pub digits: &'a [Option<u32>],
}

/// A row to be written.
pub struct GivenRow<'a, C> {
    /// Its values.
    pub cells: C,
    /// Its columns.
    pub columns: Columns<'a>,
    /// Converts instants.
    pub clock: &'a Clock,
}

impl<C: Cells> GivenRow<'_, C> {
    fn kind(&self, column: usize) -> Result<&Kind, Error> {
        let missing = || Error::Column(column, "the plan has no such column".to_owned());
        self.columns.kinds.get(column).ok_or_else(missing)
    }
}

impl<C: Cells> Row for GivenRow<'_, C> {
    fn is_null(&self, column: usize) -> bool {
        self.cells.cell(column, |value| value == Given::Null).unwrap_or(false)
    }

    fn write(&self, column: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let kind = self.kind(column)?;
        let digits = self.columns.digits.get(column).copied().flatten();
        let written = self.cells.cell(column, |value| write(kind, digits, value, self.clock, out))?;
        written.map_err(|Unwritable(why)| Error::Column(column, why.into_owned()))
    }

    fn key(&self, column: usize) -> Result<Option<Key>, Error> {
        let kind = self.kind(column)?;
        let key = self.cells.cell(column, |value| key(kind, value))?;
        key.map_err(|Unwritable(why)| Error::Column(column, why.into_owned()))
    }
}

fn write(
    kind: &Kind,
    digits: Option<u32>,
    value: Given<'_>,
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    match (kind, value) {
        (_, Given::Null) => write_null(out),
        (Kind::Text, Given::Text(bytes) | Given::Printed(bytes)) => {
            check_utf8(bytes)?;
            text::write_bytes(out, bytes);
        }
        (Kind::Int, Given::Integer(integer)) => write_i64(out, integer),
        (Kind::Int, Given::Printed(printed)) if is_integer(printed) => append(out, printed),
        (Kind::Bool, Given::Integer(integer @ 0..=1)) => write_bool(out, integer == 1),
        (Kind::Bool, Given::Printed(printed @ (b"t" | b"f"))) => write_bool(out, printed == b"t"),
        (Kind::Float, Given::Real(real)) => write_f64(out, real)?,
        (Kind::Float, Given::Printed(printed)) => {
            write_f64(out, utf8(printed)?.parse().map_err(|_| unfit(kind, value))?)?;
        }
        (Kind::Decimal { string: true, places: Some(places) }, _) => {
            write_decimal(kind, *places, digits.unwrap_or(u32::MAX), value, out)?;
        }
        (Kind::Uuid, Given::Text(bytes) | Given::Printed(bytes)) => {
            uuid::write(out, &parse_uuid(utf8(bytes)?).ok_or_else(|| unfit(kind, value))?);
        }
        (Kind::Duration, Given::Integer(micros)) => write_duration(out, micros.into()),
        (Kind::Duration, Given::Printed(printed)) => {
            write_duration(out, interval(utf8(printed)?).ok_or_else(|| unfit(kind, value))?);
        }
        (Kind::Json, Given::Text(bytes) | Given::Printed(bytes)) => {
            compact::write(out, utf8(bytes)?).map_err(|_| unfit(kind, value))?;
        }
        (_, Given::Text(bytes) | Given::Printed(bytes)) => {
            let zoned = matches!(value, Given::Printed(_));
            write_moment(kind, utf8(bytes)?, zoned, clock, out)?.ok_or_else(|| unfit(kind, value))?;
        }
        _ => return Err(unfit(kind, value)),
    }
    Ok(())
}

#[cold]
fn unfit(kind: &Kind, value: Given<'_>) -> Unwritable {
    Unwritable::from(format!("the plan reads {kind:?}, the driver gives {value:?}"))
}

fn is_integer(printed: &[u8]) -> bool {
    let digits = printed.strip_prefix(b"-").unwrap_or(printed);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// PostgreSQL's column has exactly as many places, or DRF is to round; SQLite's numbers are as Django's converter
/// quantizes them.
fn write_decimal(
    kind: &Kind,
    places: u32,
    digits: u32,
    value: Given<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    let start = out.len();
    out.push(b'"');
    match value {
        Given::Printed(printed) if has_places(printed, places) => append(out, printed),
        Given::Integer(integer) => {
            decimal::write_quantized(out, &fifteen_digits(integer).to_string(), places)?
        }
        Given::Real(real) => decimal::write_f64_quantized(out, real, places)?,
        _ => return Err(unfit(kind, value)),
    }
    let significant =
        out[start..].iter().filter(|byte| byte.is_ascii_digit()).skip_while(|byte| **byte == b'0');
    if significant.count() > digits as usize {
        return Err(unfit(kind, value));
    }
    out.push(b'"');
    Ok(())
}

fn has_places(printed: &[u8], places: u32) -> bool {
    let (whole, fraction) = match printed.iter().position(|byte| *byte == b'.') {
        Some(point) => (&printed[..point], &printed[point + 1..]),
        None => (printed, &[][..]),
    };
    is_integer(whole) && fraction.len() == places as usize && fraction.iter().all(u8::is_ascii_digit)
}

/// Dates and times; `None` where the text is none. `printed` datetimes say their offset themselves where they are
/// aware, and what stands before it is the session's wall clock.
fn write_moment(
    kind: &Kind,
    text: &str,
    printed: bool,
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Result<Option<()>, Unwritable> {
    match kind {
        Kind::Date => {
            let Some(days) = moment::parse_date(text) else { return Ok(None) };
            write_date(out, days)?;
        }
        Kind::Time => {
            let Some(micros) = moment::parse_time(text.as_bytes()) else { return Ok(None) };
            write_time(out, micros)?;
        }
        Kind::Datetime { aware } => {
            let Some(moment) = Moment::parse(text) else { return Ok(None) };
            match (aware, moment.offset) {
                (true, Some(offset)) => {
                    clock.write_instant(out, moment.wall - i64::from(offset) * 1_000_000)?
                }
                (true, None) if !printed => clock.write_instant(out, clock.session_instant(moment.wall))?,
                (false, offset) if printed || offset.is_none() => {
                    write_datetime(out, moment.wall, Offset::Naive)?;
                }
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(()))
}

/// Microseconds of `[-N day[s] ][-]HH:MM:SS[.f…]`, which is how an interval of days and hours is printed.
fn interval(printed: &str) -> Option<i128> {
    let (days, clock) = match printed.split_once(" day") {
        Some((days, rest)) => (days.parse::<i64>().ok()?, rest.strip_prefix('s').unwrap_or(rest)),
        None => (0, printed),
    };
    let clock = clock.strip_prefix(' ').unwrap_or(clock);
    let (sign, digits) = match clock.as_bytes() {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let micros = if digits.is_empty() { 0 } else { long_time(std::str::from_utf8(digits).ok()?)? };
    Some(i128::from(days) * i128::from(moment::DAY) + sign * micros)
}

/// As [`moment::parse_time`], for any number of hours.
fn long_time(text: &str) -> Option<i128> {
    let (hours, rest) = text.split_once(':')?;
    let within_hour = moment::parse_time(format!("00:{rest}").as_bytes())?;
    let hours: u32 = hours.parse().ok()?;
    Some(i128::from(hours) * 3_600_000_000 + i128::from(within_hour))
}

fn key(kind: &Kind, value: Given<'_>) -> Result<Option<Key>, Unwritable> {
    Ok(Some(match (kind, value) {
        (_, Given::Null) => return Ok(None),
        (Kind::Int, Given::Integer(integer)) => Key::Int(integer),
        (Kind::Int, Given::Printed(printed)) => {
            Key::Int(utf8(printed)?.parse().map_err(|_| unfit(kind, value))?)
        }
        (Kind::Uuid, Given::Text(bytes) | Given::Printed(bytes)) => {
            Key::Uuid(parse_uuid(utf8(bytes)?).ok_or_else(|| unfit(kind, value))?)
        }
        (Kind::Text, Given::Text(bytes) | Given::Printed(bytes)) => Key::Text(utf8(bytes)?.into()),
        _ => return Err(unfit(kind, value)),
    }))
}

#[cfg(test)]
mod tests;

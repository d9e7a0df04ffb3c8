//! Dates, times and intervals. PostgreSQL counts from 2000-01-01 and marks infinity with the extremes.

use plectrum_json::time::{
    write_date, write_datetime, write_datetime_bare, write_duration, write_time, write_time_bare,
};

use super::Unwritable;
use super::cursor::{Cursor, fixed};
use crate::zone::{Clock, Offset};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2000-01-01 in days since 1970-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH: i64 = EPOCH_DAYS as i64 * DAY;

/// What a timestamp becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// `timestamptz` as an aware datetime.
    InstantAware,
    /// `timestamptz` as the session's wall clock, where the driver makes its datetimes (`USE_TZ = False`).
    InstantNaive,
    /// `timestamptz` as the session's date (`Trunc` with a date for output).
    InstantDate,
    /// `timestamp` as it is.
    WallNaive,
    /// `timestamp` made aware (`Trunc` of an aware datetime).
    WallAware,
    /// `timestamp` as a date.
    WallDate,
}

pub(super) fn date(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let days = i32::from_be_bytes(fixed(cell)?);
    if days == i32::MAX || days == i32::MIN {
        return Err("an infinite date has no JSON form".into());
    }
    Ok(write_date(out, days.saturating_add(EPOCH_DAYS))?)
}

/// A timestamp's microseconds since 1970-01-01T00:00.
#[inline]
fn micros(cell: &[u8]) -> Result<i64, Unwritable> {
    let micros = i64::from_be_bytes(fixed(cell)?);
    if micros == i64::MAX || micros == i64::MIN {
        return Err("an infinite timestamp has no JSON form".into());
    }
    Ok(micros.saturating_add(EPOCH))
}

#[inline]
pub(super) fn timestamp(
    stamp: Stamp,
    cell: &[u8],
    clock: &Clock,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    let micros = micros(cell)?;
    match stamp {
        Stamp::InstantAware => clock.write_instant(out, micros)?,
        Stamp::InstantNaive => write_datetime(out, clock.session_wall(micros), Offset::Naive)?,
        Stamp::InstantDate => write_date_of(out, clock.session_wall(micros))?,
        Stamp::WallNaive => write_datetime(out, micros, Offset::Naive)?,
        Stamp::WallAware => clock.write_wall(out, micros)?,
        Stamp::WallDate => write_date_of(out, micros)?,
    }
    Ok(())
}

fn write_date_of(out: &mut Vec<u8>, micros: i64) -> Result<(), Unwritable> {
    // A day count of 64-bit microseconds fits 32 bits.
    Ok(write_date(out, micros.div_euclid(DAY) as i32)?)
}

pub(super) fn time(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    Ok(write_time(out, i64::from_be_bytes(fixed(cell)?))?)
}

/// `timetz`: a time and seconds *west* of UTC; `isoformat()` spells zero `+00:00`.
pub(super) fn timetz(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let [a, b, c, d, e, f, g, h, west @ ..] = fixed::<12>(cell)?;
    let start = out.len();
    out.push(b'"');
    if let Err(error) = write_time_bare(out, i64::from_be_bytes([a, b, c, d, e, f, g, h])) {
        out.truncate(start);
        return Err(error.into());
    }
    write_offset(-i32::from_be_bytes(west), out);
    out.push(b'"');
    Ok(())
}

/// `timestamptz` as `isoformat()` has it in the session's zone, where the driver makes its datetimes.
pub(super) fn isoformat(cell: &[u8], clock: &Clock, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let instant = micros(cell)?;
    let wall = clock.session_wall(instant);
    write_datetime_bare(out, wall, Offset::Naive)?;
    write_offset(((wall - instant) / SECOND) as i32, out);
    Ok(())
}

/// Seconds east of UTC as `isoformat()` has them, zero included.
fn write_offset(east: i32, out: &mut Vec<u8>) {
    let (sign, distance) = if east < 0 { ('-', east.unsigned_abs()) } else { ('+', east.unsigned_abs()) };
    let (hours, minutes, seconds) = (distance / 3600, distance / 60 % 60, distance % 60);
    out.extend_from_slice(format!("{sign}{hours:02}:{minutes:02}").as_bytes());
    if seconds != 0 {
        out.extend_from_slice(format!(":{seconds:02}").as_bytes());
    }
}

/// `interval` as psycopg makes a `timedelta` of it: a year has 365 days, a month 30.
pub(super) fn interval(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let [head @ .., _, _, _, _, _, _, _, _] = fixed::<16>(cell)?;
    let mut rest = Cursor(&cell[8..]);
    let (micros, days, months) = (i64::from_be_bytes(head), rest.i32()?, rest.i32()?);
    if (micros, days, months) == (i64::MAX, i32::MAX, i32::MAX)
        || (micros, days, months) == (i64::MIN, i32::MIN, i32::MIN)
    {
        return Err("an infinite interval has no JSON form".into());
    }
    let days = i64::from(days) + i64::from(months / 12) * 365 + i64::from(months % 12) * 30;
    write_duration(out, i128::from(days) * i128::from(DAY) + i128::from(micros));
    Ok(())
}

//! Dates, times, datetimes and durations as Django REST framework's fields represent them: Python's `isoformat()`
//! with `Z` for UTC, and Django's `duration_string`.
//!
//! Input is what databases send: days, or microseconds. Years run from 1 to 9999, as Python's do.

use crate::digits::{Quoted, pair, quad, six};

const SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;
const DAY: i64 = DAY_SECONDS * SECOND;
/// 0001-01-01 and 9999-12-31 in days since 1970-01-01.
const FIRST_DAY: i64 = -719_162;
const LAST_DAY: i64 = 2_932_896;

/// A date outside the years 1 to 9999, or a time of day outside 00:00 to 24:00 (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("date outside the years 1 to 9999, or time outside a day")
    }
}

impl std::error::Error for OutOfRange {}

/// How a datetime's distance from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// Not at all; the microseconds count local wall time.
    Naive,
    /// `Z`.
    Utc,
    /// `+HH:MM[:SS]`, seconds east of UTC; the microseconds count UTC and are shifted. Zero is `Z`, as in DRF.
    Seconds(i32),
}

/// Appends `"YYYY-MM-DD"`, `days` after 1970-01-01.
///
/// # Errors
/// [`OutOfRange`] outside the years 1 to 9999; nothing is appended then.
#[inline]
pub fn write_date(out: &mut Vec<u8>, days: i32) -> Result<(), OutOfRange> {
    let mut text = Quoted::new();
    push_date(&mut text, i64::from(days))?;
    text.write(out);
    Ok(())
}

/// As [`write_date`] without the quotes.
///
/// # Errors
/// As [`write_date`].
pub fn write_date_bare(out: &mut Vec<u8>, days: i32) -> Result<(), OutOfRange> {
    let mut text = Quoted::new();
    push_date(&mut text, i64::from(days))?;
    text.write_bare(out);
    Ok(())
}

/// Appends `"HH:MM:SS[.ffffff]"`, `micros` after midnight.
///
/// # Errors
/// [`OutOfRange`] outside a day (PostgreSQL's `24:00` too, which Python cannot hold); nothing is appended then.
#[inline]
pub fn write_time(out: &mut Vec<u8>, micros: i64) -> Result<(), OutOfRange> {
    time_of_day(micros)?.write(out);
    Ok(())
}

/// As [`write_time`] without the quotes.
///
/// # Errors
/// As [`write_time`].
pub fn write_time_bare(out: &mut Vec<u8>, micros: i64) -> Result<(), OutOfRange> {
    time_of_day(micros)?.write_bare(out);
    Ok(())
}

/// What a calendar and a clock on the wall show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Microseconds since midnight.
    pub micros: i64,
}

/// Appends `"YYYY-MM-DDTHH:MM:SS[.ffffff][offset]"`: what the wall shows, and the offset, neither shifted by the other.
///
/// # Errors
/// [`OutOfRange`] where a part is; nothing is appended then.
pub fn write_wall(out: &mut Vec<u8>, wall: Wall, offset: Offset) -> Result<(), OutOfRange> {
    let Wall { year, month, day, micros } = wall;
    if !(1..=9999).contains(&year) || month > 12 || day > 31 || !(0..DAY).contains(&micros) {
        return Err(OutOfRange);
    }
    let mut text = Quoted::new();
    push_civil(&mut text, u32::from(year), u32::from(month), u32::from(day));
    text.push([b'T']);
    push_time(&mut text, micros);
    push_zone(&mut text, offset);
    text.write(out);
    Ok(())
}

/// Appends `"YYYY-MM-DDTHH:MM:SS[.ffffff][offset]"`, `micros` after 1970-01-01T00:00.
///
/// # Errors
/// [`OutOfRange`] outside the years 1 to 9999 after shifting; nothing is appended then.
#[inline]
pub fn write_datetime(out: &mut Vec<u8>, micros: i64, offset: Offset) -> Result<(), OutOfRange> {
    datetime(micros, offset)?.write(out);
    Ok(())
}

/// As [`write_datetime`] without the quotes.
///
/// # Errors
/// As [`write_datetime`].
pub fn write_datetime_bare(out: &mut Vec<u8>, micros: i64, offset: Offset) -> Result<(), OutOfRange> {
    datetime(micros, offset)?.write_bare(out);
    Ok(())
}

/// Appends `"[DD ]HH:MM:SS[.ffffff]"`, Django's `duration_string`: the days carry the sign, as Python's do
/// (`-1 23:59:59` is one second less than nothing).
pub fn write_duration(out: &mut Vec<u8>, micros: i128) {
    duration(micros).write(out);
}

/// As [`write_duration`] without the quotes.
pub fn write_duration_bare(out: &mut Vec<u8>, micros: i128) {
    duration(micros).write_bare(out);
}

fn time_of_day(micros: i64) -> Result<Quoted, OutOfRange> {
    if !(0..DAY).contains(&micros) {
        return Err(OutOfRange);
    }
    let mut text = Quoted::new();
    push_time(&mut text, micros);
    Ok(text)
}

#[inline]
fn datetime(micros: i64, offset: Offset) -> Result<Quoted, OutOfRange> {
    let shift = match offset {
        Offset::Seconds(seconds) => i64::from(seconds),
        Offset::Naive | Offset::Utc => 0,
    };
    let local = micros.checked_add(shift * SECOND).ok_or(OutOfRange)?;
    let mut text = Quoted::new();
    push_date(&mut text, local.div_euclid(DAY))?;
    text.push([b'T']);
    push_time(&mut text, local.rem_euclid(DAY));
    push_zone(&mut text, offset);
    Ok(text)
}

fn duration(micros: i128) -> Quoted {
    let mut text = Quoted::new();
    let days = micros.div_euclid(i128::from(DAY));
    if days != 0 {
        text.push_slice(itoa::Buffer::new().format(days).as_bytes());
        text.push([b' ']);
    }
    // The remainder of a day fits 64 bits.
    push_time(&mut text, micros.rem_euclid(i128::from(DAY)) as i64);
    text
}

/// `micros` lies within a day.
#[inline]
fn push_time(text: &mut Quoted, micros: i64) {
    let (seconds, fraction) = ((micros / SECOND) as u32, (micros % SECOND) as u32);
    let ([a, b], [c, d], [e, f]) = (pair(seconds / 3600), pair(seconds / 60 % 60), pair(seconds % 60));
    text.push([a, b, b':', c, d, b':', e, f]);
    if fraction != 0 {
        text.push([b'.']);
        text.push(six(fraction));
    }
}

#[inline]
fn push_zone(text: &mut Quoted, offset: Offset) {
    match offset {
        Offset::Naive => {}
        Offset::Utc | Offset::Seconds(0) => text.push([b'Z']),
        Offset::Seconds(seconds) => push_offset(text, seconds),
    }
}

fn push_offset(text: &mut Quoted, seconds: i32) {
    let (sign, distance) = (if seconds < 0 { b'-' } else { b'+' }, seconds.unsigned_abs());
    // Python's offsets stay below a day; `% 100` in `pair` guards the table against other callers.
    let ([a, b], [c, d]) = (pair(distance / 3600 % 100), pair(distance / 60 % 60));
    text.push([sign, a, b, b':', c, d]);
    if distance % 60 != 0 {
        let [e, f] = pair(distance % 60);
        text.push([b':', e, f]);
    }
}

#[inline]
fn push_date(text: &mut Quoted, days: i64) -> Result<(), OutOfRange> {
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return Err(OutOfRange);
    }
    let (year, month, day) = civil(days as i32);
    push_civil(text, year, month, day);
    Ok(())
}

#[inline]
fn push_civil(text: &mut Quoted, year: u32, month: u32, day: u32) {
    let ([a, b, c, d], [e, f], [g, h]) = (quad(year), pair(month), pair(day));
    text.push([a, b, c, d, b'-', e, f, b'-', g, h]);
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
#[must_use]
pub fn days_from_civil(year: i32, month: u8, day: u8) -> i32 {
    // March is the first month, so that a leap day is the last of its year; an era is 400 years.
    let (month, day) = (i32::from(month), i32::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day number between [`FIRST_DAY`] and [`LAST_DAY`].
///
/// Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022): years begin
/// in March, so that the leap day is the last, and divisions become multiplications.
#[inline]
fn civil(days: i32) -> (u32, u32, u32) {
    const SHIFT: i32 = 719_468; // 0000-03-01
    let n1 = 4 * (days + SHIFT).cast_unsigned() + 3;
    let (century, day_of_century) = (n1 / 146_097, n1 % 146_097 / 4);
    let p2 = 2_939_745 * u64::from(4 * day_of_century + 3);
    let (year_of_century, day_of_year) = ((p2 >> 32) as u32, (p2 as u32) / 2_939_745 / 4);
    let n3 = 2_141 * day_of_year + 197_913;
    let (month, day) = (n3 >> 16, (n3 & 0xFFFF) / 2_141 + 1);
    let next_year = day_of_year >= 306;
    let year = 100 * century + year_of_century + u32::from(next_year);
    (year, if next_year { month - 12 } else { month }, day)
}

#[cfg(test)]
mod tests;

//! Dates, times and durations of Python's `datetime`, as numbers and as JSON.

use plectrum_json::{text, time};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyString, PyTime, PyTimeAccess, PyTzInfo,
    PyTzInfoAccess,
};

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
    i64::from(days) * 86_400_000_000 + micros_of_clock(value)
}

fn micros_of_clock(value: &impl PyTimeAccess) -> i64 {
    micros_of_day(value.get_hour(), value.get_minute(), value.get_second(), value.get_microsecond())
}

/// Days since 1970-01-01.
pub(super) fn days_of(date: &Bound<'_, PyDate>) -> i32 {
    time::days_from_civil(date.get_year(), date.get_month(), date.get_day())
}

fn micros_of_day(hour: u8, minute: u8, second: u8, micro: u32) -> i64 {
    (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000 + i64::from(micro)
}

pub(super) fn micros_of_delta(delta: &Bound<'_, PyDelta>) -> i128 {
    (i128::from(delta.get_days()) * 86_400 + i128::from(delta.get_seconds())) * 1_000_000
        + i128::from(delta.get_microseconds())
}

pub(super) fn encode_datetime(value: &Bound<'_, PyDateTime>, out: &mut Vec<u8>) -> PyResult<()> {
    let wall = time::Wall {
        year: u16::try_from(value.get_year()).map_err(|_| out_of_range())?,
        month: value.get_month(),
        day: value.get_day(),
        micros: micros_of_clock(value),
    };
    let offset = offset_of(value.as_any(), value.get_tzinfo())?;
    time::write_wall(out, wall, offset).map_err(|_| out_of_range())
}

pub(super) fn encode_time(value: &Bound<'_, PyTime>, out: &mut Vec<u8>) -> PyResult<()> {
    if value.get_tzinfo().is_some() {
        text::write(out, value.call_method0("isoformat")?.cast::<PyString>()?.to_str()?);
        return Ok(());
    }
    time::write_time(out, micros_of_clock(value)).map_err(|_| out_of_range())
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

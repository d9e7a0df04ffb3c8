//! Text → Python's dates, times and durations.

use plectrum_schema::plain;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDelta, PyTime, PyTzInfo};

use super::session::Zone;

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;

/// A date in ISO 8601.
pub(super) fn date<'py>(text: &str, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
    let date = plain::date(text)?;
    Some(PyDate::new(py, date.year.into(), date.month, date.day).ok()?.into_any())
}

/// A naive time of day in ISO 8601.
pub(super) fn time<'py>(text: &str, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
    let time = plain::time(text)?;
    Some(PyTime::new(py, time.hour, time.minute, time.second, time.microsecond, None).ok()?.into_any())
}

/// A duration in Django's form.
pub(super) fn duration<'py>(text: &str, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
    delta(plain::duration(text)?, py)
}

fn delta(micros: i128, py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let days = i32::try_from(days).ok()?;
    let (seconds, micros) = (i32::try_from(rest / SECOND).ok()?, i32::try_from(rest % SECOND).ok()?);
    Some(PyDelta::new(py, days, seconds, micros, false).ok()?.into_any())
}

/// A datetime in ISO 8601, moved to `zone` as `DateTimeField.enforce_timezone` does.
pub(super) fn datetime<'py>(text: &str, zone: &Zone<'py>) -> Option<Bound<'py, PyAny>> {
    let py = zone.zone.py();
    let (date, time) = plain::datetime(text)?;
    let new = |zone: Option<&Bound<'py, PyTzInfo>>| {
        let (year, micros) = (date.year.into(), time.microsecond);
        PyDateTime::new(py, year, date.month, date.day, time.hour, time.minute, time.second, micros, zone)
            .ok()
    };
    let Some(offset) = time.offset else {
        // Other zones have gaps and folds, which are Python's to find.
        return match zone.zone.cast::<PyTzInfo>() {
            Ok(utc) if zone.is_utc => Some(new(Some(utc))?.into_any()),
            _ if zone.zone.is_none() => Some(new(None)?.into_any()),
            _ => None,
        };
    };
    let own = zone.zone.cast::<PyTzInfo>().ok()?;
    let utc = PyTzInfo::utc(py).ok()?.to_owned();
    let mut moment = new(Some(if zone.is_utc { own } else { &utc }))?.into_any();
    if offset != 0 {
        moment = moment.sub(delta(i128::from(offset) * SECOND, py)?).ok()?;
    }
    if zone.is_utc { Some(moment) } else { moment.call_method1(intern!(py, "astimezone"), (own,)).ok() }
}

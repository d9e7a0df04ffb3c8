//! Single values as the text DRF's fields give them, without quotes. `None` where a value is one DRF must see itself:
//! of another type, to be rounded, out of range. Nothing counts as written then.

use plectrum_json::{append, time, uuid};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyString, PyTime, PyTimeAccess, PyTzInfo,
    PyTzInfoAccess,
};

use super::run::Zone;
use crate::{names, uuids};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// `DateTimeField`: ISO 8601 in `zone`, with `Z` for UTC.
pub(super) fn datetime(
    value: &Bound<'_, PyAny>,
    zone: &Zone<Bound<'_, PyAny>>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let value = value.cast_exact::<PyDateTime>().ok()?;
    let (micros, offset) = match (zone, value.get_tzinfo()) {
        (Zone::Naive, None) => (local_micros(value), time::Offset::Naive),
        (Zone::Utc, Some(own)) => (instant(value, &own)?, time::Offset::Utc),
        (Zone::Other(zone), Some(own)) => {
            // A datetime whose zone does not know its offset counts as naive.
            let instant = instant(value, &own)?;
            let offset = if own.is(zone) {
                offset_of(value)?
            } else {
                let moved = value.call_method1(intern!(value.py(), "astimezone"), (zone,)).ok()?;
                offset_of(moved.cast::<PyDateTime>().ok()?)?
            };
            (instant, time::Offset::Seconds(i32::try_from(offset / SECOND).ok()?))
        }
        _ => return None,
    };
    time::write_datetime_bare(out, micros, offset).ok()
}

/// Microseconds since 1970, where the zone knows the offset to the second.
fn instant(value: &Bound<'_, PyDateTime>, zone: &Bound<'_, PyTzInfo>) -> Option<i64> {
    if PyTzInfo::utc(value.py()).is_ok_and(|utc| zone.is(utc)) {
        return Some(local_micros(value));
    }
    Some(local_micros(value) - offset_of(value)?)
}

/// Microseconds east of UTC, whole seconds only.
fn offset_of(value: &Bound<'_, PyDateTime>) -> Option<i64> {
    let offset = value.call_method0(intern!(value.py(), "utcoffset")).ok()?;
    let offset = offset.cast::<PyDelta>().ok()?;
    let seconds = i64::from(offset.get_days()) * 86_400 + i64::from(offset.get_seconds());
    (offset.get_microseconds() == 0).then_some(seconds * SECOND)
}

fn local_micros(value: &Bound<'_, PyDateTime>) -> i64 {
    let days = time::days_from_civil(value.get_year(), value.get_month(), value.get_day());
    i64::from(days) * DAY + micros_of_day(value)
}

fn micros_of_day(value: &impl PyTimeAccess) -> i64 {
    let minutes = i64::from(value.get_hour()) * 60 + i64::from(value.get_minute());
    (minutes * 60 + i64::from(value.get_second())) * SECOND + i64::from(value.get_microsecond())
}

/// `DateField`.
pub(super) fn date(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Option<()> {
    let value = value.cast_exact::<PyDate>().ok()?;
    time::write_date_bare(out, time::days_from_civil(value.get_year(), value.get_month(), value.get_day()))
        .ok()
}

/// `TimeField`, without a zone.
pub(super) fn time_of_day(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Option<()> {
    let value = value.cast_exact::<PyTime>().ok()?;
    if value.get_tzinfo().is_some() {
        return None;
    }
    time::write_time_bare(out, micros_of_day(value)).ok()
}

/// `DurationField` in Django's form.
pub(super) fn duration(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Option<()> {
    let value = value.cast_exact::<PyDelta>().ok()?;
    let seconds = i64::from(value.get_days()) * 86_400 + i64::from(value.get_seconds());
    let micros = i128::from(seconds) * i128::from(SECOND) + i128::from(value.get_microseconds());
    time::write_duration_bare(out, micros);
    Some(())
}

/// `UUIDField`, hyphenated.
pub(super) fn identifier(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Option<()> {
    if !uuids::is_exact(value).ok()? {
        return None;
    }
    let number = uuids::number_of(value).ok()?;
    append(out, &uuid::format(&number.to_be_bytes()));
    Some(())
}

/// `DecimalField` as text: with exactly `places`, at most `digits` of them significant.
pub(super) fn decimal(
    value: &Bound<'_, PyAny>,
    places: Option<usize>,
    digits: usize,
    out: &mut Vec<u8>,
) -> Option<()> {
    let (text, zeros) = quantized(value, places, digits)?;
    let text = text.to_str().ok()?;
    append(out, text.as_bytes());
    if zeros > 0 && places == Some(zeros) {
        out.push(b'.');
    }
    out.resize(out.len() + zeros, b'0');
    Some(())
}

/// Whether `DecimalField` leaves the value as it is.
pub(super) fn is_quantized(value: &Bound<'_, PyAny>, places: Option<usize>, digits: usize) -> bool {
    quantized(value, places, digits).is_some_and(|(_, zeros)| zeros == 0)
}

/// The plain text of a `Decimal` and how many zeros `quantize` appends, where it neither rounds nor fails.
fn quantized<'py>(
    value: &Bound<'py, PyAny>,
    places: Option<usize>,
    digits: usize,
) -> Option<(Bound<'py, PyString>, usize)> {
    if !value.get_type().is(names::DECIMAL.get(value.py()).ok()?) {
        return None;
    }
    let text = value.str().ok()?;
    let zeros = missing_zeros(text.to_str().ok()?, places, digits)?;
    Some((text, zeros))
}

/// The zeros `quantize` appends to plain digits, where it neither rounds nor fails for want of precision.
pub(super) fn missing_zeros(text: &str, places: Option<usize>, digits: usize) -> Option<usize> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut all = whole.bytes().chain(fraction.bytes());
    // An exponent, NaN or an infinity is DRF's to write.
    if !all.clone().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let Some(places) = places else { return Some(0) };
    let zeros = places.checked_sub(fraction.len())?;
    let leading = all.position(|digit| digit != b'0');
    let significant = leading.map_or(0, |leading| whole.len() + fraction.len() - leading + zeros);
    (significant <= digits).then_some(zeros)
}

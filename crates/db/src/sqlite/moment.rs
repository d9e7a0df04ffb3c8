//! Dates and times as Django stores them in SQLite: ISO 8601 text with a space.

use plectrum_json::time::{write_datetime_bare, write_time_bare};

use crate::zone::Offset;

const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A wall clock's reading, and how far it is from UTC where that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Microseconds since 1970-01-01T00:00 on the wall clock.
    pub(crate) wall: i64,
    /// Seconds east of UTC.
    pub(crate) offset: Option<i32>,
}

impl Moment {
    /// `YYYY-MM-DD[( |T)HH:MM[:SS[.f…]][Z|±HH[:MM[:SS]]]]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.as_bytes().split_first_chunk::<10>()?;
        let midnight = i64::from(days(date)?) * DAY;
        if rest.is_empty() {
            return Some(Self { wall: midnight, offset: None });
        }
        let rest = rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"T"))?;
        let (time, offset) = match rest.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')) {
            Some(at) => (&rest[..at], Some(parse_offset(&rest[at..])?)),
            None => (rest, None),
        };
        Some(Self { wall: midnight + parse_time(time)?, offset })
    }
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    days(text.as_bytes().try_into().ok()?)
}

/// Microseconds since midnight of `HH:MM[:SS[.f…]]`; digits past the sixth are dropped.
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    let (clock, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(at) => (&text[..at], parse_fraction(&text[at + 1..])?),
        None => (text, 0),
    };
    let (hours, minutes, seconds) = match *clock {
        [a, b, b':', c, d] => (pair(a, b)?, pair(c, d)?, 0),
        [a, b, b':', c, d, b':', e, f] => (pair(a, b)?, pair(c, d)?, pair(e, f)?),
        _ => return None,
    };
    let valid = hours < 24 && minutes < 60 && seconds < 60;
    valid.then(|| ((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction)
}

/// Microseconds of a duration argument: Django's `[D ]HH:MM:SS[.f]`, or a whole number of microseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    if let Ok(micros) = text.parse::<i64>() {
        return Some(micros);
    }
    let (days, time) = text.rsplit_once(' ').unwrap_or(("0", text));
    let days: i64 = days.trim_end_matches("days").trim_end_matches("day").trim_end().parse().ok()?;
    let (sign, time) = time.strip_prefix('-').map_or((1, time), |time| (-1, time));
    days.checked_mul(DAY)?.checked_add(sign * parse_time(time.as_bytes())?)
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff]`.
pub(crate) fn datetime_text(wall: i64) -> Option<String> {
    let mut text = Vec::with_capacity(26);
    write_datetime_bare(&mut text, wall, Offset::Naive).ok()?;
    text[10] = b' ';
    String::from_utf8(text).ok()
}

/// `HH:MM:SS[.ffffff]`.
pub(crate) fn time_text(micros: i64) -> Option<String> {
    let mut text = Vec::with_capacity(15);
    write_time_bare(&mut text, micros).ok()?;
    String::from_utf8(text).ok()
}

fn days(date: &[u8; 10]) -> Option<i32> {
    let &[a, b, c, d, b'-', e, f, b'-', g, h] = date else { return None };
    let (year, month, day) = (pair(a, b)? * 100 + pair(c, d)?, pair(e, f)?, pair(g, h)?);
    let date = jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    (year > 0).then(|| (date - epoch).get_days())
}

fn parse_offset(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text {
        [b'Z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes, seconds) = match *rest {
        [a, b] => (pair(a, b)?, 0, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (pair(a, b)?, pair(c, d)?, 0),
        [a, b, b':', c, d, b':', e, f] => (pair(a, b)?, pair(c, d)?, pair(e, f)?),
        _ => return None,
    };
    let valid = hours < 24 && minutes < 60 && seconds < 60;
    valid.then_some(sign * (((hours * 60) + minutes) * 60 + seconds) as i32)
}

fn parse_fraction(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let six = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    Some(six.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0')))
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    let valid = tens.is_ascii_digit() && ones.is_ascii_digit();
    valid.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<(String, Option<i32>)> {
        let moment = Moment::parse(text)?;
        Some((datetime_text(moment.wall)?, moment.offset))
    }

    #[test]
    fn datetimes_with_and_without_offsets() {
        let at = |text: &str, offset| Some((text.to_owned(), offset));
        assert_eq!(moment("2024-02-29 13:05:09.000120"), at("2024-02-29 13:05:09.000120", None));
        assert_eq!(moment("2024-02-29T13:05"), at("2024-02-29 13:05:00", None));
        assert_eq!(moment("0001-01-01 00:00:00Z"), at("0001-01-01 00:00:00", Some(0)));
        assert_eq!(
            moment("9999-12-31 23:59:59.9999999-05:30"),
            at("9999-12-31 23:59:59.999999", Some(-19_800))
        );
        assert_eq!(moment("1900-01-01 00:00:00+05:53:28"), at("1900-01-01 00:00:00", Some(21_208)));
        assert_eq!(moment("2024-02-29"), at("2024-02-29 00:00:00", None));
        for bad in [
            "2023-02-29",
            "2024-1-01",
            "2024-01-01 24:00:00",
            "2024-01-01 10:00:00.",
            "",
            "0000-01-01",
            "2024-01-01 10:00:00+1",
            "2024-01-01x10:00:00",
            "é024-01-01",
        ] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_before_and_after_1970() {
        assert_eq!(parse_date("1970-01-01"), Some(0));
        assert_eq!(parse_date("1969-12-31"), Some(-1));
        assert_eq!(parse_date("0001-01-01"), Some(-719_162));
        assert_eq!(parse_date("9999-12-31"), Some(2_932_896));
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("00:00:01.5"), Some(1_500_000));
        assert_eq!(parse_duration("-1 23:59:59"), Some(-SECOND));
        assert_eq!(parse_duration("2 days 00:00:00"), Some(2 * DAY));
        assert_eq!(parse_duration("-00:00:01"), Some(-SECOND));
        assert_eq!(parse_duration("123"), Some(123));
        assert_eq!(parse_duration("soon"), None);
    }
}

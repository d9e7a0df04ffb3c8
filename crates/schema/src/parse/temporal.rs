//! ISO 8601 dates, times and datetimes, in the forms Python's `fromisoformat` and Django's `parse_datetime` share.

use super::{Cursor, Reason, millionths};
use crate::sink::{Date, Time};

/// Reads `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Result<Date, Reason> {
    let mut cursor = Cursor::new(text);
    let date = take_date(&mut cursor)?;
    if cursor.is_done() { Ok(date) } else { Err("unexpected text after the date") }
}

/// Reads `HH:MM[:SS[.ffffff]][Z|±HH:MM[:SS]]`.
pub(crate) fn time(text: &str) -> Result<Time, Reason> {
    let mut cursor = Cursor::new(text);
    let time = take_time(&mut cursor)?;
    if cursor.is_done() { Ok(time) } else { Err("unexpected text after the time") }
}

/// Reads a date, `T` or a space, and a time; a date alone is its midnight.
pub(crate) fn datetime(text: &str) -> Result<(Date, Time), Reason> {
    let mut cursor = Cursor::new(text);
    let date = take_date(&mut cursor)?;
    if cursor.is_done() {
        return Ok((date, Time { hour: 0, minute: 0, second: 0, microsecond: 0, offset: None }));
    }
    cursor.take(b"Tt ").ok_or("expected `T` between date and time")?;
    let time = take_time(&mut cursor)?;
    if cursor.is_done() { Ok((date, time)) } else { Err("unexpected text after the time") }
}

fn take_date(cursor: &mut Cursor<'_>) -> Result<Date, Reason> {
    const FORM: Reason = "expected YYYY-MM-DD";
    let year = cursor.digits::<4>().ok_or(FORM)?;
    cursor.take(b"-").ok_or(FORM)?;
    let month = cursor.digits::<2>().ok_or(FORM)?;
    cursor.take(b"-").ok_or(FORM)?;
    let day = cursor.digits::<2>().ok_or(FORM)?;
    if year == 0 {
        return Err("year is out of range");
    }
    if !(1..=12).contains(&month) {
        return Err("month is out of range");
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return Err("day is out of range for the month");
    }
    // Four and two digits fit.
    Ok(Date { year: year as i16, month: month as u8, day: day as u8 })
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn take_time(cursor: &mut Cursor<'_>) -> Result<Time, Reason> {
    const FORM: Reason = "expected HH:MM[:SS[.ffffff]]";
    let hour = cursor.digits::<2>().ok_or(FORM)?;
    cursor.take(b":").ok_or(FORM)?;
    let minute = cursor.digits::<2>().ok_or(FORM)?;
    let (mut second, mut microsecond) = (0, 0);
    if cursor.take(b":").is_some() {
        second = cursor.digits::<2>().ok_or(FORM)?;
        if cursor.take(b".,").is_some() {
            let digits = cursor.all_digits();
            microsecond = if digits.is_empty() { return Err(FORM) } else { millionths(digits) };
        }
    }
    let offset = take_offset(cursor)?;
    match (hour, minute, second) {
        (24.., _, _) => Err("hour is out of range"),
        (_, 60.., _) => Err("minute is out of range"),
        (_, _, 60..) => Err("second is out of range"),
        _ => Ok(Time { hour: hour as u8, minute: minute as u8, second: second as u8, microsecond, offset }),
    }
}

/// Seconds east of UTC; Python's offsets stay below a day.
fn take_offset(cursor: &mut Cursor<'_>) -> Result<Option<i32>, Reason> {
    const FORM: Reason = "expected an offset as Z or ±HH:MM";
    let Some(sign) = cursor.take(b"Zz+-") else { return Ok(None) };
    if matches!(sign, b'Z' | b'z') {
        return Ok(Some(0));
    }
    let hours = cursor.digits::<2>().ok_or(FORM)?;
    let colon = cursor.take(b":").is_some();
    let (mut minutes, mut seconds) = (0, 0);
    if colon || !cursor.is_done() {
        minutes = cursor.digits::<2>().ok_or(FORM)?;
        if colon && cursor.take(b":").is_some() {
            seconds = cursor.digits::<2>().ok_or(FORM)?;
        }
    }
    if hours > 23 || minutes > 59 || seconds > 59 {
        return Err("offset is out of range");
    }
    let offset = (hours * 3600 + minutes * 60 + seconds).cast_signed();
    Ok(Some(if sign == b'-' { -offset } else { offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u8, minute: u8, second: u8, microsecond: u32, offset: Option<i32>) -> Time {
        Time { hour, minute, second, microsecond, offset }
    }

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date("2024-02-29"), Ok(Date { year: 2024, month: 2, day: 29 }));
        assert_eq!(date("0001-01-01"), Ok(Date { year: 1, month: 1, day: 1 }));
        assert_eq!(date("9999-12-31"), Ok(Date { year: 9999, month: 12, day: 31 }));
        for (text, reason) in [
            ("2023-02-29", "day is out of range for the month"),
            ("1900-02-29", "day is out of range for the month"),
            ("2024-04-31", "day is out of range for the month"),
            ("2024-01-00", "day is out of range for the month"),
            ("2024-13-01", "month is out of range"),
            ("0000-01-01", "year is out of range"),
            ("24-01-01", "expected YYYY-MM-DD"),
            ("2024/01/01", "expected YYYY-MM-DD"),
            ("２０２４-01-01", "expected YYYY-MM-DD"),
            ("", "expected YYYY-MM-DD"),
            ("2024-01-01T00:00", "unexpected text after the date"),
        ] {
            assert_eq!(date(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn times_read_fractions_and_offsets() {
        for (text, expected) in [
            ("12:34", at(12, 34, 0, 0, None)),
            ("12:34:56", at(12, 34, 56, 0, None)),
            ("12:34:56.5", at(12, 34, 56, 500_000, None)),
            ("12:34:56,123456789", at(12, 34, 56, 123_456, None)),
            ("23:59:59.999999Z", at(23, 59, 59, 999_999, Some(0))),
            ("00:00z", at(0, 0, 0, 0, Some(0))),
            ("00:00+05:30", at(0, 0, 0, 0, Some(19_800))),
            ("00:00-0330", at(0, 0, 0, 0, Some(-12_600))),
            ("00:00+02", at(0, 0, 0, 0, Some(7_200))),
            ("00:00+00:19:32", at(0, 0, 0, 0, Some(1_172))),
        ] {
            assert_eq!(time(text), Ok(expected), "{text}");
        }
        for text in [
            "24:00",
            "12:60",
            "12:34:60",
            "1:00",
            "12",
            "12:34:",
            "12:34:5",
            "12:34:56.",
            "12:34+",
            "12:34+1",
            "12:34+24:00",
            "12:34+10:60",
            "12:34Zx",
            "12:34 +01:00",
            "12:34+01:00:0",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn datetimes_join_both() {
        let day = Date { year: 2024, month: 1, day: 2 };
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", at(3, 4, 5, 0, Some(0))),
            ("2024-01-02 03:04", at(3, 4, 0, 0, None)),
            ("2024-01-02t03:04", at(3, 4, 0, 0, None)),
            ("2024-01-02", at(0, 0, 0, 0, None)),
        ] {
            assert_eq!(datetime(text), Ok((day, expected)), "{text}");
        }
        for text in ["2024-01-02T", "2024-01-02x03:04", "2024-01-02T03:04 ", "2024-01-02  03:04", "now"] {
            assert!(datetime(text).is_err(), "{text}");
        }
    }
}

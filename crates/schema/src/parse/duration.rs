//! Durations in microseconds: Django's `[D ]HH:MM:SS[.f]`, ISO 8601's `P3DT4H` and plain seconds.

use super::{Cursor, Reason, millionths};

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;
/// Python's `timedelta` holds up to 999,999,999 days either way.
const LEAST: i128 = -999_999_999 * DAY;
const MOST: i128 = 1_000_000_000 * DAY - 1;

const FORM: Reason = "expected [D ]HH:MM:SS[.ffffff] or ISO 8601";

/// Reads a duration.
pub(crate) fn parse(text: &str) -> Result<i128, Reason> {
    let (sign, unsigned) = split_sign(text);
    let micros = match unsigned.strip_prefix('P') {
        Some(rest) => sign * iso(rest)?,
        None => clock(text)?,
    };
    in_range(micros)
}

/// A number of seconds, from its decimal text; what is finer than microseconds is rounded to the nearest.
pub(crate) fn seconds(text: &str) -> Result<i128, Reason> {
    let mut out = Vec::new();
    plectrum_json::decimal::write_quantized(&mut out, text, 6).map_err(|_| "expected a number of seconds")?;
    out.retain(|&byte| byte != b'.');
    let micros = std::str::from_utf8(&out).ok().and_then(|digits| digits.parse().ok());
    in_range(micros.ok_or("days are out of range")?)
}

fn in_range(micros: i128) -> Result<i128, Reason> {
    if (LEAST..=MOST).contains(&micros) { Ok(micros) } else { Err("days are out of range") }
}

fn split_sign(text: &str) -> (i128, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

/// `[-D [days, ]][-][[HH:]MM:]SS[.ffffff]`, Django's standard form. The sign of the days is theirs alone.
fn clock(text: &str) -> Result<i128, Reason> {
    let (days, time) = match text.split_once(' ') {
        Some((days, time)) => {
            let time = time.strip_prefix("days, ").or_else(|| time.strip_prefix("day, ")).unwrap_or(time);
            (days, time)
        }
        None => ("", text),
    };
    let days = if days.is_empty() { 0 } else { signed(days)? };
    let (sign, time) = match time.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, time),
    };
    let (whole, fraction) = match time.split_once(['.', ',']) {
        Some((_, "")) => return Err(FORM),
        Some((whole, fraction)) => (whole, fraction),
        None => (time, ""),
    };
    let mut seconds = 0;
    let mut parts = 0;
    for part in whole.split(':') {
        seconds = seconds * 60 + natural(part)?;
        parts += 1;
    }
    if parts > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FORM);
    }
    Ok(days * DAY + sign * (seconds * SECOND + i128::from(millionths(fraction.as_bytes()))))
}

/// What follows `P`: `[nW][nD][T[nH][nM][nS]]`, with a fraction anywhere, as Django allows.
fn iso(text: &str) -> Result<i128, Reason> {
    let mut cursor = Cursor::new(text);
    let mut units: &[(u8, i128)] = &[(b'W', 7 * DAY), (b'D', DAY)];
    let (mut micros, mut in_time, mut any) = (0, false, false);
    while !cursor.is_done() {
        if cursor.take(b"T").is_some() {
            if in_time || cursor.is_done() {
                return Err(FORM);
            }
            (units, in_time) = (&[(b'H', 3600 * SECOND), (b'M', 60 * SECOND), (b'S', SECOND)], true);
            continue;
        }
        let whole = cursor.all_digits();
        let fraction = if cursor.take(b".,").is_some() { cursor.all_digits() } else { b"0" };
        let position = units.iter().position(|(unit, _)| cursor.take(&[*unit]).is_some()).ok_or(FORM)?;
        if whole.is_empty() || fraction.is_empty() {
            return Err(FORM);
        }
        let size = units[position].1;
        let whole = std::str::from_utf8(whole).map_err(|_| FORM).and_then(natural)?;
        micros += whole * size + size * i128::from(millionths(fraction)) / SECOND;
        units = &units[position + 1..];
        any = true;
    }
    if any { Ok(micros) } else { Err(FORM) }
}

/// A number without a sign, small enough that no unit overflows.
fn natural(digits: &str) -> Result<i128, Reason> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FORM);
    }
    digits.parse::<u64>().map(i128::from).map_err(|_| "days are out of range")
}

fn signed(text: &str) -> Result<i128, Reason> {
    let (sign, digits) = split_sign(text);
    Ok(sign * natural(digits)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn django_s_form_reads_back_what_is_written() {
        for micros in [0, 1, -1, SECOND, -SECOND, DAY, -DAY, 12 * DAY + 3_723_456_789, LEAST, MOST] {
            let mut text = Vec::new();
            plectrum_json::time::write_duration_bare(&mut text, micros);
            assert_eq!(parse(&String::from_utf8_lossy(&text)), Ok(micros));
        }
    }

    #[test]
    fn every_form_is_read() {
        for (text, micros) in [
            ("15", 15 * SECOND),
            ("15:30", 930 * SECOND),
            ("-15:30", -930 * SECOND),
            ("10:15:30", 36_930 * SECOND),
            ("1 00:00:00.25", DAY + 250_000),
            ("4 days, 00:00:01", 4 * DAY + SECOND),
            ("1 day, 0:00:00", DAY),
            ("-1 23:59:59", -SECOND),
            ("-1 -01:00:00", -DAY - 3600 * SECOND),
            ("P1D", DAY),
            ("P2W", 14 * DAY),
            ("PT1H2M3.5S", 3_723_500_000),
            ("-P1DT12H", -36 * 3600 * SECOND),
            ("+PT0,5S", 500_000),
            ("P1.5D", DAY + DAY / 2),
        ] {
            assert_eq!(parse(text), Ok(micros), "{text}");
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "P1H",
            "PT1D",
            "PT1M1H",
            "PT1S1S",
            "1:2:3:4",
            "1.",
            ".5",
            "a",
            "1 ",
            "1 2 3",
            "--1",
            "PT-1S",
            "P1Y",
            "1_0",
            "99999999999999999999",
            "P99999999999999999999D",
            "P1000000000D",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_to_microseconds() {
        for (text, micros) in
            [("90", 90 * SECOND), ("-0.5", -500_000), ("1e-6", 1), ("1e-7", 0), ("1.5e3", 1500 * SECOND)]
        {
            assert_eq!(seconds(text), Ok(micros), "{text}");
        }
        assert!(seconds("1e20").is_err());
        assert!(seconds("1e2000000000").is_err());
    }
}

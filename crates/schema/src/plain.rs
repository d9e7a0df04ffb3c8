//! Text that is *plainly* valid: every parser that matters (Python's, Django's, Django REST framework's) reads these
//! forms alike. `None` and `false` mean "ask the parser concerned", never "invalid".

use crate::parse::{duration, temporal, uuid};
use crate::sink::{Date, Time};

/// Python reads no longer number by default.
const MAX_INTEGER_DIGITS: usize = 18;
/// RFC 1034, section 3.1.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;
/// RFC 3696, section 3, as Django has it.
const MAX_EMAIL: usize = 320;
/// Django's `MAX_URL_LENGTH`.
const MAX_URL: usize = 2048;

/// Up to 18 digits with an optional minus.
#[must_use]
pub fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.len() <= MAX_INTEGER_DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// `YYYY-MM-DD`.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    temporal::date(text).ok()
}

/// `HH:MM:SS` with up to six digits of a fraction.
#[must_use]
pub fn time(text: &str) -> Option<Time> {
    if !is_clock(text.as_bytes()) {
        return None;
    }
    temporal::time(text).ok()
}

/// A date, `T` or a space, and a time with `Z`, an offset `±HH:MM` or neither.
#[must_use]
pub fn datetime(text: &str) -> Option<(Date, Time)> {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(10), Some(b'T' | b' ')) {
        return None;
    }
    let clock = bytes.get(11..)?;
    let end = clock.iter().position(|byte| matches!(byte, b'Z' | b'+' | b'-')).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(end);
    let known = matches!(offset, [] | [b'Z'] | [b'+' | b'-', _, _, b':', _, _]);
    if !known || !is_clock(clock) {
        return None;
    }
    temporal::datetime(text).ok()
}

fn is_clock(bytes: &[u8]) -> bool {
    match bytes.split_at_checked(8) {
        Some((clock, [])) => clock[2] == b':' && clock[5] == b':',
        Some((clock, [b'.', fraction @ ..])) => {
            clock[2] == b':'
                && clock[5] == b':'
                && matches!(fraction.len(), 1..=6)
                && fraction.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Microseconds of `[D… ]HH:MM:SS[.ffffff]`, not negative.
#[must_use]
pub fn duration(text: &str) -> Option<i128> {
    let (days, clock) = text.split_once(' ').unwrap_or(("0", text));
    let plain = (1..=8).contains(&days.len()) && days.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !is_clock(clock.as_bytes()) {
        return None;
    }
    duration::parse(text).ok()
}

/// 32 hexadecimal digits, hyphenated as usual or not at all.
#[must_use]
pub fn uuid(text: &str) -> Option<u128> {
    if !matches!(text.len(), 32 | 36) {
        return None;
    }
    uuid::parse(text).map(u128::from_be_bytes)
}

/// How many digits a plain decimal has, as `Decimal.as_tuple` would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    /// All that count against `max_digits`.
    pub total: usize,
    /// Before the point.
    pub whole: usize,
    /// After it.
    pub fraction: usize,
}

/// The digits of `[-]D[.D]`.
#[must_use]
pub fn decimal(text: &str) -> Option<Digits> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let mut all = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !all.clone().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = whole.len() + fraction.len();
    let significant = all.position(|digit| digit != b'0').map_or(1, |leading| length - leading);
    let fraction = fraction.len();
    Some(match significant.checked_sub(fraction) {
        Some(whole) if whole > 0 => Digits { total: significant, whole, fraction },
        _ => Digits { total: fraction, whole: 0, fraction },
    })
}

/// An ASCII address with a dot-atom before the `@` and a host name after it.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else { return false };
    text.len() <= MAX_EMAIL
        && user.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
        && is_host(host)
}

fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-!#$%&'*+/=?^_`{}|~".contains(&byte)
}

/// An `http` or `https` URL with an ASCII host name, perhaps a port, and a visible ASCII rest.
#[must_use]
pub fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (place, resource) = rest.split_at(end);
    let (host, port) = place.split_once(':').unwrap_or((place, "0"));
    text.len() <= MAX_URL
        && is_host(host)
        && matches!(port.len(), 1..=5)
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && resource.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Two labels or more, the last of letters only.
fn is_host(text: &str) -> bool {
    let Some((labels, top)) = text.rsplit_once('.') else { return false };
    text.len() <= MAX_HOST
        && (2..=MAX_LABEL).contains(&top.len())
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && labels.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// ASCII letters, digits, underscores and hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether `str.isspace` holds of a character: Unicode's white space and the four separators of ASCII.
#[must_use]
pub fn is_python_space(code: u32) -> bool {
    matches!(code, 0x1C..=0x1F) || char::from_u32(code).is_some_and(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(integer("-12"), Some(-12));
        assert_eq!(integer("007"), Some(7));
        for text in ["", "-", "+1", " 1", "1.0", "1_0", "1234567890123456789", "١"] {
            assert_eq!(integer(text), None, "{text}");
        }
        for (text, total, whole, fraction) in [
            ("0", 1, 1, 0),
            ("0.00", 2, 0, 2),
            ("0.05", 2, 0, 2),
            ("-12.50", 4, 2, 2),
            ("007", 1, 1, 0),
            ("100", 3, 3, 0),
            ("0.5", 1, 0, 1),
        ] {
            assert_eq!(decimal(text), Some(Digits { total, whole, fraction }), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "NaN", "+1", " 1", "1_0", "1.2.3"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn moments() {
        assert!(date("2026-02-03").is_some() && date("2026-2-3").is_none());
        for text in ["2026-01-02T03:04:05", "2026-01-02 03:04:05.1Z", "2026-01-02T03:04:05.123456-05:30"] {
            assert!(datetime(text).is_some(), "{text}");
        }
        for text in [
            "2026-01-02",
            "2026-01-02t03:04:05",
            "2026-01-02T03:04",
            "2026-01-02T03:04:05,1",
            "2026-01-02T03:04:05.1234567",
            "2026-01-02T03:04:05z",
            "2026-01-02T03:04:05+0530",
            "2026-01-02T03:04:05+05",
            "2026-01-02T24:00:00",
            "2026-01-02T03:04:05 Z",
            "2026-01-02T03:04:05é",
        ] {
            assert_eq!(datetime(text), None, "{text}");
        }
        assert!(time("03:04:05.6").is_some() && time("03:04").is_none() && time("03:04:05Z").is_none());
        assert_eq!(duration("1 00:00:01.5"), Some(86_401_500_000));
        for text in ["1", "-1 00:00:00", "1 day, 00:00:00", "PT1S", "1:00:00", "999999999 00:00:00"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(uuid("00000000000000000000000000000005"), Some(5));
        assert_eq!(uuid("{00000000000000000000000000000005}"), None);
        for text in ["a@b.co", "a.b+c@x-y.example", "!#$@a.museum"] {
            assert!(is_email(text), "{text}");
        }
        for text in
            ["", "a", "a@b", ".a@b.co", "a..b@b.co", "a@-b.co", "a@b.c0", "ü@b.co", "a@b.co\n", "a@b.c"]
        {
            assert!(!is_email(text), "{text}");
        }
        for text in ["http://a.co", "https://a-b.example:8000/x?y#z", "http://a.co?x"] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "a.co",
            "ftp://a.co",
            "http://a",
            "http://a.co:",
            "http://a.co/ x",
            "http://u@a.co",
            "http://a.co:123456",
        ] {
            assert!(!is_url(text), "{text}");
        }
        assert!(is_slug("a-B_9") && !is_slug("") && !is_slug("a b") && !is_slug("ä"));
        assert!(is_python_space(0x1F) && is_python_space(0x2003) && !is_python_space(0x200B));
    }
}

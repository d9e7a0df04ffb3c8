//! Integers and floats, spelled as Python's `repr` does.

use crate::append::append;
use crate::digits::eight;

/// A NaN or an infinity, which JSON cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonFinite;

impl std::fmt::Display for NonFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NaN and infinities cannot be written as JSON")
    }
}

impl std::error::Error for NonFinite {}

/// Appends a signed integer.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    match u32::try_from(value) {
        // Counts, stars, flags.
        Ok(digit @ 0..10) => out.push(b'0' + digit as u8),
        Ok(small) if small < SHORT => write_short(out, small),
        _ => append(out, itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// Appends an unsigned integer.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, value: u64) {
    match u32::try_from(value) {
        Ok(small) if small < SHORT => write_short(out, small),
        _ => append(out, itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// Appends a signed integer of 32 bits.
#[inline]
pub fn write_i32(out: &mut Vec<u8>, value: i32) {
    write_i64(out, i64::from(value));
}

/// From here on numbers have more than eight digits.
const SHORT: u32 = 100_000_000;

/// Appends a number of up to eight digits, as most keys and counts are, without a branch on how many.
#[inline]
fn write_short(out: &mut Vec<u8>, value: u32) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let digits = u64::from_le_bytes(eight(value));
    // The last digit stays, zero or not.
    let leading = ((digits ^ ZEROS).trailing_zeros() / 8).min(7);
    out.extend_from_slice(&(digits >> (leading * 8)).to_le_bytes());
    out.truncate(out.len() - leading as usize);
}

/// Appends the shortest text that reads back as `value`, exactly Python's `repr(float)`: `1.0`, `0.0001`, `1e-05`,
/// `1e+16`, `-0.0`.
///
/// # Errors
/// [`NonFinite`] for NaN and infinities; nothing is appended then.
#[inline]
pub fn write_f64(out: &mut Vec<u8>, value: f64) -> Result<(), NonFinite> {
    if !value.is_finite() {
        return Err(NonFinite);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if value.abs() < SMALL {
        write_small(out, text);
    } else {
        append(out, text.as_bytes());
    }
    Ok(())
}

/// Below this, zmij's layout may differ from Python's.
const SMALL: f64 = 1e-4;

/// Appends a number below [`SMALL`]: Python writes `1e-05` where zmij writes `0.00001`, and `1e-07` for its `1e-7`.
#[cold]
fn write_small(out: &mut Vec<u8>, text: &str) {
    let (sign, unsigned) = text.split_at(usize::from(text.starts_with('-')));
    out.extend_from_slice(sign.as_bytes());
    let (mantissa, exponent) = match (unsigned.strip_prefix("0.0000"), unsigned.split_once("e-")) {
        (Some(digits), _) => (digits, "5"),
        (None, Some(parts)) => parts,
        (None, None) => return out.extend_from_slice(unsigned.as_bytes()), // zero
    };
    let (first, rest) = mantissa.split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() && !rest.starts_with('.') {
        out.push(b'.');
    }
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(if exponent.len() == 1 { b"e-0" } else { b"e-" });
    out.extend_from_slice(exponent.as_bytes());
}

/// As [`write_f64`] for a single-precision value: its own shortest text (`0.1`, not `0.10000000149011612`).
///
/// # Errors
/// [`NonFinite`] for NaN and infinities; nothing is appended then.
pub fn write_f32(out: &mut Vec<u8>, value: f32) -> Result<(), NonFinite> {
    // The shortest text of a single, read as a double, has the same digits; only the layout may differ.
    let shortest = zmij::Buffer::new().format(value).parse::<f64>();
    write_f64(out, shortest.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn float(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_spelled_as_python_repr() {
        // Each is `repr()` of itself in CPython.
        let spellings = "0.0 -0.0 1.0 -1.5 0.1 0.30000000000000004 100.0 1000000000000000.0 9007199254740992.0 \
            1234567890123456.0 9999999999999998.0 1e+16 1.2345678901234568e+16 1e+17 1e+21 1e+22 1e+23 1e+100 \
            1.7976931348623157e+308 0.001 0.0001 0.00012345 1e-05 1.5e-07 1e-10 2.2250738585072014e-308 5e-324 \
            123456.789 0.3333333333333333 -1.2345e-05";
        for spelling in spellings.split_whitespace() {
            assert_eq!(float(spelling.parse().unwrap()), spelling);
        }
    }

    #[test]
    fn single_precision_has_its_own_shortest_text() {
        let mut out = Vec::new();
        write_f32(&mut out, 0.1).unwrap();
        assert_eq!(out, b"0.1");
        assert_eq!(write_f32(&mut out, f32::NAN), Err(NonFinite));
    }

    #[test]
    fn what_is_not_finite_appends_nothing() {
        let mut out = Vec::new();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(write_f64(&mut out, value), Err(NonFinite));
        }
        assert!(out.is_empty());
    }

    #[test]
    fn every_number_of_digits_is_written() {
        let powers = (0..19).map(|exponent| 10_i64.pow(exponent));
        for value in powers.flat_map(|power| [power - 1, power, power + 1, -power]) {
            let mut out = Vec::new();
            write_i64(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }

    #[test]
    fn integers_reach_their_extremes() {
        let mut out = Vec::new();
        write_i64(&mut out, i64::MIN);
        out.push(b' ');
        write_u64(&mut out, u64::MAX);
        out.push(b' ');
        write_i32(&mut out, -7);
        assert_eq!(out, b"-9223372036854775808 18446744073709551615 -7");
    }
}

//! Exact decimals as plain text (`{:f}`), without quotes: the caller decides between a string and a number.

use crate::digits::quad;

/// Longest integer part PostgreSQL's `numeric` has, in digits. Bounds what an exponent may expand to.
const MAX_INTEGER_DIGITS: i64 = 131_072;

/// Why a decimal cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// NaN.
    NotANumber,
    /// An infinity.
    Infinite,
    /// Bytes or text that are no decimal.
    Malformed,
    /// An integer part of more than 131,072 digits.
    TooLarge,
}

impl std::fmt::Display for DecimalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "NaN cannot be written as JSON",
            Self::Infinite => "an infinity cannot be written as JSON",
            Self::Malformed => "not a decimal number",
            Self::TooLarge => "decimal number of more than 131072 digits before the point",
        })
    }
}

impl std::error::Error for DecimalError {}

/// Appends PostgreSQL's binary `numeric` with all the digits after the point that it declares.
///
/// The wire form is `ndigits`, `weight`, `sign`, `dscale` (16 bits each, big-endian), then `ndigits` digits in base
/// 10,000; the first stands for `10000^weight`.
///
/// # Errors
/// [`DecimalError`] for NaN, infinities and malformed input; nothing is appended then.
pub fn write_pg_numeric(out: &mut Vec<u8>, wire: &[u8]) -> Result<(), DecimalError> {
    let (header, digits) = wire.split_first_chunk::<8>().ok_or(DecimalError::Malformed)?;
    let [n1, n0, w1, w0, s1, s0, d1, d0] = *header;
    let negative = match u16::from_be_bytes([s1, s0]) {
        0x0000 => false,
        0x4000 => true,
        0xC000 => return Err(DecimalError::NotANumber),
        0xD000 | 0xF000 => return Err(DecimalError::Infinite),
        _ => return Err(DecimalError::Malformed),
    };
    let (digits, rest) = digits.as_chunks::<2>();
    let well_formed = rest.is_empty()
        && digits.len() == usize::from(u16::from_be_bytes([n1, n0]))
        && digits.iter().all(|digit| u16::from_be_bytes(*digit) < 10_000);
    if !well_formed {
        return Err(DecimalError::Malformed);
    }
    let number = Numeric { digits, weight: i32::from(i16::from_be_bytes([w1, w0])) };
    if negative {
        out.push(b'-');
    }
    number.write_integer(out);
    number.write_fraction(out, usize::from(u16::from_be_bytes([d1, d0])));
    Ok(())
}

/// The digits of a `numeric`.
struct Numeric<'a> {
    digits: &'a [[u8; 2]],
    weight: i32,
}

impl Numeric<'_> {
    /// Four decimal digits standing for `10000^power`.
    #[inline]
    fn group(&self, power: i32) -> [u8; 4] {
        let index = usize::try_from(self.weight - power).ok();
        let digit = index.and_then(|index| self.digits.get(index)).copied().unwrap_or_default();
        quad(u32::from(u16::from_be_bytes(digit)))
    }

    fn write_integer(&self, out: &mut Vec<u8>) {
        if self.weight < 0 || self.digits.is_empty() {
            return out.push(b'0');
        }
        let first = self.group(self.weight);
        // Leading zeros of the first group only; PostgreSQL strips whole groups of zeros.
        let zeros = first.iter().take_while(|&&digit| digit == b'0').count().min(3);
        out.extend_from_slice(&first[zeros..]);
        for power in (0..self.weight).rev() {
            out.extend_from_slice(&self.group(power));
        }
    }

    fn write_fraction(&self, out: &mut Vec<u8>, scale: usize) {
        if scale == 0 {
            return;
        }
        out.push(b'.');
        let end = out.len() + scale;
        let mut power = -1;
        while out.len() < end {
            out.extend_from_slice(&self.group(power));
            power -= 1;
        }
        out.truncate(end);
    }
}

/// Appends a decimal literal (`-12.5`, `1E+3`) rounded half to even to `places` digits after the point: Python's
/// `f"{Decimal(text).quantize(Decimal(1).scaleb(-places)):f}"`. A negative value that rounds to zero keeps its sign,
/// as there.
///
/// # Errors
/// [`DecimalError`] where `text` is no finite decimal literal, or expands beyond reason; nothing is appended then.
pub fn write_quantized(out: &mut Vec<u8>, text: &str, places: u32) -> Result<(), DecimalError> {
    let literal = Literal::parse(text)?;
    let places = i64::from(places);
    if places > MAX_INTEGER_DIGITS || literal.point() > MAX_INTEGER_DIGITS {
        return Err(DecimalError::TooLarge);
    }
    let mut digits = literal.digits_before(literal.point() + places);
    if literal.rounds_up(literal.point() + places, digits.last().copied()) {
        increment(&mut digits);
    }
    let places = places as usize;
    // At least one digit before the point; then no zeros in front of it.
    while digits.len() <= places {
        digits.insert(0, b'0');
    }
    let integer = digits.len() - places;
    let zeros = digits[..integer - 1].iter().take_while(|&&digit| digit == b'0').count();
    if literal.negative {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[zeros..integer]);
    if places > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits[integer..]);
    }
    Ok(())
}

/// Appends a float read from SQLite as the decimal Django's backend makes of it: 15 significant digits, then
/// quantized to `places`.
///
/// # Errors
/// As [`write_quantized`]; NaN and infinities are errors.
pub fn write_f64_quantized(out: &mut Vec<u8>, value: f64, places: u32) -> Result<(), DecimalError> {
    if value.is_nan() {
        return Err(DecimalError::NotANumber);
    }
    if value.is_infinite() {
        return Err(DecimalError::Infinite);
    }
    write_quantized(out, &format!("{value:.14e}"), places)
}

/// A decimal literal taken apart: `0.digits × 10^point`, negated where `negative`. Exact, and borrowed from its text.
#[derive(Debug, Clone, Copy)]
pub struct Literal<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Literal<'a> {
    /// Reads `[+-]digits[.digits][e[+-]digits]`, with a digit on at least one side of the point.
    ///
    /// # Errors
    /// [`DecimalError`] where `text` is something else, or its exponent passes 32 bits.
    pub fn parse(text: &'a str) -> Result<Self, DecimalError> {
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if unsigned.eq_ignore_ascii_case(b"nan") {
            return Err(DecimalError::NotANumber);
        }
        if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
            return Err(DecimalError::Infinite);
        }
        let (mantissa, exponent) = split_at(unsigned, |byte| matches!(byte, b'e' | b'E'));
        let (integer, fraction) = split_at(mantissa, |byte| byte == b'.');
        let fraction = fraction.unwrap_or_default();
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if integer.len() + fraction.len() == 0 || !digits(integer) || !digits(fraction) {
            return Err(DecimalError::Malformed);
        }
        let exponent = exponent.map_or(Ok(0), parse_exponent)?;
        Ok(Self { negative, integer, fraction, exponent })
    }

    /// Whether it starts with a minus; true of `-0` as well.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Where the decimal point stands, in digits from the first of [`Self::digits`].
    #[must_use]
    pub fn point(&self) -> i64 {
        if self.digits().all(|digit| digit == b'0') {
            // Zero has no magnitude: `0E+999999` is 0.
            return 0;
        }
        self.integer.len() as i64 + self.exponent
    }

    /// How many digits stand behind the point as it is written, zeros included; negative where it ends before the point.
    #[must_use]
    pub fn places(&self) -> i64 {
        self.fraction.len() as i64 - self.exponent
    }

    /// The digits as written, leading zeros included, in ASCII.
    pub fn digits(&self) -> impl Iterator<Item = u8> {
        self.integer.iter().chain(self.fraction).copied()
    }

    /// The first `count` digits, padded with zeros.
    fn digits_before(&self, count: i64) -> Vec<u8> {
        let count = usize::try_from(count).unwrap_or(0);
        self.digits().chain(std::iter::repeat(b'0')).take(count).collect()
    }

    /// Whether dropping the digits from `cut` on rounds the digits before away from zero.
    fn rounds_up(&self, cut: i64, last_kept: Option<u8>) -> bool {
        let Ok(cut) = usize::try_from(cut) else { return false };
        let mut dropped = self.digits().skip(cut);
        match dropped.next() {
            Some(b'6'..) => true,
            Some(b'5') => dropped.any(|digit| digit != b'0') || last_kept.is_some_and(|digit| digit % 2 == 1),
            _ => false,
        }
    }
}

/// The parts before and after the first byte that `matches`.
fn split_at(text: &[u8], matches: impl Fn(u8) -> bool) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| matches(byte)) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, DecimalError> {
    let exponent = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok());
    exponent.map(i64::from).ok_or(DecimalError::Malformed)
}

/// Adds one unit in the last place.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

#[cfg(test)]
mod tests;

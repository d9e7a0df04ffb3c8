//! Where a JSON value ends, checked to be one (RFC 8259).

use super::{Fault, MAX_DEPTH};
use crate::scan;

/// Index of the first byte at or after `at` that is not white space.
#[inline]
pub(crate) fn space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The end of the string whose content starts at `at`, behind its closing quote.
#[inline]
pub(crate) fn string_end(text: &[u8], mut at: usize) -> Result<usize, Fault> {
    while let Some(found) = scan::next_special(text, at) {
        at = match text[found] {
            b'"' => return Ok(found + 1),
            b'\\' => escape_end(text, found)?,
            // U+2028 and U+2029 are allowed as they are.
            scan::SEPARATOR_LEAD => found + 3,
            _ => return Err(Fault::new(found, "control character in a string")),
        };
    }
    Err(Fault::new(text.len(), "unterminated string"))
}

/// The end of the escape that starts with the backslash at `at`.
fn escape_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match text.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
            _ => Err(Fault::new(at, "invalid escape")),
        },
        _ => Err(Fault::new(at, "invalid escape")),
    }
}

/// The end of the number or literal that starts at `at`.
#[inline]
pub(crate) fn scalar_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at) {
        Some(b'-' | b'0'..=b'9') => number_end(text, at),
        Some(b't') if text[at..].starts_with(b"true") => Ok(at + 4),
        Some(b'n') if text[at..].starts_with(b"null") => Ok(at + 4),
        Some(b'f') if text[at..].starts_with(b"false") => Ok(at + 5),
        _ => Err(Fault::new(at, "expected a value")),
    }
}

#[inline]
fn number_end(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start + usize::from(text[start] == b'-');
    at = match text.get(at) {
        Some(b'0') => at + 1,
        _ => digits_end(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits_end(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(text, at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

#[inline]
fn digits_end(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start { Err(Fault::new(at, "expected a digit")) } else { Ok(at) }
}

/// One level further down.
#[inline]
pub(crate) fn deeper(at: usize, depth: usize) -> Result<usize, Fault> {
    if depth == MAX_DEPTH { Err(Fault::new(at, "nested too deeply")) } else { Ok(depth + 1) }
}

/// The end of the value that starts at `at`, whatever it is; `depth` containers are around it.
pub(crate) fn value_end(text: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
    match text.get(at) {
        Some(b'"') => string_end(text, at + 1),
        Some(b'{') => object_end(text, at, deeper(at, depth)?),
        Some(b'[') => array_end(text, at, deeper(at, depth)?),
        _ => scalar_end(text, at),
    }
}

fn object_end(text: &[u8], start: usize, depth: usize) -> Result<usize, Fault> {
    let mut at = space(text, start + 1);
    if text.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let key = key_end(text, at)?;
        at = space(text, value_end(text, key.value, depth)?);
        match text.get(at) {
            Some(b',') => at = space(text, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Fault::new(at, "expected a comma or }")),
        }
    }
}

fn array_end(text: &[u8], start: usize, depth: usize) -> Result<usize, Fault> {
    let mut at = space(text, start + 1);
    if text.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        at = space(text, value_end(text, at, depth)?);
        match text.get(at) {
            Some(b',') => at = space(text, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return Err(Fault::new(at, "expected a comma or ]")),
        }
    }
}

/// Where a key ends, behind its quote, and where its value starts.
pub(crate) struct Key {
    pub(crate) end: usize,
    pub(crate) value: usize,
}

/// The key whose opening quote is expected at `at`, with its colon and the white space around that.
pub(crate) fn key_end(text: &[u8], at: usize) -> Result<Key, Fault> {
    if text.get(at) != Some(&b'"') {
        return Err(Fault::new(at, "expected a key in quotes"));
    }
    let end = string_end(text, at + 1)?;
    let colon = space(text, end);
    if text.get(colon) != Some(&b':') {
        return Err(Fault::new(colon, "expected a colon"));
    }
    Ok(Key { end, value: space(text, colon + 1) })
}

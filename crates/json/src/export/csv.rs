//! Cells of a CSV record.

use super::{Fault, lex};

/// What a row looks like: objects become columns named `outer.inner`, everything else is a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// One cell. Arrays, and objects of unknown keys, are written as JSON.
    Cell,
    /// An object with these keys in this order, or `null`.
    Record(Vec<(String, Shape)>),
}

impl Shape {
    fn names(&self, prefix: &str, found: &mut Vec<String>) {
        match self {
            Self::Cell => found.push(prefix.to_owned()),
            Self::Record(fields) => {
                for (key, shape) in fields {
                    let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    shape.names(&name, found);
                }
            }
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::Cell => 1,
            Self::Record(fields) => fields.iter().map(|(_, shape)| shape.width()).sum(),
        }
    }
}

/// Writes the names of the columns.
pub(super) fn header(shape: &Shape, out: &mut Vec<u8>) {
    let mut names = Vec::new();
    shape.names("", &mut names);
    for (index, name) in names.iter().enumerate() {
        separate(index == 0, out);
        text(name.as_bytes(), false, out);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a row.
pub(super) fn record(shape: &Shape, guard: bool, row: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut first = true;
    value(shape, guard, row, 0, &mut first, out)?;
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Writes the value at `at`; returns where it ends.
fn value(
    shape: &Shape,
    guard: bool,
    row: &[u8],
    at: usize,
    first: &mut bool,
    out: &mut Vec<u8>,
) -> Result<usize, Fault> {
    let Shape::Record(fields) = shape else {
        let end = lex::value_end(row, at, 0)?;
        separate(std::mem::take(first), out);
        cell(&row[at..end], guard, out);
        return Ok(end);
    };
    if row.get(at) == Some(&b'n') {
        for _ in 0..shape.width() {
            separate(std::mem::take(first), out);
        }
        return lex::value_end(row, at, 0);
    }
    if row.get(at) != Some(&b'{') {
        return Err(Fault::new(at, "expected an object"));
    }
    let mut at = at + 1;
    for (index, (_, shape)) in fields.iter().enumerate() {
        if index > 0 {
            at = lex::space(row, at + 1);
        }
        let key = lex::key_end(row, at)?;
        at = value(shape, guard, row, key.value, first, out)?;
    }
    match row.get(at) {
        Some(b'}') => Ok(at + 1),
        _ => Err(Fault::new(at, "expected }")),
    }
}

fn separate(first: bool, out: &mut Vec<u8>) {
    if !first {
        out.push(b',');
    }
}

/// A JSON value as a cell: `null` is empty, empty text is `""`, containers are JSON.
fn cell(json: &[u8], guard: bool, out: &mut Vec<u8>) {
    match json {
        b"null" => {}
        [b'"', inner @ .., b'"'] if inner.contains(&b'\\') => text(&unescaped(inner), guard, out),
        [b'"', inner @ .., b'"'] => text(inner, guard, out),
        [b'[' | b'{', ..] => text(json, false, out),
        plain => out.extend_from_slice(plain),
    }
}

fn text(bytes: &[u8], guard: bool, out: &mut Vec<u8>) {
    let formula = guard && matches!(bytes.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'));
    if !bytes.is_empty() && !bytes.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
        if formula {
            out.push(b'\'');
        }
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    if formula {
        out.push(b'\'');
    }
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// The text of a string's content, checked to be JSON already. A lone surrogate, which has no UTF-8, becomes U+FFFD.
fn unescaped(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let [letter, after @ ..] = rest else { break };
        rest = after;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (found, after) = character(rest);
                out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            same => out.push(*same),
        }
    }
    out
}

/// The character whose four digits are first, of two escapes where it is a surrogate pair.
fn character(rest: &[u8]) -> (char, &[u8]) {
    let Some((high, after)) = unit(rest) else { return (char::REPLACEMENT_CHARACTER, &[]) };
    if let (0xD800..0xDC00, [b'\\', b'u', second @ ..]) = (high, after)
        && let Some((low @ 0xDC00..0xE000, behind)) = unit(second)
    {
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), behind);
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), after)
}

fn unit(digits: &[u8]) -> Option<(u32, &[u8])> {
    let (four, rest) = digits.split_at_checked(4)?;
    Some((u32::from_str_radix(std::str::from_utf8(four).ok()?, 16).ok()?, rest))
}

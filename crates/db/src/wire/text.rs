//! Text, JSON and what else is sent as characters.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use plectrum_json::text;
use serde::de::IgnoredAny;

use super::Unwritable;

/// What `filepath_to_uri` escapes: everything but `quote`'s unreserved characters and `/~!*()'`.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b'/')
    .remove(b'!')
    .remove(b'*')
    .remove(b'(')
    .remove(b')')
    .remove(b'\'');

/// Checks text; by vectors, because most of an answer is text and the standard check is slow past ASCII.
#[inline]
pub(crate) fn check_utf8(bytes: &[u8]) -> Result<(), Unwritable> {
    if bytes.is_ascii() { Ok(()) } else { utf8(bytes).map(|_| ()) }
}

fn utf8(bytes: &[u8]) -> Result<&str, Unwritable> {
    // The slow check knows where the fault is.
    simdutf8::basic::from_utf8(bytes).or_else(|_| Ok(std::str::from_utf8(bytes)?))
}

/// A string. The server vouches for UTF-8 only when its own encoding is one: checked, so that an answer never is
/// broken JSON.
#[inline]
pub(super) fn write(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    check_utf8(cell)?;
    text::write_bytes(out, cell);
    Ok(())
}

/// `json`: its text, which the server checked.
pub(super) fn write_json(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    check_utf8(cell)?;
    out.extend_from_slice(cell);
    Ok(())
}

/// `jsonb`: a version byte, then text.
pub(super) fn write_jsonb(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match cell {
        [1, text @ ..] => write_json(text, out),
        _ => Err("jsonb of a version this driver does not know".into()),
    }
}

/// A JSON value from a column that holds any text: what does not parse is a string, as Django's `JSONField` has it.
pub(crate) fn write_json_text(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let json = utf8(cell)?;
    if serde_json::from_str::<IgnoredAny>(json).is_ok() {
        out.extend_from_slice(cell);
    } else {
        text::write(out, json);
    }
    Ok(())
}

/// A stored file's URL from its name as UTF-8 bytes.
pub(crate) fn write_file(base: &str, name: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    write_file_url(base, utf8(name)?, out);
    Ok(())
}

/// Appends a stored file's URL as JSON: Django's `filepath_to_uri` of its name behind the storage's base URL. No name
/// is `null`.
pub fn write_file_url(base: &str, name: &str, out: &mut Vec<u8>) {
    if name.is_empty() {
        return plectrum_json::write_null(out);
    }
    out.push(b'"');
    text::escape(out, base.as_bytes());
    for (index, part) in name.trim_start_matches(['/', '\\']).split('\\').enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        percent_encode(part.as_bytes(), PATH).for_each(|chunk| out.extend_from_slice(chunk.as_bytes()));
    }
    out.push(b'"');
}

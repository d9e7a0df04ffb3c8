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

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Unwritable> {
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

/// Appends a stored file's URL as JSON, as `FileSystemStorage.url()` joins it: Django's `filepath_to_uri` of the name,
/// resolved against the storage's base URL. No name is `null`.
pub fn write_file_url(base: &str, name: &str, out: &mut Vec<u8>) {
    if name.is_empty() {
        return plectrum_json::write_null(out);
    }
    out.push(b'"');
    let name = name.trim_start_matches(['/', '\\']);
    if is_resolved(name) {
        text::escape(out, base.as_bytes());
        quote(name).for_each(|chunk| out.extend_from_slice(chunk.as_bytes()));
    } else {
        text::escape(out, resolved(base, name).as_bytes());
    }
    out.push(b'"');
}

fn quote(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split('\\').enumerate();
    parts.flat_map(|(index, part)| {
        (index > 0).then_some("/").into_iter().chain(percent_encode(part.as_bytes(), PATH))
    })
}

/// Whether joining the name to a base leaves it as it is: no empty segments and no dots for directories.
fn is_resolved(name: &str) -> bool {
    let mut segments = name.split(['/', '\\']).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return false;
        }
    }
    true
}

/// Python's `urljoin` of a base and a quoted relative path (RFC 3986, section 5.2.4; empty segments are dropped).
fn resolved(base: &str, name: &str) -> String {
    let path_at =
        base.find("//").map_or(0, |at| base[at + 2..].find('/').map_or(base.len(), |end| at + 2 + end));
    let (origin, path) = base.split_at(path_at);
    let path = format!(
        "{}{}",
        &path[..path.rfind('/').map_or(0, |slash| slash + 1)],
        quote(name).collect::<String>()
    );
    let segments: Vec<_> = path.split('/').collect();
    let last = segments.len() - 1;
    let mut kept = Vec::with_capacity(segments.len());
    for (index, segment) in segments.into_iter().enumerate() {
        match segment {
            ".." => drop(kept.pop()),
            "." => {}
            "" if index != 0 && index != last => {}
            _ => kept.push(segment),
        }
        if index == last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    match kept.join("/").as_str() {
        "" => format!("{origin}/"),
        path if origin.is_empty() || path.starts_with('/') => format!("{origin}{path}"),
        path => format!("{origin}/{path}"),
    }
}

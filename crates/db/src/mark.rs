//! What could not be written, noted in the text of a response where the value belongs: a byte that JSON never has, a
//! letter for what it is, and a JSON value that says more. Whoever asked for marks ([`crate::plan::Template::Leaf`],
//! [`crate::plan::Template::Mark`]) takes them out again.

use plectrum_json::text;

/// The byte a mark begins with: JSON has no control characters but white space.
pub const MARK: u8 = 0x01;

/// NULL where a value has to be; the JSON is `null`.
pub const ABSENT: u8 = b'n';

/// A value that has no JSON form; the JSON is a text that says why.
pub const UNWRITABLE: u8 = b'v';

/// The statement of a child failed; the JSON is an array of the failure's number ([`crate::Failures`]).
pub const FAILED: u8 = b'f';

/// Notes that a child's statement failed.
#[cold]
pub(crate) fn failed(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(&[MARK, FAILED]);
    out.extend_from_slice(format!("[{number}]").as_bytes());
}

/// Notes that a value is missing.
pub(crate) fn absent(out: &mut Vec<u8>) {
    out.extend_from_slice(&[MARK, ABSENT]);
    plectrum_json::write_null(out);
}

/// Notes why a value cannot be written.
#[cold]
pub(crate) fn unwritable(out: &mut Vec<u8>, why: &str) {
    out.extend_from_slice(&[MARK, UNWRITABLE]);
    text::write(out, why);
}

/// Whether there is a mark in a text.
#[must_use]
pub fn is_marked(text: &[u8]) -> bool {
    memchr::memchr(MARK, text).is_some()
}

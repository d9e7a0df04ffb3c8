//! JSON strings (RFC 8259 §7), escaped as Django REST framework's `JSONRenderer` does: non-ASCII text stays as it is,
//! U+2028 and U+2029 are escaped so that the output is also valid JavaScript.

use crate::append::{append, append_quoted};
use crate::scan;
use std::str::Utf8Error;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string.
#[inline]
pub fn write(out: &mut Vec<u8>, text: &str) {
    write_bytes(out, text.as_bytes());
}

/// Appends `text` as a JSON string. The caller vouches that it is UTF-8 (a PostgreSQL text column under
/// `client_encoding = UTF8`); other bytes are copied and make a document that readers refuse.
#[inline]
pub fn write_bytes(out: &mut Vec<u8>, text: &[u8]) {
    match scan::next_special(text, 0) {
        None => append_quoted(out, text),
        Some(found) => {
            out.reserve(text.len() + 2);
            out.push(b'"');
            escape_from(out, text, found);
            out.push(b'"');
        }
    }
}

/// Appends `text` as a JSON string after checking that it is UTF-8.
///
/// # Errors
/// Where `text` is not UTF-8; nothing is appended then.
pub fn write_utf8(out: &mut Vec<u8>, text: &[u8]) -> Result<(), Utf8Error> {
    write(out, std::str::from_utf8(text)?);
    Ok(())
}

/// Appends the inside of a JSON string, without quotes: for a string written in pieces.
pub fn escape(out: &mut Vec<u8>, text: &[u8]) {
    match scan::next_special(text, 0) {
        None => append(out, text),
        Some(found) => escape_from(out, text, found),
    }
}

/// The key of an object member with its colon (`"name":`), encoded once for many rows.
#[must_use]
pub fn key(name: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(name.len() + 3);
    write(&mut out, name);
    out.push(b':');
    out.into_boxed_slice()
}

/// Escapes text whose first special byte is at `found`.
#[cold]
#[inline(never)]
fn escape_from(out: &mut Vec<u8>, text: &[u8], found: usize) {
    let mut next = Some(found);
    let mut copied = 0;
    while let Some(at) = next {
        append(out, &text[copied..at]);
        copied = at + escape_one(out, &text[at..]);
        next = scan::next_special(text, copied);
    }
    append(out, &text[copied..]);
}

/// Appends the escape of the special character `rest` starts with; returns how many bytes of `rest` it takes.
fn escape_one(out: &mut Vec<u8>, rest: &[u8]) -> usize {
    let short = match rest[0] {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        scan::SEPARATOR_LEAD => {
            out.extend_from_slice(if rest[2] == 0xA8 { b"\\u2028" } else { b"\\u2029" });
            return 3;
        }
        control => {
            let digit = |nibble: u8| HEX[usize::from(nibble)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control & 0xF)]);
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_what_the_rfc_and_drf_ask_for() {
        let cases = [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#),
            ("\"\\/", r#""\"\\/""#),
            ("\0\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
            ("ü€😀", r#""ü€😀""#),
            ("\u{2028}\u{2029}\u{2027}\u{202a}", "\"\\u2028\\u2029\u{2027}\u{202a}\""),
            ("“quoted” – dash…", r#""“quoted” – dash…""#),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), expected);
        }
    }

    #[test]
    fn a_key_carries_its_colon() {
        assert_eq!(&*key("na\"me"), br#""na\"me":"#);
    }

    #[test]
    fn invalid_utf8_is_refused_and_leaves_the_buffer_alone() {
        let mut out = b"[".to_vec();
        assert_eq!(write_utf8(&mut out, b"ok\xE2\x80").unwrap_err().valid_up_to(), 2);
        assert_eq!(out, b"[");
        write_utf8(&mut out, "é".as_bytes()).unwrap();
        assert_eq!(out, "[\"é\"".as_bytes());
    }

    #[test]
    fn a_cut_separator_at_the_end_is_copied() {
        let mut out = Vec::new();
        write_bytes(&mut out, b"a\xE2\x80");
        assert_eq!(out, b"\"a\xE2\x80\"");
    }

    #[test]
    fn pieces_escape_like_the_whole() {
        let mut out = Vec::new();
        escape(&mut out, b"/media/");
        escape(&mut out, b"a\"b\n");
        assert_eq!(out, br#"/media/a\"b\n"#);
    }
}

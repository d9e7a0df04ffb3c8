//! The names that keys spell: `"a\u005fb"` and `"a_b"` are one.

use crate::naming::to_camel;
use crate::text;

/// A key of a row, converted.
pub(super) struct Key {
    /// In camelCase.
    pub(super) name: String,
    /// The same as a JSON string; spelled as in the row where nothing changes.
    pub(super) quoted: Vec<u8>,
}

impl Key {
    /// From the raw content of a checked string. What spells no text (a lone surrogate) stays as it is.
    pub(super) fn of(raw: &str) -> Self {
        let spelled = spelled(raw);
        let name = spelled.as_deref().map_or_else(|| raw.into(), |spelled| to_camel(spelled).into_owned());
        let mut quoted = Vec::with_capacity(raw.len() + 2);
        if spelled.is_none_or(|spelled| spelled == name) {
            quoted.push(b'"');
            quoted.extend_from_slice(raw.as_bytes());
            quoted.push(b'"');
        } else {
            text::write(&mut quoted, &name);
        }
        Self { name, quoted }
    }
}

/// What the raw content of a string spells.
fn spelled(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (letter, len) = match escape.as_bytes().first()? {
            b'u' => unicode(escape)?,
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b't' => ('\t', 1),
            other => (char::from(*other), 1),
        };
        out.push(letter);
        rest = &escape[len..];
    }
    out.push_str(rest);
    Some(out)
}

/// The character that `uXXXX` or `uXXXX\uXXXX` stands for, and how long that is.
fn unicode(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(escape.get(at..at + 4)?, 16).ok();
    let first = unit(1)?;
    if let Some(letter) = char::from_u32(u32::from(first)) {
        return Some((letter, 5));
    }
    let second = unit(7).filter(|_| escape.get(5..7) == Some("\\u"))?;
    let letter = char::decode_utf16([first, second]).next()?.ok()?;
    Some((letter, 11))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn escapes_are_spelled_out() {
        let cases = ["plain", r#"\"\\\/\b\f\n\r\t"#, r"a\u005fb", r"\u00e9_x", r"\ud83d\ude00!", r"é\n😀"];
        for raw in cases {
            let expected: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            assert_eq!(spelled(raw), Some(expected));
        }
    }

    #[test]
    fn what_spells_no_text_stays() {
        for raw in [r"\ud83d", r"\ud83d\n", r"\ud83dabcdef", r"\ud83d\u0041", r"\ude00\ud83d", r"\ud83dé\u1"]
        {
            assert_eq!(spelled(raw), None);
            assert_eq!(Key::of(raw).quoted, format!("\"{raw}\"").into_bytes());
        }
    }
}

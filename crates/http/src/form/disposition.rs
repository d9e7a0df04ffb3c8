//! `Content-Disposition` of a part (RFC 7578 §4.2, RFC 6266), as browsers and clients really write it.

use crate::query::hex_pair;

/// Bytes of a file's name that are kept; file systems take no more.
const MAX_NAME: usize = 255;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    pub(super) name: Option<String>,
    /// As the peer wrote it; `filename*` goes before `filename`.
    pub(super) filename: Option<String>,
}

/// Reads the header of a form's part; `None` where it is none, or not UTF-8.
pub(super) fn parse(value: &[u8]) -> Option<Disposition> {
    let text = std::str::from_utf8(value).ok()?;
    let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut found = Disposition::default();
    let mut extended = None;
    while let Some((name, value, after)) = parameter(rest) {
        match name.to_ascii_lowercase().as_str() {
            "name" => found.name = found.name.or(Some(value)),
            "filename" => found.filename = found.filename.or(Some(value)),
            "filename*" => extended = extended.or_else(|| decode_extended(&value)),
            _ => {}
        }
        rest = after;
    }
    found.filename = extended.or(found.filename);
    Some(found)
}

/// The next `name=value` or `name="value"`, and what follows it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_matches([' ', '\t', ';']);
    let rest = rest.trim_start();
    if let Some(quoted) = rest.strip_prefix('"') {
        let (value, after) = unquote(quoted);
        return Some((name, value, after));
    }
    let (value, after) = rest.split_once(';').unwrap_or((rest, ""));
    Some((name, value.trim().to_owned(), after))
}

/// A quoted string without its first quote. Only quotes and backslashes are escaped: old browsers send whole paths.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::with_capacity(text.len());
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' => match letters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    (value, "")
}

/// `UTF-8''na%C3%AFve.txt` (RFC 8187); other character sets than UTF-8 and Latin-1 are not read.
fn decode_extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let decoded = if byte == b'%' { hex_pair(after) } else { None };
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

/// A name that stays in its directory: the last part of a path, without control characters; empty where nothing is left.
pub(super) fn safe_name(filename: &str) -> String {
    let last = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let name = name.trim();
    if matches!(name, "." | "..") { String::new() } else { shortened(name) }
}

/// At most [`MAX_NAME`] bytes, the extension kept.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |at| &name[at..]);
    let extension = if extension.len() < 32 { extension } else { "" };
    let room = MAX_NAME - extension.len();
    let mut stem = String::with_capacity(MAX_NAME);
    for letter in name.chars() {
        if stem.len() + letter.len_utf8() > room {
            break;
        }
        stem.push(letter);
    }
    stem + extension
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(value: &str) -> (Option<String>, Option<String>) {
        let found = parse(value.as_bytes()).unwrap();
        (found.name, found.filename)
    }

    fn both(name: &str, filename: &str) -> (Option<String>, Option<String>) {
        (Some(name.into()), Some(filename.into()))
    }

    #[test]
    fn as_clients_write_it() {
        assert_eq!(read(r#"form-data; name="a""#), (Some("a".into()), None));
        assert_eq!(read("form-data;name=a; filename=b.txt"), both("a", "b.txt"));
        assert_eq!(read(r#"Form-Data; FILENAME="b; c.txt"; name="a=1""#), both("a=1", "b; c.txt"));
        assert_eq!(read(r#"form-data; name="a"; filename="na\"i\\ve.txt""#), both("a", r#"na"i\ve.txt"#));
        assert_eq!(read(r#"form-data; name="a"; filename="C:\dir\b.txt""#), both("a", r"C:\dir\b.txt"));
        assert_eq!(read(r#"form-data; name="é"; filename="😀.txt""#), both("é", "😀.txt"));
        assert_eq!(read(r#"form-data; name="a"; filename="""#), both("a", ""));
        assert_eq!(read(r#"form-data; name="a"; filename="open"#), both("a", "open"));
    }

    #[test]
    fn the_extended_name_goes_first() {
        let value = r#"form-data; name="a"; filename*=UTF-8''na%C3%AFve%20%zz.txt; filename="naive.txt""#;
        assert_eq!(read(value), both("a", "naïve %zz.txt"));
        assert_eq!(read("form-data; name=a; filename*=iso-8859-1'en'%A3"), both("a", "£"));
        for unread in ["utf-8''%ff", "utf-7''x", "nothing"] {
            assert_eq!(read(&format!("form-data; name=a; filename=b; filename*={unread}")), both("a", "b"));
        }
    }

    #[test]
    fn what_is_no_form_data() {
        for value in ["", "attachment; name=a", "inline", "form-datax; name=a"] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
        assert_eq!(parse(b"form-data; name=\xff"), None);
        assert_eq!(read("form-data"), (None, None));
    }

    #[test]
    fn names_stay_in_their_directory() {
        for (given, safe) in [
            ("a.txt", "a.txt"),
            ("../../etc/passwd", "passwd"),
            (r"C:\windows\..\a.txt", "a.txt"),
            ("/", ""),
            ("..", ""),
            (" . ", ""),
            ("a\0b\r\nc", "abc"),
            ("\u{202e}a", "\u{202e}a"),
        ] {
            assert_eq!(safe_name(given), safe, "{given:?}");
        }
        let long = safe_name(&format!("{}.tar.gz", "é".repeat(200)));
        assert!(long.len() <= 255 && long.ends_with("é.gz"), "{long}");
        assert_eq!(safe_name(&"x".repeat(300)).len(), 255);
    }
}

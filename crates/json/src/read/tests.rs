#![allow(clippy::unwrap_used)]
use super::*;

/// Reads a whole document, building nothing.
fn check(data: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader::new(data);
    let outcome = reader.peek().and_then(|peek| skip(&mut reader, peek)).and_then(|()| reader.finish());
    outcome.map_err(|Broken| reader.fault())
}

fn skip(reader: &mut Reader<'_>, peek: Peek) -> Result<(), Broken> {
    match peek {
        Peek::Null => reader.null(),
        Peek::True | Peek::False => reader.bool(peek).map(drop),
        Peek::Number => reader.number().map(drop),
        Peek::String => reader.text().map(drop),
        Peek::Array => {
            let mut next = reader.first_item()?;
            while let Some(peek) = next {
                skip(reader, peek)?;
                next = reader.next_item()?;
            }
            Ok(())
        }
        Peek::Object => {
            let mut more = reader.first_member()?;
            while more {
                reader.key()?;
                let peek = reader.peek()?;
                skip(reader, peek)?;
                more = reader.next_member()?;
            }
            Ok(())
        }
    }
}

fn text(data: &str) -> Result<String, Broken> {
    Reader::new(data.as_bytes()).text().map(str::to_owned)
}

fn number(data: &str) -> Result<Number<'_>, Broken> {
    Reader::new(data.as_bytes()).number()
}

#[test]
fn faults_are_told_where_they_show() {
    for (data, what, at) in [
        (&b""[..], What::EndInValue, 0),
        (b"  ", What::EndInValue, 2),
        (b"[", What::EndInList, 1),
        (b"[1", What::EndInList, 2),
        (b"[1,", What::EndInValue, 3),
        (b"[1,]", What::TrailingComma, 3),
        (b"[,", What::Value, 1),
        (b"[1 2]", What::ListCommaOrEnd, 3),
        (b"{", What::EndInObject, 1),
        (b"{1", What::Key, 1),
        (b"{\"a\"", What::EndInObject, 4),
        (b"{\"a\"}", What::Colon, 4),
        (b"{\"a\":", What::EndInValue, 5),
        (b"{\"a\":1", What::EndInObject, 6),
        (b"{\"a\":1]", What::ObjectCommaOrEnd, 6),
        (b"{\"a\":1,", What::EndInValue, 7),
        (b"{\"a\":1,}", What::TrailingComma, 7),
        (b"{\"a\":1,2", What::Key, 7),
        (b"nul", What::EndInValue, 3),
        (b"nule", What::Word, 3),
        (b"truE", What::Word, 3),
        (b"1 2", What::TrailingCharacters, 2),
        (b"NaN", What::Value, 0),
        (b"-", What::EndInValue, 1),
        (b"-x", What::Number, 1),
        (b"01", What::Number, 1),
        (b"1.", What::EndInValue, 2),
        (b"1.e", What::Number, 2),
        (b"1e+", What::EndInValue, 3),
        (b"1ex", What::Number, 2),
        (b"\"", What::EndInString, 1),
        (b"\"\n\"", What::Control, 1),
        (b"\"\\", What::EndInString, 2),
        (b"\"\\x", What::Escape, 2),
        (b"\"\\u12", What::EndInString, 5),
        (b"\"\\u12g4\"", What::Escape, 5),
        (b"\"\\ud800\"", What::HalfEscape, 7),
        (b"\"\\ud800", What::EndInString, 7),
        (b"\"\\ud800\\u0041\"", What::LoneSurrogate, 12),
        (b"\"\\udc00\"", What::LoneSurrogate, 6),
        (b"\"a\xFF\"", What::Utf8, 2),
        (b"\"\xC3\\n\"", What::Utf8, 1),
        (b"\"\xED\xA0\x80\"", What::Utf8, 1),
    ] {
        assert_eq!(check(data), Err(Fault { what, at }), "{}", data.escape_ascii());
    }
}

#[test]
fn positions_count_lines_and_columns_from_one() {
    let reader = Reader::new(b"[1,\n  x\n");
    assert_eq!(reader.position(0), (1, 1));
    assert_eq!(reader.position(6), (2, 3));
    assert_eq!(reader.position(99), (3, 0));
}

#[test]
fn escapes_become_characters() {
    for (data, expected) in [
        (r#""""#, ""),
        (r#""plain""#, "plain"),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""a\u0041\u00e9\u20AC\ud83d\ude00z""#, "aAé€😀z"),
        (r#""ü\nü""#, "ü\nü"),
        ("\"\u{7f}\u{2028}\"", "\u{7f}\u{2028}"),
    ] {
        assert_eq!(text(data).unwrap(), expected);
    }
}

#[test]
fn numbers_tell_small_integers() {
    for (data, literal, small) in [
        ("0", "0", Some(0)),
        ("-0", "-0", Some(0)),
        ("-12,", "-12", Some(-12)),
        ("999999999999999999 ", "999999999999999999", Some(999_999_999_999_999_999)),
        ("1000000000000000000", "1000000000000000000", None),
        ("1.5e3]", "1.5e3", None),
        ("0.0", "0.0", None),
        ("1E-2", "1E-2", None),
    ] {
        let found = number(data).unwrap();
        assert_eq!(found, Number { literal, small });
        assert_eq!(found.is_integer(), !literal.contains(['.', 'E', 'e']));
    }
}

#[test]
fn a_key_is_taken_only_as_it_is_spelled() {
    let mut reader = Reader::new(br#"{"a" : 1, "\u0061":2,"ab":3}"#);
    assert!(reader.first_member().unwrap());
    let a = Key::new("a");
    assert!(!reader.take_key(&Key::new("b")).unwrap());
    assert!(!reader.take_key(&Key::new("")).unwrap());
    assert!(reader.take_key(&a).unwrap());
    assert_eq!(reader.peek().unwrap(), Peek::Number);
    assert_eq!(reader.number().unwrap().small, Some(1));
    assert!(reader.next_member().unwrap());
    assert!(!reader.take_key(&a).unwrap());
    assert_eq!(reader.key().unwrap(), "a");
    reader.peek().unwrap();
    reader.number().unwrap();
    assert!(reader.next_member().unwrap());
    assert!(!reader.take_key(&a).unwrap());
    assert_eq!(reader.key().unwrap(), "ab");
}

#[test]
fn keys_of_every_length_are_taken_wherever_they_stand() {
    for len in 0..40 {
        let name = "k".repeat(len);
        for other in [format!("{name}k"), format!("{name}\u{e9}"), name.replacen('k', "j", 1)] {
            let same = other == name;
            for padding in [0, 1, 40] {
                let data = format!("{{\"{other}\":{}", "1".repeat(padding));
                let mut reader = Reader::new(data.as_bytes());
                reader.first_member().unwrap();
                assert_eq!(reader.take_key(&Key::new(&name)).unwrap(), same, "{name} in {data}");
                assert_eq!(reader.at(), if same { len + 4 } else { 1 });
            }
        }
    }
    let mut reader = Reader::new(b"{\"a\" 1}");
    reader.first_member().unwrap();
    assert_eq!(reader.take_key(&Key::new("a")), Err(Broken));
    assert_eq!(reader.fault(), Fault { what: What::Colon, at: 5 });
}

#[test]
fn it_can_read_again() {
    let mut reader = Reader::new(b" [1, 2]");
    reader.peek().unwrap();
    let start = reader.at();
    skip(&mut reader, Peek::Array).unwrap();
    assert_eq!(reader.since(start), b"[1, 2]");
    reader.rewind(start);
    assert_eq!(reader.peek().unwrap(), Peek::Array);
}

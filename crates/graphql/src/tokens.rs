//! A first look at a text: how many tokens it has, and whether what is opened is closed. The parser goes on behind a mistake,
//! which takes a time of its own for each; what is refused here has cost one pass.

use memchr::memmem;

use crate::error::{Code, Error};
use crate::limits::refused;
use crate::place;

/// Levels of selections, lists and objects within each other: what the parser follows without a stack overflow.
const NESTING: usize = 200;

/// What a bracket that is open expects next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The parser knows.
    Any,
    /// The name of an argument, or of an object's field.
    Name,
    /// The colon behind it: the parser drops a name without one.
    Colon,
    Value,
}

/// A bracket that is open.
struct Open {
    byte: u8,
    next: Next,
}

/// Checks a text; commas and comments are tokens, too.
pub(crate) fn check(text: &str, most: usize) -> Result<(), Error> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let (mut at, mut tokens) = (0, 0);
    while let Some(byte) = bytes.get(at).copied() {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
            continue;
        }
        let begin = at;
        at += length(&bytes[begin..]).ok_or_else(|| wrong(text, begin, "Unterminated string."))?;
        tokens += 1;
        if tokens > most {
            return Err(refused(format!("The document has more than the {most} tokens that are allowed.")));
        }
        if matches!(byte, b',' | b'#') {
            continue;
        }
        take(&mut open, byte).map_err(|expected| {
            let found = text.get(begin..at).unwrap_or_default();
            wrong(text, begin, &format!("{expected} \"{found}\"."))
        })?;
        if open.len() > NESTING {
            return Err(refused(format!("The document is nested more than {NESTING} levels deep.")));
        }
    }
    match open.pop() {
        None => Ok(()),
        Some(opened) => {
            let why = format!("Expected \"{}\", found <EOF>.", closing(opened.byte) as char);
            Err(wrong(text, text.len(), &why))
        }
    }
}

/// Takes a token by its first byte.
fn take(open: &mut Vec<Open>, byte: u8) -> Result<(), &'static str> {
    let within = open.last_mut();
    let is_value = within.as_ref().is_some_and(|within| within.byte != b'{' || within.next != Next::Any);
    if let Some(within) = within {
        within.next = within.next.behind(byte)?;
    }
    match byte {
        b'(' => open.push(Open { byte, next: Next::Name }),
        b'{' if is_value => open.push(Open { byte, next: Next::Name }),
        b'{' | b'[' => open.push(Open { byte, next: Next::Any }),
        b'}' | b']' | b')' if open.pop().is_none_or(|opened| closing(opened.byte) != byte) => {
            return Err("Unexpected");
        }
        _ => {}
    }
    Ok(())
}

impl Next {
    /// What is expected behind a token.
    fn behind(self, byte: u8) -> Result<Self, &'static str> {
        Ok(match self {
            Self::Name if is_word(byte) => Self::Colon,
            Self::Colon if byte == b':' => Self::Value,
            Self::Colon => return Err("Expected \":\", found"),
            // A variable has its name yet to come.
            Self::Value if byte == b'$' => Self::Value,
            Self::Value => Self::Name,
            // Variables are declared here, or something is wrong.
            Self::Name | Self::Any => Self::Any,
        })
    }
}

/// Length of the token that a text begins with; none for a string that does not end.
fn length(text: &[u8]) -> Option<usize> {
    let until = |end: fn(u8) -> bool| text.iter().position(|byte| end(*byte)).unwrap_or(text.len());
    match text.first()? {
        b'"' => string(text),
        b'#' => Some(until(|byte| matches!(byte, b'\n' | b'\r'))),
        b'-' | b'0'..=b'9' => Some(until(|byte| !is_word(byte) && byte != b'.')),
        byte if is_word(*byte) => Some(until(|byte| !is_word(byte))),
        // A character may have several bytes.
        _ => Some(1 + text.iter().skip(1).take_while(|byte| (0x80..0xC0).contains(*byte)).count()),
    }
}

fn closing(opened: u8) -> u8 {
    match opened {
        b'{' => b'}',
        b'[' => b']',
        _ => b')',
    }
}

/// Whether a byte is of a name or a number.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// Length of the string that a text begins with; none where it does not end.
fn string(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"\"\"\"") {
        let mut at = 3;
        loop {
            let end = at + memmem::find(text.get(at..)?, b"\"\"\"")?;
            if text.get(end - 1) != Some(&b'\\') {
                return Some(end + 3);
            }
            at = end + 3;
        }
    }
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cold]
fn wrong(text: &str, at: usize, why: &str) -> Error {
    let locations = place::at(text, at).into_iter().collect();
    Error { locations, ..Error::new(Code::ParseFailed, format!("Syntax Error: {why}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(String, Vec<(usize, usize)>)> {
        check(text, 40).err().map(|error| (error.message, error.locations))
    }

    #[test]
    fn what_is_opened_is_closed() {
        assert_eq!(told("{a(b: [1, {c: \"}\"}])} # )"), None);
        assert_eq!(told("{a\n b)"), Some(("Syntax Error: Unexpected \")\".".to_owned(), vec![(2, 3)])));
        assert_eq!(
            told("{a("),
            Some(("Syntax Error: Expected \")\", found <EOF>.".to_owned(), vec![(1, 4)]))
        );
        assert_eq!(told("}"), Some(("Syntax Error: Unexpected \"}\".".to_owned(), vec![(1, 1)])));
    }

    #[test]
    fn names_of_arguments_have_colons() {
        for text in
            ["{a(b: $c, d: {e: -1.5, f: [{g: x}]}) @h(i: \"\")}", "query ($a: [B!]! = {c: 1} @d(e: f)) {a}"]
        {
            assert_eq!(told(&text.replace(',', "")), None, "{text}");
        }
        let expected = |found| Some(format!("Syntax Error: Expected \":\", found \"{found}\"."));
        let message = |text| told(text).map(|(message, _)| message);
        assert_eq!(message("{a(b)}"), expected(")"));
        assert_eq!(message("{a(b c: 1)}"), expected("c"));
        assert_eq!(message("{a(b: {c})}"), expected("}"));
        assert_eq!(message("{a(b: $c d)}"), expected(")"));
        assert_eq!(message("{a(b: [] d é)}"), expected("é"));
    }

    #[test]
    fn strings_hide_what_is_in_them() {
        assert_eq!(told(r#"{a(b: "\"{")}"#), None);
        assert_eq!(told(r#"{a(b: """ " { \""" """)}"#), None);
        assert_eq!(told(r#"{a(b: """""")}"#), None);
        let unterminated =
            |column| Some(("Syntax Error: Unterminated string.".to_owned(), vec![(1, column)]));
        assert_eq!(told("{a(b: \"x\ny\")}"), unterminated(7));
        assert_eq!(told("{a(b: \"\"\"\"\")}"), unterminated(7));
        assert_eq!(told("\"\\"), unterminated(1));
    }

    #[test]
    fn tokens_are_counted() {
        assert_eq!(check("{a b}", 4), Ok(()));
        assert_eq!(check("{a b}", 3).map_err(|error| error.code), Err(Code::LimitExceeded));
        assert_eq!(check(&",".repeat(10), 9).map_err(|error| error.code), Err(Code::LimitExceeded));
        let deep = format!("{}{}", "{a".repeat(201), "}".repeat(201));
        assert_eq!(check(&deep, 1_000).map_err(|error| error.code), Err(Code::LimitExceeded));
    }
}

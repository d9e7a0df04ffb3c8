//! JSON text → the text that Python's `json` would write, compactly, after reading it: no spaces, strings escaped as
//! [`text`] does, floats as their `repr`, integers of any size as they are.
//!
//! What Python would read otherwise than it is written is refused: a key given twice, a lone surrogate, NaN.

use crate::{number, text};

/// Nesting past this is left to Python.
const MAX_DEPTH: usize = 200;
/// Python reads integers of at most 4,300 digits.
const MAX_DIGITS: usize = 4_300;

/// Text that is no JSON value, or one whose meaning is for Python to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON that only Python reads")
    }
}

impl std::error::Error for Unreadable {}

/// Appends the value that `json` holds.
///
/// # Errors
/// [`Unreadable`]; nothing is appended then.
pub fn write(out: &mut Vec<u8>, json: &str) -> Result<(), Unreadable> {
    let start = out.len();
    let mut reader = Reader { rest: json.as_bytes(), unescaped: Vec::new() };
    let written = reader.value(out, 0).and_then(|()| {
        reader.skip_spaces();
        if reader.rest.is_empty() { Ok(()) } else { Err(Unreadable) }
    });
    if written.is_err() {
        out.truncate(start);
    }
    written
}

struct Reader<'a> {
    rest: &'a [u8],
    /// The string being read, where it has escapes.
    unescaped: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn skip_spaces(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Whether the next byte is `byte`, which is then read.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.take(byte) { Ok(()) } else { Err(Unreadable) }
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<(), Unreadable> {
        self.skip_spaces();
        match *self.rest.first().ok_or(Unreadable)? {
            b'"' => self.string(out),
            b'{' if depth < MAX_DEPTH => self.object(out, depth + 1),
            b'[' if depth < MAX_DEPTH => self.array(out, depth + 1),
            b'-' | b'0'..=b'9' => self.number(out),
            b't' => self.word(out, b"true"),
            b'f' => self.word(out, b"false"),
            b'n' => self.word(out, b"null"),
            _ => Err(Unreadable),
        }
    }

    fn word(&mut self, out: &mut Vec<u8>, word: &[u8]) -> Result<(), Unreadable> {
        self.rest = self.rest.strip_prefix(word).ok_or(Unreadable)?;
        out.extend_from_slice(word);
        Ok(())
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<(), Unreadable> {
        self.expect(b'[')?;
        out.push(b'[');
        if !self.take(b']') {
            loop {
                self.value(out, depth)?;
                if !self.take(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b']')?;
        }
        out.push(b']');
        Ok(())
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<(), Unreadable> {
        self.expect(b'{')?;
        out.push(b'{');
        let mut keys = Vec::new();
        if !self.take(b'}') {
            loop {
                self.skip_spaces();
                let start = out.len();
                self.string(out)?;
                keys.push((start, out.len()));
                self.expect(b':')?;
                out.push(b':');
                self.value(out, depth)?;
                if !self.take(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b'}')?;
        }
        out.push(b'}');
        if is_repeated(&mut keys, out) { Err(Unreadable) } else { Ok(()) }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let begin = self.rest;
        if let [b'-', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let leading_zero = self.rest.first() == Some(&b'0');
        let digits = self.digits()?;
        if leading_zero && digits > 1 {
            return Err(Unreadable);
        }
        let mut is_float = false;
        if let [b'.', rest @ ..] = self.rest {
            (self.rest, is_float) = (rest, true);
            self.digits()?;
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            (self.rest, is_float) = (rest, true);
            if let [b'-' | b'+', rest @ ..] = self.rest {
                self.rest = rest;
            }
            self.digits()?;
        }
        let read = &begin[..begin.len() - self.rest.len()];
        if is_float {
            let float = std::str::from_utf8(read).ok().and_then(|text| text.parse().ok());
            return number::write_f64(out, float.ok_or(Unreadable)?).map_err(|_| Unreadable);
        }
        if digits > MAX_DIGITS {
            return Err(Unreadable);
        }
        // Python's integers know no negative zero.
        out.extend_from_slice(if read == b"-0" { b"0" } else { read });
        Ok(())
    }

    /// Reads digits, one at least; how many.
    fn digits(&mut self) -> Result<usize, Unreadable> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        if count == 0 { Err(Unreadable) } else { Ok(count) }
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let [b'"', text @ ..] = self.rest else { return Err(Unreadable) };
        let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).ok_or(Unreadable)?;
        match text[end] {
            b'"' => {
                text::write_bytes(out, &text[..end]);
                self.rest = &text[end + 1..];
                Ok(())
            }
            b'\\' => {
                self.unescaped.clear();
                self.rest = text;
                self.unescape()?;
                text::write_bytes(out, &self.unescaped);
                Ok(())
            }
            _ => Err(Unreadable),
        }
    }

    /// Reads up to and with the closing quote.
    fn unescape(&mut self) -> Result<(), Unreadable> {
        loop {
            let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let (plain, rest) = self.rest.split_at(end.ok_or(Unreadable)?);
            self.unescaped.extend_from_slice(plain);
            match rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(());
                }
                [b'\\', b'u', rest @ ..] => {
                    self.rest = rest;
                    let character = self.escaped_character()?;
                    self.unescaped.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                [b'\\', escape, rest @ ..] => {
                    self.unescaped.push(short_escape(*escape).ok_or(Unreadable)?);
                    self.rest = rest;
                }
                _ => return Err(Unreadable),
            }
        }
    }

    /// What follows `\u`: four digits, or a pair of surrogates.
    fn escaped_character(&mut self) -> Result<char, Unreadable> {
        let first = self.code_unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or(Unreadable);
        }
        self.rest = self.rest.strip_prefix(b"\\u").ok_or(Unreadable)?;
        let second = self.code_unit()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(Unreadable);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(Unreadable)
    }

    fn code_unit(&mut self) -> Result<u32, Unreadable> {
        let (digits, rest) = self.rest.split_first_chunk::<4>().ok_or(Unreadable)?;
        self.rest = rest;
        digits.iter().try_fold(0, |unit, digit| {
            char::from(*digit).to_digit(16).map(|digit| unit * 16 + digit).ok_or(Unreadable)
        })
    }
}

fn short_escape(escape: u8) -> Option<u8> {
    Some(match escape {
        b'"' | b'\\' | b'/' => escape,
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// Whether two of the ranges hold the same text.
fn is_repeated(keys: &mut [(usize, usize)], out: &[u8]) -> bool {
    keys.sort_unstable_by_key(|(start, end)| &out[*start..*end]);
    keys.windows(2).any(|pair| match pair {
        [(a, b), (c, d)] => out[*a..*b] == out[*c..*d],
        _ => false,
    })
}

#[cfg(test)]
mod tests;

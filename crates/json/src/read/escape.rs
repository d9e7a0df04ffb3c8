//! Text with escapes → the text it stands for.

use super::{Fault, What, run};

/// Writes the string from `start` to `out`, where `stop` is the first byte that is not plain; where its quote is.
#[inline(never)]
pub(super) fn unescape(
    data: &[u8],
    start: usize,
    mut stop: usize,
    out: &mut Vec<u8>,
) -> Result<usize, Fault> {
    out.clear();
    let mut from = start;
    loop {
        out.extend_from_slice(&data[from..stop]);
        match data.get(stop) {
            Some(b'"') => break,
            Some(b'\\') => from = escape(data, stop + 1, out)?,
            Some(_) => return Err(Fault { what: What::Control, at: stop }),
            None => return Err(Fault { what: What::EndInString, at: stop }),
        }
        (stop, _) = run::plain(data, from);
    }
    // An escape is a whole character: it neither ends one that was begun before it nor begins one.
    check_utf8(out, start)?;
    Ok(stop)
}

/// Checks text that came from `start`.
pub(super) fn check_utf8(bytes: &[u8], start: usize) -> Result<(), Fault> {
    let checked = simdutf8::compat::from_utf8(bytes);
    checked.map(drop).map_err(|error| Fault { what: What::Utf8, at: start + error.valid_up_to() })
}

/// Appends the character of the escape whose letter is at `at`; where it ends.
fn escape(data: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, Fault> {
    let character = match data.get(at) {
        Some(&same @ (b'"' | b'\\' | b'/')) => same,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0C,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => {
            let (character, end) = unicode_escape(data, at + 1)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(end);
        }
        Some(_) => return Err(Fault { what: What::Escape, at }),
        None => return Err(Fault { what: What::EndInString, at }),
    };
    out.push(character);
    Ok(at + 1)
}

/// The character of the one or two escapes whose first digit is at `at`, and where they end.
fn unicode_escape(data: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let lone = |at| Fault { what: What::LoneSurrogate, at };
    let first = hex(data, at)?;
    if !(0xD800..0xDC00).contains(&first) {
        // What is left out of all 16-bit numbers are the low surrogates.
        return Ok((char::from_u32(first).ok_or(lone(at + 3))?, at + 4));
    }
    if !data.get(at + 4..).is_some_and(|rest| rest.starts_with(b"\\u")) {
        let what = if data.len() <= at + 4 { What::EndInString } else { What::HalfEscape };
        return Err(Fault { what, at: at + 4 });
    }
    let second = hex(data, at + 6)?;
    if !(0xDC00..0xE000).contains(&second) {
        return Err(lone(at + 9));
    }
    let code = 0x1_0000 + ((first - 0xD800) << 10 | (second - 0xDC00));
    Ok((char::from_u32(code).ok_or(lone(at + 9))?, at + 10))
}

/// Four hexadecimal digits.
fn hex(data: &[u8], at: usize) -> Result<u32, Fault> {
    let mut value = 0;
    for at in at..at + 4 {
        let byte = *data.get(at).ok_or(Fault { what: What::EndInString, at })?;
        let digit = char::from(byte).to_digit(16).ok_or(Fault { what: What::Escape, at })?;
        value = value << 4 | digit;
    }
    Ok(value)
}

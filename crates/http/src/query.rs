//! `application/x-www-form-urlencoded` pairs, read in place (WHATWG URL §5.1).
//!
//! Lenient as every framework is: a `%` without two hexadecimal digits stays as it is, a pair without `=` has an
//! empty value. Text that is not UTF-8 is an error value for that pair, never a panic and never silently replaced.

use std::borrow::Cow;
use std::fmt;

/// A name or value that is not UTF-8 once decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("percent-encoded text is not valid UTF-8")
    }
}

impl std::error::Error for NotUtf8 {}

/// A decoded name or value.
pub type Decoded<'q> = Result<Cow<'q, str>, NotUtf8>;

/// The pairs of a query string, in order. Clean text is borrowed.
#[must_use]
pub fn pairs(query: &str) -> Pairs<'_> {
    Pairs { rest: query }
}

/// Iterator over the pairs of a query string.
#[derive(Clone, Debug)]
pub struct Pairs<'q> {
    rest: &'q str,
}

impl<'q> Iterator for Pairs<'q> {
    type Item = (Decoded<'q>, Decoded<'q>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (pair, rest) = self.rest.split_once('&').unwrap_or((self.rest, ""));
            self.rest = rest;
            if !pair.is_empty() {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                return Some((decode(name), decode(value)));
            }
        }
        None
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte.
///
/// # Errors
/// [`NotUtf8`] when the decoded bytes are not text.
pub fn decode(text: &str) -> Decoded<'_> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(|byte| matches!(byte, b'+' | b'%')) else {
        return Ok(Cow::Borrowed(text));
    };
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        let (decoded, width) = match byte {
            b'+' => (b' ', 1),
            b'%' => hex_pair(&bytes[at + 1..]).map_or((b'%', 1), |decoded| (decoded, 3)),
            other => (other, 1),
        };
        out.push(decoded);
        at += width;
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| NotUtf8)
}

/// The byte that two leading hexadecimal digits stand for.
pub(crate) fn hex_pair(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (high, low) = (digit(*digits.first()?)?, digit(*digits.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(query: &str) -> Vec<(String, String)> {
        pairs(query).map(|(name, value)| (name.unwrap().into_owned(), value.unwrap().into_owned())).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn pairs_in_order_with_repeats() {
        assert_eq!(read("a=1&b=2&a=3"), [pair("a", "1"), pair("b", "2"), pair("a", "3")]);
    }

    #[test]
    fn empty_pieces_are_skipped_and_missing_values_are_empty() {
        assert_eq!(read(""), []);
        assert_eq!(read("&&a&=x&b=&"), [pair("a", ""), pair("", "x"), pair("b", "")]);
        assert_eq!(read("a=b=c"), [pair("a", "b=c")]);
    }

    #[test]
    fn plus_and_percent_are_decoded_once() {
        assert_eq!(read("q=a+b%20c%2Bd%2526"), [pair("q", "a b c+d%26")]);
        assert_eq!(read("%C3%A9=%E2%82%AC"), [pair("é", "€")]);
    }

    #[test]
    fn bad_percent_stays() {
        assert_eq!(
            read("a=100%&b=%zz&c=%4&d=%"),
            [pair("a", "100%"), pair("b", "%zz"), pair("c", "%4"), pair("d", "%")]
        );
        assert_eq!(read("a=%+1"), [pair("a", "% 1")]);
    }

    #[test]
    fn not_utf8_is_an_error_for_its_pair_only() {
        let all: Vec<_> = pairs("a=%ff&b=1").collect();
        assert_eq!(all[0].1, Err(NotUtf8));
        assert_eq!(all[1].1, Ok(Cow::Borrowed("1")));
    }

    #[test]
    fn clean_text_is_borrowed() {
        assert!(matches!(decode("clean-text_~é"), Ok(Cow::Borrowed(_))));
        assert!(matches!(decode("a+b"), Ok(Cow::Owned(_))));
    }
}

//! Walking a raw path segment by segment, decoding each once (RFC 3986 §2.4: split first, then decode).

use std::borrow::Cow;

use crate::query::hex_pair;

/// The part of a path that is still to be matched.
#[derive(Clone, Copy)]
pub(super) struct Rest<'p> {
    /// What follows the last consumed slash; `None` when the path is used up.
    raw: Option<&'p str>,
    /// Whether the path shall count as if it ended with one more slash.
    extra_slash: bool,
}

impl<'p> Rest<'p> {
    /// The whole of `path`; `None` when it does not begin with a slash.
    pub(super) fn new(path: &'p str, extra_slash: bool) -> Option<Self> {
        Some(Self { raw: Some(path.strip_prefix('/')?), extra_slash })
    }

    /// The undecoded remainder, slashes included.
    pub(super) fn raw(self) -> Option<&'p str> {
        self.raw
    }

    /// The next undecoded segment, and what follows it.
    pub(super) fn split(self) -> Option<(&'p str, Self)> {
        let raw = self.raw?;
        // Segments are short: a plain scan beats the set-up of a vectored one.
        Some(match raw.bytes().position(|byte| byte == b'/') {
            Some(at) => (&raw[..at], Self { raw: Some(&raw[at + 1..]), ..self }),
            None => (raw, Self { raw: self.extra_slash.then_some(""), extra_slash: false }),
        })
    }
}

/// Decodes `%XX`, strictly; `None` for a stray `%` or bytes that are not UTF-8.
pub(super) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    let bytes = raw.as_bytes();
    let Some(first) = memchr::memchr(b'%', bytes) else { return Some(Cow::Borrowed(raw)) };
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            out.push(hex_pair(&bytes[at + 1..])?);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str, extra_slash: bool) -> Vec<&str> {
        let mut rest = Rest::new(path, extra_slash);
        std::iter::from_fn(|| {
            let (segment, next) = rest?.split()?;
            rest = Some(next);
            Some(segment)
        })
        .collect()
    }

    #[test]
    fn segments_keep_empty_ones() {
        assert_eq!(segments("/", false), [""]);
        assert_eq!(segments("/a//b/", false), ["a", "", "b", ""]);
        assert_eq!(segments("/a/b", true), ["a", "b", ""]);
        assert!(Rest::new("a", false).is_none());
    }

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode("a%2Fb%25").as_deref(), Some("a/b%"));
        assert_eq!(decode("%E2%82%AC").as_deref(), Some("€"));
        assert!(matches!(decode("clean"), Some(Cow::Borrowed("clean"))));
        for bad in ["%", "%4", "%zz", "%ff", "%E2%82", "a%+1"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}

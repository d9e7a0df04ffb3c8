//! The `Range` header (RFC 9110 §14).

use std::ops::Range;

use smallvec::SmallVec;

/// Ranges of one request that are answered; more look like an attack and get everything.
const MAX_RANGES: usize = 16;

/// What of a representation was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranges {
    /// All of it: no range, or one that is not understood.
    Whole,
    /// These parts, in the order of the request; never empty, never more bytes than there are.
    Parts(SmallVec<[Range<u64>; 1]>),
    /// 416: nothing that is there.
    Unsatisfiable,
}

/// Reads `value` for a representation of `length` bytes.
#[must_use]
pub fn parse(value: &str, length: u64) -> Ranges {
    let Some((unit, list)) = value.split_once('=') else { return Ranges::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ranges::Whole;
    }
    let mut parts: SmallVec<[Range<u64>; 1]> = SmallVec::new();
    for (number, spec) in list.split(',').map(str::trim).filter(|spec| !spec.is_empty()).enumerate() {
        let Some(part) = one(spec, length) else { return Ranges::Whole };
        if number >= MAX_RANGES {
            return Ranges::Whole;
        }
        if part.start < part.end {
            parts.push(part);
        }
    }
    let wanted = parts.iter().fold(0_u64, |sum, part: &Range<u64>| sum.saturating_add(part.end - part.start));
    match parts.len() {
        0 => Ranges::Unsatisfiable,
        // Overlapping ranges would make the answer larger than the file.
        _ if wanted > length => Ranges::Whole,
        _ => Ranges::Parts(parts),
    }
}

/// One `first-last`, `first-` or `-suffix`; empty where nothing of it is there, `None` where it is malformed.
fn one(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(length.saturating_sub(suffix)..length);
    }
    let first = number(first)?;
    let end = if last.is_empty() { length } else { number(last)?.checked_add(1)? };
    if end <= first && !last.is_empty() {
        return None;
    }
    Some(first..end.min(length)).filter(|range| range.start < range.end).or(Some(0..0))
}

/// Digits alone: no sign, no spaces.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init)]
    use super::*;

    fn parts(ranges: &[Range<u64>]) -> Ranges {
        Ranges::Parts(ranges.iter().cloned().collect())
    }

    #[test]
    fn what_is_there() {
        for (value, expected) in [
            ("bytes=0-0", parts(&[0..1])),
            ("bytes=0-99", parts(&[0..100])),
            ("bytes=50-1000", parts(&[50..100])),
            ("bytes=99-", parts(&[99..100])),
            ("bytes=-1", parts(&[99..100])),
            ("bytes=-1000", parts(&[0..100])),
            ("Bytes = 0-9 , ,20-29,", parts(&[0..10, 20..30])),
            ("bytes=90-,0-9", parts(&[90..100, 0..10])),
            ("bytes=200-300,0-0", parts(&[0..1])),
        ] {
            assert_eq!(parse(value, 100), expected, "{value}");
        }
    }

    #[test]
    fn nothing_that_is_there() {
        for value in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=", "bytes=200-300,400-"] {
            assert_eq!(parse(value, 100), Ranges::Unsatisfiable, "{value}");
        }
        assert_eq!(parse("bytes=0-", 0), Ranges::Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Ranges::Unsatisfiable);
    }

    #[test]
    fn what_is_not_understood_gets_everything() {
        for value in [
            "",
            "bytes",
            "items=0-1",
            "bytes=a-b",
            "bytes=1",
            "bytes=5-1",
            "bytes=-",
            "bytes=+1-2",
            "bytes=0-1,x",
            "bytes=99999999999999999999-",
            "bytes=0-18446744073709551615",
        ] {
            assert_eq!(parse(value, 100), Ranges::Whole, "{value}");
        }
        let many = format!("bytes={}", (0..17).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(","));
        assert_eq!(parse(&many, 100), Ranges::Whole);
        assert_eq!(parse("bytes=0-,0-,0-", 100), Ranges::Whole);
    }
}

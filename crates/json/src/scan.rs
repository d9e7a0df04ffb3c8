//! Where the next byte that needs escaping is: 16 bytes at a time with SSE2, else 8 at a time in a word.
//!
//! Both forms find *candidates*: controls, `"`, `\` and `0xE2`, the lead byte that U+2028 and U+2029 share with
//! ordinary punctuation. Each candidate is then looked at exactly, so text full of “quotes” and dashes costs a
//! comparison per such character and no restart of the scan.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = 0x2020_2020_2020_2020;

/// Lead byte of the line and paragraph separators.
pub(crate) const SEPARATOR_LEAD: u8 = 0xE2;

/// Index of the first byte at or after `from` that needs escaping.
#[inline]
pub(crate) fn next_special(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    #[cfg(target_arch = "x86_64")]
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        if let Some(found) = first_exact(text, at, sse2::candidates(chunk), 0) {
            return Some(found);
        }
        at += 16;
    }
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        if let Some(found) = first_exact(text, at, candidates(u64::from_le_bytes(*chunk)), 3) {
            return Some(found);
        }
        at += 8;
    }
    let word = tail(text.get(at..)?);
    first_exact(text, at, candidates(word), 3)
}

/// First candidate that really needs escaping. `mask` has a bit per candidate, `1 << shift` bits per byte.
#[inline]
fn first_exact(text: &[u8], at: usize, mut mask: u64, shift: u32) -> Option<usize> {
    while mask != 0 {
        let index = at + (mask.trailing_zeros() >> shift) as usize;
        if is_special(text, index) {
            return Some(index);
        }
        mask &= mask - 1;
    }
    None
}

/// Whether the character that starts at `index` needs escaping.
#[inline]
fn is_special(text: &[u8], index: usize) -> bool {
    match text[index] {
        0..0x20 | b'"' | b'\\' => true,
        SEPARATOR_LEAD => is_separator(&text[index..]),
        _ => false,
    }
}

/// Whether `text` starts with U+2028 or U+2029.
#[inline]
pub(crate) fn is_separator(text: &[u8]) -> bool {
    matches!(text, [SEPARATOR_LEAD, 0x80, 0xA8 | 0xA9, ..])
}

/// High bit of each candidate byte of a little-endian word. Borrows may mark bytes above a real candidate too;
/// never below, and [`first_exact`] checks each.
#[inline]
fn candidates(word: u64) -> u64 {
    let equals = |byte: u8| {
        let difference = word ^ (ONES * u64::from(byte));
        difference.wrapping_sub(ONES) & !difference
    };
    let controls = word.wrapping_sub(SPACES) & !word;
    (controls | equals(b'"') | equals(b'\\') | equals(SEPARATOR_LEAD)) & HIGHS
}

/// The last 0 to 7 bytes as a little-endian word, padded with spaces, by two overlapping loads and no loop.
#[inline]
fn tail(rest: &[u8]) -> u64 {
    let len = rest.len();
    let word = match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << ((len - 4) * 8)
        }
        _ if len == 0 => return SPACES,
        _ => {
            let byte = |index: usize| u64::from(rest[index]) << (index * 8);
            byte(0) | byte(len / 2) | byte(len - 1)
        }
    };
    word | SPACES << (len * 8)
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };

    /// Bit `i` is set where byte `i` is a candidate.
    #[inline]
    pub(super) fn candidates(chunk: &[u8; 16]) -> u64 {
        // SAFETY: SSE2 is part of x86_64, and `chunk` is 16 readable bytes; the load needs no alignment.
        let mask = unsafe {
            let bytes = _mm_loadu_si128(chunk.as_ptr().cast());
            let equals = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
            let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            let quotes = _mm_or_si128(equals(b'"'), equals(b'\\'));
            let found = _mm_or_si128(_mm_or_si128(controls, quotes), equals(super::SEPARATOR_LEAD));
            _mm_movemask_epi8(found)
        };
        u64::from(mask.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(text: &[u8], from: usize) -> Option<usize> {
        (from..text.len()).find(|&index| is_special(text, index))
    }

    #[test]
    fn finds_each_special_byte_at_every_offset_and_length() {
        for byte in 0..=255u8 {
            for len in 1..40 {
                for at in 0..len {
                    let mut text = vec![b'a'; len];
                    text[at] = byte;
                    assert_eq!(next_special(&text, 0), naive(&text, 0), "byte {byte:#x} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn agrees_with_the_naive_scan_on_dense_text() {
        let alphabet = [0xE2, 0x80, 0xA8, 0xA9, 0x99, b'"', b'a', 0x1F, 0x20, 0x7F, 0xFF, 0xC3];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for round in 0..20_000 {
            let text: Vec<u8> = (0..round % 53)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Mostly clean, so that scans cross chunk borders.
                    *alphabet.get((state >> 58) as usize).unwrap_or(&b'x')
                })
                .collect();
            for from in 0..=text.len() {
                assert_eq!(next_special(&text, from), naive(&text, from), "{text:x?} from {from}");
            }
        }
    }
}

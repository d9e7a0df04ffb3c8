//! How far plain text reaches within a string: 16 bytes at a time with SSE2, else 8 at a time in a word.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const SPACES: u64 = 0x2020_2020_2020_2020;

/// Index of the first quote, backslash or control at or after `from`, else the length of `data`; and whether
/// everything before it is ASCII.
#[inline]
pub(super) fn plain(data: &[u8], from: usize) -> (usize, bool) {
    let mut at = from;
    let mut ascii = true;
    #[cfg(target_arch = "x86_64")]
    while let Some(chunk) = data.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let (stops, highs) = sse2::masks(chunk);
        if stops != 0 {
            let before = (stops & stops.wrapping_neg()) - 1;
            return (at + stops.trailing_zeros() as usize, ascii && highs & before == 0);
        }
        ascii &= highs == 0;
        at += 16;
    }
    while let Some(chunk) = data.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let stops = stops(word);
        if stops != 0 {
            let before = (stops & stops.wrapping_neg()) - 1;
            return (at + (stops.trailing_zeros() / 8) as usize, ascii && word & HIGHS & before == 0);
        }
        ascii &= word & HIGHS == 0;
        at += 8;
    }
    while let Some(&byte) = data.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        ascii &= byte.is_ascii();
        at += 1;
    }
    (at, ascii)
}

/// High bit of each byte of a little-endian word that ends plain text. Borrows may mark bytes above the first such byte
/// too, never below it.
#[inline]
fn stops(word: u64) -> u64 {
    let equals = |byte: u8| {
        let difference = word ^ (ONES * u64::from(byte));
        difference.wrapping_sub(ONES) & !difference
    };
    let controls = word.wrapping_sub(SPACES) & !word;
    (controls | equals(b'"') | equals(b'\\')) & HIGHS
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };

    /// A bit for each byte that ends plain text, and one for each that is not ASCII.
    #[inline]
    pub(super) fn masks(chunk: &[u8; 16]) -> (u32, u32) {
        // SAFETY: SSE2 is part of x86_64, and `chunk` is 16 readable bytes; the load needs no alignment.
        let (stops, highs) = unsafe {
            let bytes = _mm_loadu_si128(chunk.as_ptr().cast());
            let equals = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
            let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            let stops = _mm_or_si128(controls, _mm_or_si128(equals(b'"'), equals(b'\\')));
            (_mm_movemask_epi8(stops), _mm_movemask_epi8(bytes))
        };
        (stops.cast_unsigned(), highs.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(data: &[u8], from: usize) -> (usize, bool) {
        let rest = &data[from..];
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
        (from + plain, rest[..plain].is_ascii())
    }

    #[test]
    fn finds_each_byte_at_every_offset_and_length() {
        for byte in 0..=255u8 {
            for len in 1..40 {
                for at in 0..len {
                    let mut data = vec![b'a'; len];
                    data[at] = byte;
                    assert_eq!(plain(&data, 0), naive(&data, 0), "byte {byte:#x} at {at} of {len}");
                    assert_eq!(plain(&data, at), naive(&data, at), "byte {byte:#x} from {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn what_follows_a_stop_does_not_count() {
        for len in 1..40 {
            let mut data = vec![0xC3; len];
            for at in 0..len {
                data[at] = b'"';
                assert_eq!(plain(&data, at), (at, true));
                data[at] = b'!'; // one above the quote: borrows must not mark it
                assert_eq!(plain(&data, at), naive(&data, at));
            }
        }
    }
}

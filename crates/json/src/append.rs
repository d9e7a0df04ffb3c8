//! Appending few bytes quickly. `Vec::extend_from_slice` calls `memcpy`, and the call costs more than the copy where a
//! row's keys and values are concerned: most are shorter than a cache line.

/// Appends `bytes`, which are probably few: a key, a separator, a short value.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len());
    let len = out.len();
    // SAFETY: `reserve` made room for `bytes` behind `len`; a slice and a Vec's spare room never overlap. Every byte
    // below the new length is written.
    unsafe {
        copy(bytes, out.as_mut_ptr().add(len));
        out.set_len(len + bytes.len());
    }
}

/// Appends `bytes` between double quotes.
#[inline]
pub(crate) fn append_quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    let len = out.len();
    // SAFETY: as in `append`, with room for the two quotes.
    unsafe {
        let target = out.as_mut_ptr().add(len);
        target.write(b'"');
        copy(bytes, target.add(1));
        target.add(1 + bytes.len()).write(b'"');
        out.set_len(len + bytes.len() + 2);
    }
}

/// Copies `bytes` to `target` without a call where they are few: two loads that may overlap cover every length from
/// half their sum to their sum.
///
/// # Safety
/// `target` is valid for writing `bytes.len()` bytes and does not overlap `bytes`.
#[inline]
unsafe fn copy(bytes: &[u8], target: *mut u8) {
    /// Copies the first and the last `N` bytes; `bytes` is at least that long.
    ///
    /// # Safety
    /// As for [`copy`].
    #[inline]
    unsafe fn ends<const N: usize>(bytes: &[u8], target: *mut u8) {
        if let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
            // SAFETY: `target` has room for all of `bytes`, which is `N` or longer; arrays need no alignment.
            unsafe {
                target.cast::<[u8; N]>().write(*first);
                target.add(bytes.len() - N).cast::<[u8; N]>().write(*last);
            }
        }
    }
    // SAFETY: the caller's, for each; the lengths match the arms.
    unsafe {
        match bytes.len() {
            0 => {}
            1 => target.write(bytes[0]),
            2..=3 => ends::<2>(bytes, target),
            4..=7 => ends::<4>(bytes, target),
            8..=15 => ends::<8>(bytes, target),
            16..=31 => ends::<16>(bytes, target),
            32..=64 => ends::<32>(bytes, target),
            len => target.copy_from_nonoverlapping(bytes.as_ptr(), len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_whole() {
        let source: Vec<u8> = (0..200).collect();
        for len in 0..200 {
            for start in [0, 1, 7] {
                let bytes = &source[start.min(200 - len)..][..len];
                let mut out = b"before".to_vec();
                append(&mut out, bytes);
                append_quoted(&mut out, bytes);
                assert_eq!(out, [b"before", bytes, b"\"", bytes, b"\""].concat(), "{len} from {start}");
            }
        }
    }
}

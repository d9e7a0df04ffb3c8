//! The mask over everything a client sends (RFC 6455 §5.3).

/// Takes the mask off, eight bytes at a time. `offset` is the position of the first byte in its frame's payload.
pub(super) fn unmask(bytes: &mut [u8], key: [u8; 4], offset: u64) {
    // Two bits of the offset are left.
    let mut rotated = key;
    rotated.rotate_left((offset & 3) as usize);
    let wide = u64::from(u32::from_ne_bytes(rotated)) * 0x1_0000_0001;
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn any_piece_of_a_payload() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (0..61).collect();
        let masked: Vec<u8> = plain.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        for split in 0..plain.len() {
            let mut copy = masked.clone();
            let (first, second) = copy.split_at_mut(split);
            unmask(first, key, 0);
            unmask(second, key, split as u64);
            assert_eq!(copy, plain, "split at {split}");
        }
    }
}

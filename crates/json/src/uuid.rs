//! UUIDs (RFC 9562) in their hyphenated lower-case form.

/// Length of the hyphenated form.
const LEN: usize = 36;

/// The hyphenated form.
#[inline]
#[must_use]
pub fn format(uuid: &[u8; 16]) -> [u8; LEN] {
    let mut text = [b'-'; LEN];
    let (words, _) = uuid.as_chunks::<4>();
    if let [a, b, c, d] = words {
        let ([a, b], [c, d]) = ([hex(*a), hex(*b)], [hex(*c), hex(*d)]);
        text[..8].copy_from_slice(&a);
        text[9..13].copy_from_slice(&b[..4]);
        text[14..18].copy_from_slice(&b[4..]);
        text[19..23].copy_from_slice(&c[..4]);
        text[24..28].copy_from_slice(&c[4..]);
        text[28..].copy_from_slice(&d);
    }
    text
}

/// Eight digits of four bytes, all at once in one word: each half byte gets a byte of its own, then its letter.
#[inline]
fn hex(bytes: [u8; 4]) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut halves = u64::from(u32::from_be_bytes(bytes));
    halves = (halves | halves << 16) & 0x0000_FFFF_0000_FFFF;
    halves = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF;
    halves = (halves | halves << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // Ten and more carry into the upper half when six is added.
    let letters = ((halves + 6 * ONES) >> 4) & ONES;
    let digits = halves + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'9' - 1);
    digits.to_be_bytes()
}

/// Appends the hyphenated form as a JSON string.
#[inline]
pub fn write(out: &mut Vec<u8>, uuid: &[u8; 16]) {
    let mut quoted = [b'"'; LEN + 2];
    quoted[1..=LEN].copy_from_slice(&format(uuid));
    out.extend_from_slice(&quoted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_hyphenated_form() {
        let mut out = Vec::new();
        write(
            &mut out,
            &[0, 1, 2, 3, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF],
        );
        assert_eq!(out, br#""00010203-4455-6677-8899-aabbccddeeff""#);
    }

    #[test]
    fn every_byte_value_has_its_digits() {
        for byte in 0..=255u8 {
            let text = format(&[byte; 16]);
            assert_eq!(&text[34..], format!("{byte:02x}").as_bytes());
        }
    }
}

//! UUIDs (RFC 9562) in their hyphenated lower-case form.

/// Length of the hyphenated form.
const LEN: usize = 36;

/// `00` to `ff`, two bytes each.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut value = 0;
    while value < 256 {
        pairs[value] = [digits[value >> 4], digits[value & 0xF]];
        value += 1;
    }
    pairs
};

/// Where each byte's two digits go; the gaps are hyphens.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The hyphenated form.
#[must_use]
pub fn format(uuid: &[u8; 16]) -> [u8; LEN] {
    let mut text = [b'-'; LEN];
    for (byte, place) in uuid.iter().zip(PLACES) {
        text[place..place + 2].copy_from_slice(&HEX[usize::from(*byte)]);
    }
    text
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

//! UUIDs as Python's `uuid.UUID` reads them: hyphenated or 32 digits, in braces, after `urn:uuid:`.

/// Positions of the hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Reads a UUID in any of its text forms.
pub(crate) fn parse(text: &str) -> Option<[u8; 16]> {
    /// Where the digits of each byte begin.
    const PLAIN: [usize; 16] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30];
    const HYPHENATED: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let bytes = text.as_bytes();
    match bytes.len() {
        32 => hex(bytes, PLAIN),
        36 if HYPHENS.iter().all(|&at| bytes[at] == b'-') => hex(bytes, HYPHENATED),
        _ => parse(unwrapped(text)?),
    }
}

/// What is inside braces or behind a prefix.
fn unwrapped(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.or_else(|| text.strip_prefix("urn:uuid:")).filter(|inner| matches!(inner.len(), 32 | 36))
}

/// Value of each hexadecimal digit; more than fifteen for all other bytes.
const DIGITS: [u8; 256] = {
    let mut digits = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Sixteen bytes from the pairs of digits that begin at `pairs`.
#[inline]
fn hex(text: &[u8], pairs: [usize; 16]) -> Option<[u8; 16]> {
    let digit = |at: usize| text.get(at).map_or(0xFF, |byte| DIGITS[usize::from(*byte)]);
    let mut value = [0; 16];
    let mut seen = 0;
    for (byte, at) in value.iter_mut().zip(pairs) {
        let (high, low) = (digit(at), digit(at + 1));
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 16] =
        [0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF, 0, 0, 0, 0xFF];

    #[test]
    fn reads_the_forms_python_reads() {
        for text in [
            "12345678-1234-5678-90ab-cdef000000ff",
            "12345678-1234-5678-90AB-CDEF000000FF",
            "123456781234567890abcdef000000ff",
            "{12345678-1234-5678-90ab-cdef000000ff}",
            "{123456781234567890abcdef000000ff}",
            "urn:uuid:12345678-1234-5678-90ab-cdef000000ff",
        ] {
            assert_eq!(parse(text), Some(BYTES), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "12345678-1234-5678-90ab-cdef000000f",
            "12345678-1234-5678-90ab-cdef000000fg",
            "1234567-81234-5678-90ab-cdef000000ff",
            "{12345678-1234-5678-90ab-cdef000000ff",
            "{{123456781234567890abcdef000000ff}}",
            "+23456781234567890abcdef000000ff0",
            "12345678-1234-5678-90ab-cdef0000é00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

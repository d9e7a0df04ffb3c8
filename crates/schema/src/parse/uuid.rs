//! UUIDs as Python's `uuid.UUID` reads them: hyphenated or 32 digits, in braces, after `urn:uuid:`.

/// Positions of the hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Reads a UUID in any of its text forms.
pub(crate) fn parse(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    match bytes.len() {
        32 => hex(bytes.iter().copied()),
        36 if HYPHENS.iter().all(|&at| bytes[at] == b'-') => {
            hex(bytes.iter().enumerate().filter(|(at, _)| !HYPHENS.contains(at)).map(|(_, byte)| *byte))
        }
        _ => parse(unwrapped(text)?),
    }
}

/// What is inside braces or behind a prefix.
fn unwrapped(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.or_else(|| text.strip_prefix("urn:uuid:")).filter(|inner| matches!(inner.len(), 32 | 36))
}

fn hex(digits: impl Iterator<Item = u8>) -> Option<[u8; 16]> {
    let mut value: u128 = 0;
    for digit in digits {
        value = value << 4 | u128::from(char::from(digit).to_digit(16)?);
    }
    Some(value.to_be_bytes())
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

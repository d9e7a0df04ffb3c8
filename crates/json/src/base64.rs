//! Bytes as standard, padded base64 (RFC 4648 §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends `bytes` as a base64 JSON string.
pub fn write(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len() + 1;
    // Four characters for every three bytes begun, and two quotes.
    out.resize(start + bytes.len().div_ceil(3) * 4 + 1, b'"');
    let end = out.len() - 1;
    let written = STANDARD.encode_slice(bytes, &mut out[start..end]);
    debug_assert_eq!(written.ok(), Some(end - start), "the space is exact");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_padded_base64_between_quotes() {
        for (bytes, expected) in [
            (&b""[..], r#""""#),
            (b"f", r#""Zg==""#),
            (b"fo", r#""Zm8=""#),
            (b"foo", r#""Zm9v""#),
            (b"\xFB\xFF\xFE", r#""+//+""#),
        ] {
            let mut out = b"x".to_vec();
            write(&mut out, bytes);
            assert_eq!(out, format!("x{expected}").as_bytes());
        }
    }
}

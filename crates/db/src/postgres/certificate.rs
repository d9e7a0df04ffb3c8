//! The one thing SCRAM wants from the server's certificate: its hash by the algorithm it was signed with (RFC 5929 § 4.1).

use sha2::{Digest, Sha256, Sha384, Sha512};

/// `tls-server-end-point` of a DER certificate; `None` where the signature names no hash of its own.
pub(crate) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature_hash(certificate)? {
        // RFC 5929: MD5 and SHA-1 are replaced by SHA-256.
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, signature }`
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    let (outer, _) = element(certificate, SEQUENCE)?;
    let (_, after_tbs) = element(outer, SEQUENCE)?;
    let (algorithm, _) = element(after_tbs, SEQUENCE)?;
    let (identifier, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    // 1.2.840.113549.1.1.* is RSA (PKCS #1), 1.2.840.10045.4.3.* is ECDSA with SHA-2.
    match identifier {
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 4 | 5 | 11] => Some(Hash::Sha256),
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12] => Some(Hash::Sha384),
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13] => Some(Hash::Sha512),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 1] | [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2] => Some(Hash::Sha256),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3] => Some(Hash::Sha384),
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 4] => Some(Hash::Sha512),
        _ => None,
    }
}

/// Contents of the DER element with this tag at the front, and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = input.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match length {
        short @ 0..=0x7F => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7F))?;
            if digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The outline of a certificate with an empty body and this signature algorithm.
    fn outline(identifier: &[u8]) -> Vec<u8> {
        let algorithm = [&[0x30, identifier.len() as u8 + 2, 6, identifier.len() as u8], identifier].concat();
        let inner = [&[0x30, 0x81, 0x80][..], &[0; 0x80], &algorithm].concat();
        [&[0x30, 0x82, 0, inner.len() as u8][..], &inner].concat()
    }

    #[test]
    fn finds_the_signature_hash() {
        let rsa = |last| [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, last];
        assert_eq!(signature_hash(&outline(&rsa(11))), Some(Hash::Sha256));
        assert_eq!(signature_hash(&outline(&rsa(5))), Some(Hash::Sha256));
        assert_eq!(signature_hash(&outline(&rsa(13))), Some(Hash::Sha512));
        assert_eq!(signature_hash(&outline(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3])), Some(Hash::Sha384));
        assert_eq!(signature_hash(&outline(&[0x2B, 0x65, 0x70])), None, "ed25519 has no hash of its own");
        assert_eq!(end_point(&outline(&rsa(12))).unwrap().len(), 48);
    }

    #[test]
    fn a_cut_certificate_has_none() {
        let whole = outline(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11]);
        for cut in 0..whole.len() {
            assert_eq!(signature_hash(&whole[..cut]), None, "cut at {cut}");
        }
    }
}

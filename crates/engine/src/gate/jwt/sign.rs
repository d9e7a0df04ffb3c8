//! Making and reading tokens outside of requests: `plectrum.auth.tokens`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey};
use serde_json::json;

use super::keys::{self, Keys, Signed};
use super::token::Token;

/// Signs `claims` (a JSON object) with a secret or a private key in PEM.
///
/// # Errors
/// A sentence for the user: an unknown algorithm, or a key it cannot use.
pub fn sign(claims: &str, key: &str, algorithm: &str, key_id: Option<&str>) -> Result<String, String> {
    let algorithm = one(algorithm)?;
    let bytes = key.as_bytes();
    let key = match algorithm.family() {
        AlgorithmFamily::Hmac => {
            // The same rules as for verifying: what cannot be accepted shall not be made.
            Keys::of(key, &[algorithm])?;
            Ok(EncodingKey::from_secret(bytes))
        }
        AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(bytes),
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(bytes),
        AlgorithmFamily::Ed => EncodingKey::from_ed_pem(bytes),
    };
    let wrong = |error| format!("the key cannot sign with {algorithm:?}: {error}");
    let signer = key.and_then(|key| (DEFAULT_PROVIDER.signer_factory)(&algorithm, &key)).map_err(wrong)?;
    let mut header = json!({"alg": format!("{algorithm:?}"), "typ": "JWT"});
    if let Some(id) = key_id {
        header["kid"] = json!(id);
    }
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature =
        signer.try_sign(token.as_bytes()).map_err(|error| format!("the token cannot be signed: {error}"))?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// The claims of a token that is signed with `key` (a secret or public key in PEM); they are not judged.
///
/// # Errors
/// What is wrong with the key or the token.
pub fn verify(token: &str, key: &str, algorithm: &str) -> Result<Vec<u8>, String> {
    let algorithm = one(algorithm)?;
    let keys = Keys::of(key, &[algorithm])?;
    let token = Token::parse(token)?;
    let good = token.algorithm == algorithm
        && keys.verify(algorithm, None, token.message, &token.signature) == Signed::Good;
    if good { Ok(token.payload()?) } else { Err("the token's signature is wrong".to_owned()) }
}

fn one(algorithm: &str) -> Result<Algorithm, String> {
    let known = keys::algorithms(&[algorithm.to_owned()])?;
    known.first().copied().ok_or_else(String::new)
}

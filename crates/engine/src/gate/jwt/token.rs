//! A compact JSON Web Signature, taken apart and not yet believed (RFC 7515 §3.1).

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Longer tokens are not looked at.
const MOST_BYTES: usize = 16 * 1024;

/// A token taken apart.
pub(crate) struct Token<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    /// What is signed.
    pub(crate) message: &'a [u8],
    pub(crate) signature: Vec<u8>,
    payload: &'a str,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default)]
    kid: Option<Cow<'a, str>>,
    /// Extensions that must be understood (RFC 7515 §4.1.11); none is.
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Takes a token apart; the sentence says what it lacks.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.len() > MOST_BYTES {
            return Err("the token is too long");
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("the token has not three parts");
        };
        let decoded = decode(header)?;
        let parsed: Header<'_> =
            serde_json::from_slice(&decoded).map_err(|_| "the token's header is no JSON object")?;
        if parsed.crit.is_some() {
            return Err("the token asks for an extension that is not known");
        }
        Ok(Self {
            algorithm: Algorithm::from_str(&parsed.alg)
                .map_err(|_| "the token's algorithm is not accepted")?,
            key_id: parsed.kid.map(Cow::into_owned),
            message: text.as_bytes().get(..header.len() + 1 + payload.len()).unwrap_or_default(),
            signature: decode(signature)?,
            payload,
        })
    }

    /// The claims, still JSON.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, &'static str> {
        decode(self.payload)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| "the token is not base64url")
}

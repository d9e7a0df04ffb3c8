//! API keys: known ones compared here in constant time, others by the binding.

use plectrum_http::{Bytes, HeaderName, Request, cookie, query};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::identity::Identity;
use super::spec::{self, Place};

/// A scheme of API keys.
pub(crate) struct ApiKey {
    place: Place,
    pub(crate) parameter: String,
    header: Option<HeaderName>,
    known: Vec<Known>,
    pub(crate) callback: Option<usize>,
}

struct Known {
    subject: String,
    digest: [u8; 32],
    claims: Bytes,
}

impl ApiKey {
    /// Compiles a scheme.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn compile(spec: spec::ApiKey) -> Result<Self, String> {
        let header = match spec.place {
            Place::Header => Some(
                spec.parameter
                    .parse()
                    .map_err(|_| format!("{:?} cannot be the name of a header", spec.parameter))?,
            ),
            Place::Query | Place::Cookie => None,
        };
        let known = spec.keys.into_iter().map(Known::compile).collect::<Result<_, _>>()?;
        Ok(Self { place: spec.place, parameter: spec.parameter, header, known, callback: spec.callback })
    }

    /// The header it is in, where it is in one.
    pub(crate) fn header(&self) -> Option<HeaderName> {
        self.header.clone()
    }

    /// The key a request shows.
    pub(crate) fn find(&self, request: &Request) -> Option<String> {
        match self.place {
            Place::Header => request.header(self.header.as_ref()?).map(str::to_owned),
            Place::Cookie => cookie::get(&request.headers, &self.parameter).map(str::to_owned),
            Place::Query => query::pairs(request.query()).find_map(|(name, value)| {
                name.is_ok_and(|name| *name == *self.parameter)
                    .then(|| value.ok().map(|value| value.into_owned()))?
            }),
        }
    }

    /// Whose key it is. Every known digest is compared, whichever fits: the time taken tells nothing.
    pub(crate) fn check(&self, number: usize, key: &str) -> Option<Identity> {
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = u32::MAX;
        for (index, known) in (0_u32..).zip(&self.known) {
            let same: Choice = known.digest.ct_eq(&digest);
            found.conditional_assign(&index, same);
        }
        let known = self.known.get(found as usize)?;
        Some(Identity::new(number, Some(known.subject.clone()), known.claims.clone()))
    }
}

impl Known {
    fn compile(known: spec::Known) -> Result<Self, String> {
        let digest = from_hex(&known.sha256)
            .ok_or_else(|| format!("the digest of {:?} is no SHA-256 in hexadecimal", known.subject))?;
        let claims = json!({"sub": known.subject, "scope": known.scopes}).to_string().into();
        Ok(Self { subject: known.subject, digest, claims })
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let pairs = text.as_bytes().chunks(2);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

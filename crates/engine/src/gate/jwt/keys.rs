//! Keys that verify tokens. A key knows its own algorithms: the token's header chooses among them and never beyond.

use std::str::FromStr;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::value::RawValue;

/// aws-lc, whatever else is compiled in.
const PROVIDER: &CryptoProvider = &DEFAULT_PROVIDER;

/// Keys of one issuer.
pub(crate) struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    verifiers: Vec<Verifier>,
}

type Verifier = (Algorithm, Box<dyn JwtVerifier>);

/// What can be said of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// By one of the keys.
    Good,
    /// By none of those that could have.
    Bad,
    /// There is no key of that name: a newer set may have it.
    UnknownKey,
}

impl Keys {
    /// One secret or public key in PEM.
    ///
    /// # Errors
    /// A sentence for the user: a key that its algorithms cannot use, or should not.
    pub(crate) fn of(text: &str, algorithms: &[Algorithm]) -> Result<Self, String> {
        let family = one_family(algorithms)?;
        let bytes = text.as_bytes();
        let pem = |key: jsonwebtoken::errors::Result<DecodingKey>| {
            key.map_err(|error| {
                format!("the key is no public key in PEM that {} can use ({error})", names(algorithms))
            })
        };
        let key = match family {
            AlgorithmFamily::Hmac => secret(text, algorithms)?,
            AlgorithmFamily::Rsa => pem(DecodingKey::from_rsa_pem(bytes))?,
            AlgorithmFamily::Ec => pem(DecodingKey::from_ec_pem(bytes))?,
            AlgorithmFamily::Ed => pem(DecodingKey::from_ed_pem(bytes))?,
        };
        let verifiers = verifiers(&key, algorithms)?;
        Ok(Self(vec![Key { id: None, verifiers }]))
    }

    /// A JSON Web Key Set (RFC 7517 §5). Keys of other kinds and uses are left out, as the RFC asks.
    ///
    /// # Errors
    /// A sentence for the user: not a key set, or none of its keys is of use.
    pub(crate) fn of_set(json: &str, algorithms: &[Algorithm]) -> Result<Self, String> {
        let set: Set<'_> =
            serde_json::from_str(json).map_err(|error| format!("not a JSON Web Key Set: {error}"))?;
        let keys: Vec<Key> = set.keys.iter().filter_map(|raw| of_jwk(raw, algorithms)).collect();
        if keys.is_empty() {
            return Err(format!(
                "none of the {} keys of the set is for {}",
                set.keys.len(),
                names(algorithms)
            ));
        }
        Ok(Self(keys))
    }

    /// Who signed `message`.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> Signed {
        let mut verdict = Signed::UnknownKey;
        for key in self.0.iter().filter(|key| key.is_called(id)) {
            verdict = Signed::Bad;
            let verifier = key.verifiers.iter().find(|(known, _)| *known == algorithm);
            if verifier.is_some_and(|(_, verifier)| verifier.verify(message, signature).is_ok()) {
                return Signed::Good;
            }
        }
        verdict
    }
}

impl Key {
    /// Keys and tokens without a name go with any.
    fn is_called(&self, id: Option<&str>) -> bool {
        match (&self.id, id) {
            (Some(own), Some(id)) => own == id,
            _ => true,
        }
    }
}

/// A set's keys one by one: one that cannot be read does not take the others with it.
#[derive(serde::Deserialize)]
struct Set<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

fn of_jwk(raw: &RawValue, algorithms: &[Algorithm]) -> Option<Key> {
    let jwk: Jwk = serde_json::from_str(raw.get()).ok()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let own = match jwk.common.key_algorithm {
        Some(named) => Some(Algorithm::from_str(&named.to_string()).ok()?),
        None => None,
    };
    let fits =
        |algorithm: &Algorithm| own.is_none_or(|own| own == *algorithm) && fits(&jwk.algorithm, *algorithm);
    let usable: Vec<Algorithm> = algorithms.iter().copied().filter(fits).collect();
    let verifiers = verifiers(&DecodingKey::from_jwk(&jwk).ok()?, &usable).ok()?;
    (!verifiers.is_empty()).then_some(Key { id: jwk.common.key_id, verifiers })
}

/// A set is public, so a secret in it would be none.
fn fits(parameters: &AlgorithmParameters, algorithm: Algorithm) -> bool {
    match (parameters, algorithm.family()) {
        (AlgorithmParameters::RSA(_), AlgorithmFamily::Rsa) => true,
        (AlgorithmParameters::EllipticCurve(key), AlgorithmFamily::Ec) => match algorithm {
            Algorithm::ES256 => key.curve == EllipticCurve::P256,
            _ => key.curve == EllipticCurve::P384,
        },
        (AlgorithmParameters::OctetKeyPair(key), AlgorithmFamily::Ed) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    }
}

fn verifiers(key: &DecodingKey, algorithms: &[Algorithm]) -> Result<Vec<Verifier>, String> {
    let verifier = |algorithm: &Algorithm| {
        let made = (PROVIDER.verifier_factory)(algorithm, key);
        made.map(|verifier| (*algorithm, verifier))
            .map_err(|error| format!("the key cannot be used: {error}"))
    };
    algorithms.iter().map(verifier).collect()
}

/// Reads the names of algorithms.
///
/// # Errors
/// A sentence for the user, for a name that is none.
pub(crate) fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, String> {
    if names.is_empty() {
        return Err("no algorithm is named: give at least one, such as algorithms=[\"HS256\"]".to_owned());
    }
    let read = |name: &String| {
        Algorithm::from_str(name).map_err(|_| match name.to_ascii_lowercase().as_str() {
            "none" => "the algorithm \"none\" signs nothing and is never accepted".to_owned(),
            _ => format!(
                "{name:?} is no known algorithm: choose from HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, \
                 PS512, ES256, ES384 and EdDSA"
            ),
        })
    };
    names.iter().map(read).collect()
}

/// A public key must never be taken for a secret (RFC 8725 §2.1), so one key serves one family.
fn one_family(algorithms: &[Algorithm]) -> Result<AlgorithmFamily, String> {
    let families: Vec<_> = algorithms.iter().map(|algorithm| algorithm.family()).collect();
    match families.split_first() {
        Some((first, rest)) if rest.iter().all(|other| other == first) => Ok(*first),
        _ => Err(format!(
            "{} are of different kinds and cannot share one key: make a scheme for each",
            names(algorithms)
        )),
    }
}

/// A secret, as long as its algorithm's output at least (RFC 7518 §3.2).
fn secret(text: &str, algorithms: &[Algorithm]) -> Result<DecodingKey, String> {
    if text.trim_start().starts_with("-----BEGIN") {
        return Err(format!(
            "the key is in PEM, but {} take a secret that nobody else knows",
            names(algorithms)
        ));
    }
    let least = algorithms.iter().map(|algorithm| bytes_of(*algorithm)).max().unwrap_or_default();
    if text.len() < least {
        return Err(format!(
            "the secret has {} bytes, but {} needs {least} (RFC 7518, section 3.2): make one with \
             secrets.token_urlsafe({least})",
            text.len(),
            names(algorithms)
        ));
    }
    Ok(DecodingKey::from_secret(text.as_bytes()))
}

fn bytes_of(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => 32,
    }
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms.iter().map(|algorithm| format!("{algorithm:?}")).collect::<Vec<_>>().join(", ")
}

//! JSON Web Tokens: taken apart by [`token`], verified with [`keys`] (which [`jwks`] may fetch), judged by [`claims`],
//! [`known`] for a while.
//!
//! Sources: RFC 7515, 7517, 7518, 7519, and the practices of RFC 8725.

mod claims;
mod jwks;
mod keys;
mod known;
mod sign;
mod token;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::Algorithm;
use plectrum_http::{HeaderMap, cookie};

use super::credentials;
use super::identity::{Identity, Vouched};
use super::spec;
use claims::Rules;
pub(crate) use jwks::Remote;
use keys::{Keys, Signed};
use known::{Known, Verified};
use token::Token;

pub use sign::{sign, verify};

/// A scheme of signed tokens.
pub(crate) struct Jwt {
    algorithms: Vec<Algorithm>,
    source: Source,
    known: Known,
    rules: Rules,
    pub(crate) spec: spec::Jwt,
}

enum Source {
    Known(Keys),
    Remote(Rc<Remote>),
}

/// What became of a token.
pub(crate) enum Checked {
    /// It vouches for somebody.
    Identity(Arc<Identity>),
    /// It does not, for this reason.
    Refused(&'static str),
    /// A newer key set is needed to tell.
    NeedsKeys(Rc<Remote>),
}

impl Jwt {
    /// Compiles a scheme.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn compile(spec: spec::Jwt) -> Result<Self, String> {
        let algorithms = keys::algorithms(&spec.algorithms)?;
        let source = match (&spec.key, &spec.jwks) {
            (Some(key), None) => Source::Known(Keys::of(key, &algorithms)?),
            (None, Some(set)) => source_of(set, &algorithms)?,
            _ => return Err("a JWT scheme takes either key= or jwks=".to_owned()),
        };
        Ok(Self { rules: Rules::of(&spec), algorithms, source, known: Known::default(), spec })
    }

    /// The token a request shows, if it shows one.
    pub(crate) fn token<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let from_cookie = || self.spec.cookie.as_ref().and_then(|name| cookie::get(headers, name));
        credentials::authorization(headers, "bearer").or_else(from_cookie)
    }

    /// Checks a token of scheme number `number`.
    pub(crate) fn check(&self, number: usize, text: &str) -> Checked {
        match self.try_check(number, text, now()) {
            Ok(checked) => checked,
            Err(reason) => Checked::Refused(reason),
        }
    }

    fn try_check(&self, number: usize, text: &str, now: f64) -> Result<Checked, &'static str> {
        let identity = |vouched| Checked::Identity(Arc::new(Identity::vouched(number, vouched)));
        if let Some(keys) = self.keys_number()
            && let Some(known) = self.known.find(text, keys, now)
        {
            self.rules.check_times(known.times, now)?;
            return Ok(identity(known.vouched));
        }
        let token = Token::parse(text)?;
        if !self.algorithms.contains(&token.algorithm) {
            return Err("the token's algorithm is not accepted");
        }
        let (signed, remote) = self.verify(&token);
        match (signed, remote) {
            (Signed::Good, _) => {}
            (Signed::UnknownKey, Some(remote)) if remote.may_fetch() => {
                return Ok(Checked::NeedsKeys(Rc::clone(remote)));
            }
            (Signed::UnknownKey, _) => return Err("the token's key is not known"),
            (Signed::Bad, _) => return Err("the token's signature is wrong"),
        }
        let payload = token.payload()?;
        let (subject, times) = self.rules.check(&payload, now)?;
        let vouched = Arc::new(Vouched::new(subject, payload.into()));
        if let Some(keys) = self.keys_number() {
            self.known.keep(text, keys, now, Verified { vouched: Arc::clone(&vouched), times });
        }
        Ok(identity(vouched))
    }

    /// Which keys there are; what other ones verified is not known any more.
    fn keys_number(&self) -> Option<u64> {
        match &self.source {
            Source::Known(_) => Some(0),
            Source::Remote(remote) => remote.number(),
        }
    }

    fn verify(&self, token: &Token<'_>) -> (Signed, Option<&Rc<Remote>>) {
        let by = |keys: &Keys| {
            keys.verify(token.algorithm, token.key_id.as_deref(), token.message, &token.signature)
        };
        match &self.source {
            Source::Known(keys) => (by(keys), None),
            Source::Remote(remote) => (remote.with(by).unwrap_or(Signed::UnknownKey), Some(remote)),
        }
    }
}

fn source_of(set: &spec::Jwks, algorithms: &[Algorithm]) -> Result<Source, String> {
    match set {
        spec::Jwks::Inline(json) => Ok(Source::Known(Keys::of_set(json, algorithms)?)),
        spec::Jwks::File(path) => {
            let json = std::fs::read_to_string(path).map_err(|error| format!("jwks {path}: {error}"))?;
            Keys::of_set(&json, algorithms)
                .map(Source::Known)
                .map_err(|error| format!("jwks {path}: {error}"))
        }
        spec::Jwks::Url { url, lifetime, timeout } => {
            Remote::new(url, *lifetime, *timeout, algorithms.to_vec())
                .map(|remote| Source::Remote(Rc::new(remote)))
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    /// Two keys of an issuer: what it signs with, and what it publishes.
    const PRIVATE: [&str; 2] = [
        "MC4CAQAwBQYDK2VwBCIEIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
        "MC4CAQAwBQYDK2VwBCIEIGJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi",
    ];
    const PUBLIC: [&str; 2] =
        ["rwaj4ykXFOTzVsGcmxXNGVHsbmZiqne-B1R_KJODNB0", "LfBBJfABWvtHzoU674dyCU_5SYwUyxueEpc8KSfaD6Y"];

    fn scheme(members: serde_json::Value) -> Jwt {
        let mut spec = json!({"leeway": 0, "user_claim": "sub", "scope_claim": "scope", "realm": "api"});
        spec.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        Jwt::compile(serde_json::from_value(spec).unwrap()).unwrap()
    }

    fn shared() -> (Jwt, String) {
        let jwt = scheme(json!({"algorithms": ["HS256"], "key": SECRET}));
        (jwt, sign(r#"{"sub":"7","exp":1030,"nbf":990}"#, SECRET, "HS256", None).unwrap())
    }

    fn check(jwt: &Jwt, token: &str, now: f64) -> Result<String, &'static str> {
        match jwt.try_check(0, token, now)? {
            Checked::Identity(identity) => Ok(identity.subject().unwrap_or_default().to_owned()),
            Checked::Refused(reason) => Err(reason),
            Checked::NeedsKeys(_) => Err("keys are needed"),
        }
    }

    fn is_known(jwt: &Jwt, token: &str, now: f64) -> bool {
        jwt.known.find(token, jwt.keys_number().unwrap(), now).is_some()
    }

    #[test]
    fn a_known_token_expires() {
        let (jwt, token) = shared();
        assert_eq!(check(&jwt, &token, 1000.0), Ok("7".to_owned()));
        assert!(is_known(&jwt, &token, 1029.0));
        assert_eq!(check(&jwt, &token, 1029.0), Ok("7".to_owned()));
        assert!(is_known(&jwt, &token, 1030.0));
        assert_eq!(check(&jwt, &token, 1030.0), Err("the token has expired"));
    }

    #[test]
    fn another_signature_of_a_known_token_is_wrong() {
        let (jwt, token) = shared();
        assert!(check(&jwt, &token, 1000.0).is_ok());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let other: String = signature.chars().rev().collect();
        for forged in
            [format!("{message}."), format!("{message}.{}", &signature[..40]), format!("{message}.{other}")]
        {
            assert!(check(&jwt, &forged, 1000.0).is_err(), "{forged}");
            assert!(!is_known(&jwt, &forged, 1000.0));
        }
        assert!(check(&jwt, &token, 1000.0).is_ok());
    }

    #[test]
    fn what_is_refused_is_not_known() {
        let (jwt, token) = shared();
        assert_eq!(check(&jwt, &token, 900.0), Err("the token is not valid yet"));
        assert!(!is_known(&jwt, &token, 900.0) && check(&jwt, &token, 1000.0).is_ok());
    }

    #[test]
    fn rotated_keys_know_no_token() {
        let url = json!({"url": {"url": "http://127.0.0.1:1/keys", "lifetime": 60_000, "timeout": 1000}});
        let jwt = scheme(json!({"algorithms": ["EdDSA"], "jwks": url}));
        let Source::Remote(remote) = &jwt.source else { unreachable!() };
        let publish = |numbers: &[usize]| {
            let key = |number: &usize| json!({"kty": "OKP", "crv": "Ed25519", "kid": number.to_string(), "x": PUBLIC[*number]});
            let set = json!({"keys": numbers.iter().map(key).collect::<Vec<_>>()}).to_string();
            remote.settle(Keys::of_set(&set, &[Algorithm::EdDSA]));
        };
        let token = |number: usize| {
            let key =
                format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", PRIVATE[number]);
            sign(r#"{"sub":"7"}"#, &key, "EdDSA", Some(&number.to_string())).unwrap()
        };
        publish(&[0]);
        assert!(check(&jwt, &token(0), 1000.0).is_ok() && is_known(&jwt, &token(0), 1000.0));
        publish(&[0, 1]);
        assert!(!is_known(&jwt, &token(0), 1000.0));
        assert!(check(&jwt, &token(0), 1000.0).is_ok() && check(&jwt, &token(1), 1000.0).is_ok());
        publish(&[1]);
        assert_eq!(check(&jwt, &token(0), 1000.0), Err("the token's key is not known"));
        assert!(check(&jwt, &token(1), 1000.0).is_ok());
    }
}

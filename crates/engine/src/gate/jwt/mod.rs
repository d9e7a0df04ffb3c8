//! JSON Web Tokens: taken apart by [`token`], verified with [`keys`] (which [`jwks`] may fetch), judged by [`claims`].
//!
//! Sources: RFC 7515, 7517, 7518, 7519, and the practices of RFC 8725.

mod claims;
mod jwks;
mod keys;
mod sign;
mod token;

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::Algorithm;
use plectrum_http::{HeaderMap, cookie};

use super::credentials;
use super::identity::Identity;
use super::spec;
use claims::Rules;
pub(crate) use jwks::Remote;
use keys::{Keys, Signed};
use token::Token;

pub use sign::{sign, verify};

/// A scheme of signed tokens.
pub(crate) struct Jwt {
    algorithms: Vec<Algorithm>,
    source: Source,
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
    Identity(Box<Identity>),
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
        Ok(Self { rules: Rules::of(&spec), algorithms, source, spec })
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
        let subject = self.rules.check(&payload, now)?;
        Ok(Checked::Identity(Box::new(Identity::new(number, subject, payload.into()))))
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

//! Registered claims and what is asked of them (RFC 7519 §4.1).

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::spec;

/// What a token's claims must say.
pub(crate) struct Rules {
    audience: Vec<String>,
    issuer: Vec<String>,
    leeway: f64,
    needs_expiry: bool,
    required: Vec<String>,
    user_claim: String,
}

/// When a token holds, in seconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    exp: Option<f64>,
    nbf: Option<f64>,
}

/// The claims that are looked at in every token, once each: a repeated name is an error.
#[derive(Deserialize)]
struct Registered<'a> {
    #[serde(default)]
    exp: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(borrow, default)]
    iss: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    aud: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sub: Option<&'a RawValue>,
    #[serde(borrow, default)]
    token_type: Option<Cow<'a, str>>,
}

impl Rules {
    pub(crate) fn of(spec: &spec::Jwt) -> Self {
        Self {
            audience: spec.audience.clone(),
            issuer: spec.issuer.clone(),
            leeway: spec.leeway as f64,
            needs_expiry: spec.required.iter().any(|name| name == "exp"),
            required: spec.required.iter().filter(|name| *name != "exp").cloned().collect(),
            user_claim: spec.user_claim.clone(),
        }
    }

    /// Checks a signed payload at `now` (seconds since 1970); the user's key and when it holds, or what is wrong.
    pub(crate) fn check(&self, payload: &[u8], now: f64) -> Result<(Option<String>, Times), &'static str> {
        // serde would read a list as the members in their order.
        if !payload.trim_ascii_start().starts_with(b"{") {
            return Err("the token's claims are malformed");
        }
        let claims: Registered<'_> =
            serde_json::from_slice(payload).map_err(|_| "the token's claims are malformed")?;
        let times = Times { exp: claims.exp, nbf: claims.nbf };
        self.check_times(times, now)?;
        self.check_parties(&claims)?;
        // `plectrum.auth.tokens` marks refresh tokens so; they open nothing but their own endpoint.
        if claims.token_type.as_deref().is_some_and(|kind| kind != "access") {
            return Err("the token is not an access token");
        }
        if self.user_claim == "sub" && self.required.is_empty() {
            return Ok((claims.sub.map_or(Ok(None), text_of)?, times));
        }
        Ok((self.check_others(payload)?, times))
    }

    /// Checks what a token says of the time, `now` in seconds since 1970.
    pub(crate) fn check_times(&self, claims: Times, now: f64) -> Result<(), &'static str> {
        // Written so that what is no number (it cannot be in JSON, but costs nothing) does not pass.
        match claims.exp {
            Some(exp) if now < exp + self.leeway => {}
            Some(_) => return Err("the token has expired"),
            None if self.needs_expiry => return Err("the token has no expiry"),
            None => {}
        }
        match claims.nbf {
            Some(nbf) if now + self.leeway >= nbf => Ok(()),
            Some(_) => Err("the token is not valid yet"),
            None => Ok(()),
        }
    }

    /// What is configured must be in the token, not only fit where it is.
    fn check_parties(&self, claims: &Registered<'_>) -> Result<(), &'static str> {
        let issued = claims.iss.as_deref();
        if !self.issuer.is_empty() && !issued.is_some_and(|iss| self.issuer.iter().any(|known| known == iss))
        {
            return Err("the token is of another issuer");
        }
        if !self.audience.is_empty() && !claims.aud.is_some_and(|aud| self.is_for_us(aud)) {
            return Err("the token is for another audience");
        }
        Ok(())
    }

    /// One name or a list of them (RFC 7519 §4.1.3).
    fn is_for_us(&self, aud: &RawValue) -> bool {
        let ours = |name: &str| self.audience.iter().any(|known| known == name);
        match serde_json::from_str::<Cow<'_, str>>(aud.get()) {
            Ok(name) => ours(&name),
            Err(_) => serde_json::from_str::<Vec<Cow<'_, str>>>(aud.get())
                .is_ok_and(|names| names.iter().any(|name| ours(name))),
        }
    }

    fn check_others(&self, payload: &[u8]) -> Result<Option<String>, &'static str> {
        let all: HashMap<Cow<'_, str>, &RawValue> =
            serde_json::from_slice(payload).map_err(|_| "the token's claims are malformed")?;
        let has = |name: &String| all.get(name.as_str()).is_some_and(|value| value.get() != "null");
        if !self.required.iter().all(has) {
            return Err("the token lacks a claim that is required");
        }
        all.get(self.user_claim.as_str()).copied().map_or(Ok(None), text_of)
    }
}

/// A user's key is text, or a number in the tokens of some issuers.
fn text_of(value: &RawValue) -> Result<Option<String>, &'static str> {
    let json = value.get();
    match json.bytes().next() {
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| "the token's claims are malformed"),
        Some(b'0'..=b'9' | b'-') => Ok(Some(json.to_owned())),
        Some(b'n') => Ok(None),
        _ => Err("the token's user is neither text nor a number"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(members: Value) -> Rules {
        let mut spec = json!({"algorithms": [], "leeway": 0, "user_claim": "sub", "scope_claim": "scope", "realm": "api"});
        spec.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        Rules::of(&serde_json::from_value(spec).unwrap())
    }

    fn check(rules: &Rules, claims: Value) -> Result<Option<String>, &'static str> {
        rules.check(claims.to_string().as_bytes(), 1000.0).map(|(subject, _)| subject)
    }

    #[test]
    fn times_with_leeway() {
        let strict = rules(json!({"required": ["exp"]}));
        let loose = rules(json!({"leeway": 10}));
        for (claims, by_strict, by_loose) in [
            (json!({"exp": 1001}), true, true),
            (json!({"exp": 1000}), false, true),
            (json!({"exp": 990.5}), false, true),
            (json!({"exp": 990}), false, false),
            (json!({"exp": 2000, "nbf": 1000}), true, true),
            (json!({"exp": 2000, "nbf": 1010}), false, true),
            (json!({"exp": 2000, "nbf": 1011}), false, false),
            (json!({"exp": "2000"}), false, false),
            (json!({"exp": null}), false, true),
            (json!({}), false, true),
        ] {
            assert_eq!(
                (check(&strict, claims.clone()).is_ok(), check(&loose, claims.clone()).is_ok()),
                (by_strict, by_loose),
                "{claims}"
            );
        }
    }

    #[test]
    fn parties_must_be_named() {
        let rules = rules(json!({"audience": ["shop", "api"], "issuer": ["us"]}));
        for (claims, passes) in [
            (json!({"iss": "us", "aud": "shop"}), true),
            (json!({"iss": "us", "aud": ["x", "api"]}), true),
            (json!({"iss": "us", "aud": ["x"]}), false),
            (json!({"iss": "us", "aud": []}), false),
            (json!({"iss": "us"}), false),
            (json!({"iss": "them", "aud": "shop"}), false),
            (json!({"aud": "shop"}), false),
            (json!({"iss": "us", "aud": {"shop": 1}}), false),
            (json!({"iss": ["us"], "aud": "shop"}), false),
        ] {
            assert_eq!(check(&rules, claims.clone()).is_ok(), passes, "{claims}");
        }
    }

    #[test]
    fn users_and_required_claims() {
        assert_eq!(check(&rules(json!({})), json!({"sub": "é\"7"})), Ok(Some("é\"7".to_owned())));
        assert_eq!(check(&rules(json!({})), json!({"sub": 7})), Ok(Some("7".to_owned())));
        assert_eq!(check(&rules(json!({})), json!({})), Ok(None));
        assert!(check(&rules(json!({})), json!({"sub": [7]})).is_err());
        let other = rules(json!({"user_claim": "user_id", "required": ["user_id", "jti"]}));
        assert_eq!(check(&other, json!({"user_id": 7, "jti": "x", "sub": "9"})), Ok(Some("7".to_owned())));
        assert!(check(&other, json!({"user_id": 7})).is_err());
        assert!(check(&other, json!({"user_id": 7, "jti": null})).is_err());
    }

    #[test]
    fn neither_refresh_tokens_nor_repeated_claims() {
        assert!(check(&rules(json!({})), json!({"token_type": "refresh"})).is_err());
        assert!(check(&rules(json!({})), json!({"token_type": "access"})).is_ok());
        assert!(rules(json!({})).check(br#"{"exp":1,"exp":9999}"#, 1000.0).is_err());
        assert!(rules(json!({})).check(b"[]", 1000.0).is_err());
    }
}

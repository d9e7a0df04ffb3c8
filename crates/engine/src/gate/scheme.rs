//! Schemes: one way each to tell who makes a request.

use plectrum_http::{HeaderName, Request};

use super::api_key::ApiKey;
use super::credentials;
use super::jwt::Jwt;
use super::spec::{self, Kind};

/// A compiled scheme.
pub(crate) enum Scheme {
    Jwt(Box<Jwt>),
    ApiKey(ApiKey),
    Basic(spec::Asked),
    Bearer(spec::Asked),
    Session(spec::Session),
}

impl Scheme {
    /// Compiles what the binding described.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn compile(scheme: spec::Scheme) -> Result<Self, String> {
        let named = |error| format!("authentication scheme {:?}: {error}", scheme.name);
        Ok(match scheme.kind {
            Kind::Jwt(jwt) => Self::Jwt(Box::new(Jwt::compile(*jwt).map_err(named)?)),
            Kind::ApiKey(key) => Self::ApiKey(ApiKey::compile(key).map_err(named)?),
            Kind::Basic(asked) => Self::Basic(asked),
            Kind::Bearer(asked) => Self::Bearer(asked),
            Kind::Session(session) => Self::Session(session),
        })
    }

    pub(crate) fn staff_claim(&self) -> Option<&str> {
        if let Self::Jwt(jwt) = self { jwt.spec.staff_claim.as_deref() } else { None }
    }

    pub(crate) fn permissions_claim(&self) -> Option<&str> {
        if let Self::Jwt(jwt) = self { jwt.spec.permissions_claim.as_deref() } else { None }
    }

    pub(crate) fn scope_claim(&self) -> &str {
        if let Self::Jwt(jwt) = self { &jwt.spec.scope_claim } else { "scope" }
    }

    /// The header that keys are in, where that is not `Authorization`.
    pub(crate) fn header(&self) -> Option<HeaderName> {
        if let Self::ApiKey(key) = self { key.header() } else { None }
    }

    /// The challenge of a 401 (RFC 9110 §11.6.1); a session has none, as browsers ask for none.
    pub(crate) fn challenge(&self, refused: Option<&str>) -> Option<String> {
        let bearer = |realm: &str| match refused {
            // RFC 6750 §3.1
            Some(reason) => format!(
                "Bearer realm=\"{}\", error=\"invalid_token\", error_description=\"{}\"",
                quoted(realm),
                quoted(reason)
            ),
            None => format!("Bearer realm=\"{}\"", quoted(realm)),
        };
        match self {
            Self::Jwt(jwt) => Some(bearer(&jwt.spec.realm)),
            Self::Bearer(asked) => Some(bearer(&asked.realm)),
            Self::Basic(asked) => {
                Some(format!("Basic realm=\"{}\", charset=\"UTF-8\"", quoted(&asked.realm)))
            }
            Self::ApiKey(key) => Some(format!("ApiKey realm=\"{}\"", quoted(&key.parameter))),
            Self::Session(_) => None,
        }
    }
}

/// The inside of a quoted string of visible ASCII (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    let plain = |letter: char| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' };
    text.chars()
        .map(plain)
        .flat_map(|letter| match letter {
            '"' | '\\' => vec!['\\', letter],
            _ => vec![letter],
        })
        .collect()
}

/// An opaque bearer token.
pub(crate) fn bearer_token(request: &Request) -> Option<&str> {
    credentials::authorization(&request.headers, "bearer")
}

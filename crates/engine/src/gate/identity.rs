//! Who makes a request, as far as its credentials tell.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use plectrum_http::Bytes;
use serde_json::{Map, Value};

/// What credentials tell. The same for all requests that show them.
#[derive(Default)]
pub(crate) struct Vouched {
    subject: Option<String>,
    claims: Bytes,
    parsed: OnceLock<Map<String, Value>>,
}

impl Vouched {
    /// Claims are a JSON object; empty where there are none.
    pub(crate) fn new(subject: Option<String>, claims: Bytes) -> Self {
        Self { subject, claims, parsed: OnceLock::new() }
    }
}

/// Who makes a request. Shared between the gate, guards and the handler.
#[derive(Default)]
pub struct Identity {
    /// Position of the scheme that vouches; none for an anonymous request.
    pub scheme: Option<usize>,
    vouched: Option<Arc<Vouched>>,
    /// What the binding keeps with it: a loaded user, the request's state.
    pub attached: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Identity {
    /// Of a scheme, with claims as a JSON object; empty where there are none.
    #[must_use]
    pub fn new(scheme: usize, subject: Option<String>, claims: Bytes) -> Self {
        Self::vouched(scheme, Arc::new(Vouched::new(subject, claims)))
    }

    /// Of a scheme, as its credentials tell.
    pub(crate) fn vouched(scheme: usize, vouched: Arc<Vouched>) -> Self {
        Self { scheme: Some(scheme), vouched: Some(vouched), attached: OnceLock::new() }
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Whether a scheme vouches.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.scheme.is_some()
    }

    /// The user, or the owner of the key.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.vouched.as_ref()?.subject.as_deref()
    }

    /// The claims as JSON text; empty where there are none.
    #[must_use]
    pub fn claims_json(&self) -> &[u8] {
        self.vouched.as_ref().map_or(&[], |vouched| &vouched.claims)
    }

    /// A claim; the object is read when the first one is asked for.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        let vouched = self.vouched.as_ref()?;
        let parse = || serde_json::from_slice(&vouched.claims).unwrap_or_default();
        vouched.parsed.get_or_init(parse).get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_when_asked_for() {
        let identity = Identity::new(0, None, Bytes::from_static(br#"{"a":[1],"b":null}"#));
        assert_eq!(identity.claim("a"), Some(&serde_json::json!([1])));
        assert_eq!(identity.claim("b"), Some(&Value::Null));
        assert_eq!(identity.claim("c"), None);
    }

    #[test]
    fn the_anonymous_have_none() {
        let nobody = Identity::anonymous();
        assert!(!nobody.is_authenticated());
        assert_eq!(nobody.claim("sub"), None);
    }
}

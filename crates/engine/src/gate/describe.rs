//! Gates in OpenAPI 3.1: security schemes, what an operation requires, and how it refuses.

use serde_json::{Map, Value, json};

use super::guard::{self, Known, Verdict};
use super::identity::Identity;
use super::spec::{ApiKey, Gate, Guard, Kind, Place, Security};

/// `components.securitySchemes`.
pub(crate) fn schemes(security: &Security) -> Map<String, Value> {
    security.schemes.iter().map(|scheme| (scheme.name.clone(), described(&scheme.kind))).collect()
}

fn described(kind: &Kind) -> Value {
    match kind {
        Kind::Jwt(_) => json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        Kind::Bearer(_) => json!({"type": "http", "scheme": "bearer"}),
        Kind::Basic(_) => json!({"type": "http", "scheme": "basic"}),
        Kind::ApiKey(ApiKey { place, parameter, .. }) => {
            let place = match place {
                Place::Header => "header",
                Place::Query => "query",
                Place::Cookie => "cookie",
            };
            json!({"type": "apiKey", "in": place, "name": parameter})
        }
        Kind::Session(session) => json!({"type": "apiKey", "in": "cookie", "name": session.cookie}),
    }
}

/// `security` of an operation: one of the schemes, or none where the anonymous may pass.
pub(crate) fn requirement(gate: &Gate, security: &Security) -> Option<Value> {
    let named = gate.schemes.iter().filter_map(|number| security.schemes.get(*number));
    let mut either: Vec<Value> = named.map(|scheme| json!({&scheme.name: []})).collect();
    if either.is_empty() {
        return None;
    }
    if admits_anybody(gate) {
        either.push(json!({}));
    }
    Some(Value::Array(either))
}

fn admits_anybody(gate: &Gate) -> bool {
    let guard = gate.guard.as_ref().unwrap_or(&Guard::Anyone);
    guard::evaluate(guard, &Identity::anonymous(), None, &Known::new()) == Verdict::Yes
}

/// Status of every refusal.
pub(crate) fn refusals(gate: &Gate) -> Vec<&'static str> {
    let anybody_known = |guard: &Guard| matches!(guard, Guard::Anyone | Guard::Authenticated);
    let guarded = gate.guard.as_ref().is_some_and(|guard| !anybody_known(guard));
    let limited = gate.limits.as_ref().is_some_and(|limits| !limits.is_empty());
    let found = [(!gate.schemes.is_empty(), "401"), (guarded, "403"), (limited, "429")];
    found.into_iter().filter_map(|(happens, status)| happens.then_some(status)).collect()
}

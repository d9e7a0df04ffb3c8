//! How an operation answers: its success, and every refusal it can be known to make.
//!
//! Refusals are written once, as `components.responses`, and referred to.

use std::collections::BTreeMap;

use plectrum_schema::Describer;
use serde_json::{Map, Value, json};

use super::COMPONENTS;
use crate::blueprint::{Blueprint, Documented, Route, Source};
use crate::gate::describe;
use crate::gate::spec::{Gate, Kind};

const RESPONSES: &str = "#/components/responses/";
const PROBLEM: &str = "application/problem+json";

/// Name, status and description of the refusals that many operations share.
const SHARED: [(&str, &str, &str); 5] = [
    ("Unauthorized", "401", "Not authenticated"),
    ("Forbidden", "403", "Not permitted"),
    ("Invalid", "422", "Validation failed: every mistake, with its place"),
    ("TooManyRequests", "429", "Too many requests: ask again after `Retry-After` seconds"),
    ("Problem", "default", "Problem (RFC 9457)"),
];

/// The answers of an operation by their status.
pub(super) fn of(
    route: &Route,
    blueprint: &Blueprint,
    throttled: bool,
    components: &mut Describer<'_>,
) -> Value {
    let mut responses = BTreeMap::new();
    responses.insert(route.status.to_string(), success(route, components));
    if validates(route) {
        responses.insert("422".to_owned(), shared("422"));
    }
    if let Some(gate) = &route.gate {
        for status in describe::refusals(gate) {
            responses.insert(status.to_owned(), shared(status));
        }
        let claims = route.parameters.iter().any(|parameter| parameter.source == Source::Claim);
        if claims || (writes(route) && checks_csrf(gate, blueprint)) {
            responses.insert("403".to_owned(), shared("403"));
        }
    }
    // A route that says nothing of rates has the usual ones.
    if throttled && route.gate.as_ref().is_none_or(|gate| gate.limits.is_none()) {
        responses.insert("429".to_owned(), shared("429"));
    }
    for answer in &route.responses {
        responses.insert(answer.status.to_string(), documented(answer, components));
    }
    responses.insert("default".to_owned(), shared("default"));
    Value::Object(responses.into_iter().collect())
}

/// `components.responses`, those of `paths` that are referred to.
pub(super) fn components(paths: &Map<String, Value>) -> Map<String, Value> {
    let used = |name: &str| {
        let reference = json!({"$ref": format!("{RESPONSES}{name}")});
        let operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
        operations
            .filter_map(|operation| operation["responses"].as_object())
            .any(|answers| answers.values().any(|answer| *answer == reference))
    };
    let named = SHARED.iter().filter(|(name, ..)| used(name));
    named
        .map(|(name, status, description)| {
            let mut response =
                problem(description, if *status == "422" { "ValidationProblem" } else { "Problem" });
            if *status == "429" {
                response["headers"] =
                    json!({"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}});
            }
            ((*name).to_owned(), response)
        })
        .collect()
}

/// The schemas of problem documents.
pub(super) fn schemas() -> [(String, Value); 2] {
    let error = json!({
        "type": "object",
        "properties": {
            "loc": {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "description": "Where: `query`, `body` …, and the path to the value.",
            },
            "type": {"type": "string", "description": "A code that stays."},
            "msg": {"type": "string", "description": "For people."},
        },
        "required": ["loc", "type", "msg"],
    });
    let problem = json!({
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "status"],
    });
    let mut invalid = problem.clone();
    invalid["required"] = json!(["type", "title", "status", "errors"]);
    invalid["examples"] = json!([{
        "type": "about:blank", "title": "Unprocessable Content", "status": 422,
        "errors": [{"loc": ["query", "page"], "type": "int_parsing", "msg": "Input should be a valid integer"}],
    }]);
    [("Problem".to_owned(), problem), ("ValidationProblem".to_owned(), invalid)]
}

fn success(route: &Route, components: &mut Describer<'_>) -> Value {
    let mut success = json!({"description": "Success"});
    if route.status != 204 {
        let schema = route.response.as_ref().map(|schema| components.describe(schema));
        success["content"] =
            schema.map_or_else(|| json!({}), |schema| json!({"application/json": {"schema": schema}}));
    }
    success
}

fn documented(answer: &Documented, components: &mut Describer<'_>) -> Value {
    match &answer.schema {
        Some(schema) => {
            let schema = components.describe(schema);
            json!({"description": answer.description, "content": {"application/json": {"schema": schema}}})
        }
        None if answer.status < 400 => json!({"description": answer.description}),
        None => problem(&answer.description, "Problem"),
    }
}

fn problem(description: &str, schema: &str) -> Value {
    let schema = json!({"$ref": format!("{COMPONENTS}{schema}")});
    json!({"description": description, "content": {PROBLEM: {"schema": schema}}})
}

fn shared(status: &str) -> Value {
    let known = SHARED.iter().find(|(_, known, _)| *known == status);
    let name = known.map_or("Problem", |(name, ..)| name);
    json!({"$ref": format!("{RESPONSES}{name}")})
}

/// Whether anything of a request is looked at, or refused as unknown.
fn validates(route: &Route) -> bool {
    let looked_at = |source| {
        !matches!(
            source,
            Source::Request | Source::Websocket | Source::Background | Source::Responder | Source::Claim
        )
    };
    route.strict_query || route.parameters.iter().any(|parameter| looked_at(parameter.source))
}

fn writes(route: &Route) -> bool {
    !matches!(route.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Whether the gate takes sessions, whose writes need a CSRF token.
fn checks_csrf(gate: &Gate, blueprint: &Blueprint) -> bool {
    let mut schemes = gate.schemes.iter().filter_map(|number| blueprint.security.schemes.get(*number));
    schemes.any(|scheme| matches!(scheme.kind, Kind::Session(_)))
}

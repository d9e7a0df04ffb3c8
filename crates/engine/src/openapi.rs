//! The OpenAPI 3.1 document of an API, from the same types that validate its requests.
//!
//! Source: OpenAPI Specification 3.1.1; schemas are JSON Schema 2020-12.

use plectrum_schema::describe::Describer;
use serde_json::{Map, Value, json};

use crate::blueprint::{Blueprint, Parameter, Route, Source};

const COMPONENTS: &str = "#/components/schemas/";

/// The methods a path item has a place for.
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// Writes the document.
#[must_use]
pub fn document(blueprint: &Blueprint) -> Value {
    let mut components = Describer::new(COMPONENTS);
    let mut paths = Map::new();
    let shown = |route: &&Route| route.include_in_schema && METHODS.contains(&route.method.as_str());
    for route in blueprint.routes.iter().filter(shown) {
        let item = paths.entry(plain_path(&route.path)).or_insert_with(|| json!({}));
        item[route.method.to_lowercase()] = operation(route, &mut components);
    }
    let mut schemas = components.into_definitions();
    schemas.insert("Problem".to_owned(), problem_schema());
    let mut info = json!({"title": blueprint.info.title, "version": blueprint.info.version});
    if let Some(description) = &blueprint.info.description {
        info["description"] = json!(description);
    }
    json!({"openapi": "3.1.1", "info": info, "paths": paths, "components": {"schemas": schemas}})
}

/// `{id:int}` → `{id}`: OpenAPI says types in schemas.
fn plain_path(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut in_type = false;
    for letter in path.chars() {
        match letter {
            ':' if plain.rfind('{') > plain.rfind('}') => in_type = true,
            '}' => in_type = false,
            _ => {}
        }
        if !in_type {
            plain.push(letter);
        }
    }
    plain
}

fn operation(route: &Route, components: &mut Describer<'_>) -> Value {
    let mut operation = json!({"operationId": operation_id(route)});
    if !route.tags.is_empty() {
        operation["tags"] = json!(route.tags);
    }
    for (key, text) in [("summary", &route.summary), ("description", &route.description)] {
        if let Some(text) = text {
            operation[key] = json!(text);
        }
    }
    if route.deprecated {
        operation["deprecated"] = json!(true);
    }
    let parameters: Vec<_> =
        route.parameters.iter().filter_map(|parameter| parameter_object(parameter, components)).collect();
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = request_body(route, components) {
        operation["requestBody"] = body;
    }
    operation["responses"] = responses(route, components);
    operation
}

/// Stable across releases of the user's code: method and name, not position.
fn operation_id(route: &Route) -> String {
    let path: String = plain_path(&route.path)
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .fold(String::new(), |id, part| id + "_" + part);
    format!("{}{path}_{}", route.name, route.method.to_lowercase())
}

fn parameter_object(parameter: &Parameter, components: &mut Describer<'_>) -> Option<Value> {
    let place = match parameter.source {
        Source::Path => "path",
        Source::Query => "query",
        Source::Header => "header",
        Source::Cookie => "cookie",
        Source::Body
        | Source::BodyField
        | Source::Form
        | Source::Request
        | Source::Websocket
        | Source::Background => {
            return None;
        }
    };
    let mut schema =
        parameter.schema.as_ref().map_or_else(|| json!({}), |schema| components.describe(schema));
    if let (Some(default), Some(object)) = (&parameter.default, schema.as_object_mut()) {
        object.insert("default".to_owned(), default.clone());
    }
    let required = parameter.required || parameter.source == Source::Path;
    let mut object = json!({"name": parameter.wire, "in": place, "required": required, "schema": schema});
    if let Some(description) = &parameter.description {
        object["description"] = json!(description);
    }
    Some(object)
}

fn request_body(route: &Route, components: &mut Describer<'_>) -> Option<Value> {
    let of = |source| route.parameters.iter().filter(move |parameter| parameter.source == source);
    if let Some(body) = of(Source::Body).next() {
        let schema = body.schema.as_ref().map_or_else(|| json!({}), |schema| components.describe(schema));
        return Some(json!({"required": body.required, "content": {"application/json": {"schema": schema}}}));
    }
    for (source, media_type) in
        [(Source::BodyField, "application/json"), (Source::Form, "application/x-www-form-urlencoded")]
    {
        let fields: Vec<_> = of(source).collect();
        if !fields.is_empty() {
            let required = fields.iter().any(|field| field.required);
            let schema = object_of(&fields, components);
            return Some(json!({"required": required, "content": {media_type: {"schema": schema}}}));
        }
    }
    None
}

fn object_of(fields: &[&Parameter], components: &mut Describer<'_>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let schema = field.schema.as_ref().map_or_else(|| json!({}), |schema| components.describe(schema));
        properties.insert(field.wire.clone(), schema);
    }
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| &field.wire).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn responses(route: &Route, components: &mut Describer<'_>) -> Value {
    let schema = route.response.as_ref().map(|schema| components.describe(schema));
    let content = schema.map_or_else(|| json!({}), |schema| json!({"application/json": {"schema": schema}}));
    let mut success = json!({"description": "Success"});
    if route.status != 204 {
        success["content"] = content;
    }
    let mut responses = json!({route.status.to_string(): success});
    let problem = json!({"application/problem+json": {"schema": {"$ref": format!("{COMPONENTS}Problem")}}});
    if route.parameters.iter().any(|parameter| {
        !matches!(parameter.source, Source::Request | Source::Websocket | Source::Background)
    }) {
        responses["422"] = json!({"description": "Validation failed", "content": problem});
    }
    responses["default"] = json!({"description": "Problem (RFC 9457)", "content": problem});
    responses
}

fn problem_schema() -> Value {
    let error = json!({
        "type": "object",
        "properties": {
            "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
            "type": {"type": "string"},
            "msg": {"type": "string"},
        },
        "required": ["loc", "type", "msg"],
    });
    json!({
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "status"],
    })
}

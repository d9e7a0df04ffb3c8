//! The OpenAPI 3.1 document of an API, from the same types that validate its requests.
//!
//! Source: OpenAPI Specification 3.1.1; schemas are JSON Schema 2020-12.

use plectrum_schema::{Describer, Node, Schema};
use serde_json::{Map, Value, json};

use crate::blueprint::{Blueprint, Parameter, Route, Source, Versioning};
use crate::gate::describe;

mod responses;

const COMPONENTS: &str = "#/components/schemas/";

/// The methods a path item has a place for.
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// Which document of an API is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// The routes of this version; those of every version where absent.
    pub version: Option<&'a str>,
    /// Whether routes that say nothing of it are throttled, too.
    pub throttled: bool,
}

/// Writes the document.
#[must_use]
pub fn document(blueprint: &Blueprint, shown: Shown<'_>) -> Value {
    let mut components = Describer::new(COMPONENTS);
    let mut paths = Map::new();
    let has = |route: &Route| {
        route.versions.is_empty() || route.versions.iter().any(|name| shown.version == Some(name))
    };
    let is_shown =
        |route: &&Route| route.include_in_schema && has(route) && METHODS.contains(&route.method.as_str());
    for route in blueprint.routes.iter().filter(is_shown) {
        let item = paths.entry(plain_path(&route.path)).or_insert_with(|| json!({}));
        item[route.method.to_lowercase()] = operation(route, blueprint, shown, &mut components);
    }
    let mut schemas = components.into_definitions();
    schemas.extend(responses::schemas());
    let mut info = json!({"title": blueprint.info.title, "version": blueprint.info.version});
    if let Some(description) = &blueprint.info.description {
        info["description"] = json!(description);
    }
    let mut components = json!({"schemas": schemas, "responses": responses::components(&paths)});
    let schemes = describe::schemes(&blueprint.security);
    if !schemes.is_empty() {
        components["securitySchemes"] = Value::Object(schemes);
    }
    json!({"openapi": "3.1.1", "info": info, "paths": paths, "components": components})
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

fn operation(
    route: &Route,
    blueprint: &Blueprint,
    shown: Shown<'_>,
    components: &mut Describer<'_>,
) -> Value {
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
    let described = route.parameters.iter().flat_map(|parameter| parameter_objects(parameter, components));
    let version = shown.version.filter(|_| !route.versions.is_empty());
    let version = version.and_then(|name| version_header(name, blueprint.versioning.as_ref()?));
    let parameters: Vec<_> = described.chain(version).collect();
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = request_body(route, components) {
        operation["requestBody"] = body;
    }
    operation["responses"] = responses::of(route, blueprint, shown.throttled, components);
    let gate = route.gate.as_ref();
    if let Some(security) = gate.and_then(|gate| describe::requirement(gate, &blueprint.security)) {
        operation["security"] = security;
    }
    operation
}

/// The header that asks for a version. One that is a parameter of `Accept` has no place in a document, which forbids to
/// describe that header.
fn version_header(name: &str, versioning: &Versioning) -> Option<Value> {
    if versioning.parameter.is_some() {
        return None;
    }
    let schema = json!({"type": "string", "const": name});
    let required = name != versioning.default;
    Some(json!({"name": versioning.header, "in": "header", "required": required, "schema": schema}))
}

/// Stable across releases of the user's code: method and name, not position.
fn operation_id(route: &Route) -> String {
    if let Some(id) = &route.operation_id {
        return id.clone();
    }
    let path: String = plain_path(&route.path)
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .fold(String::new(), |id, part| id + "_" + part);
    format!("{}{path}_{}", route.name, route.method.to_lowercase())
}

/// A parameter, or the fields of a model whose fields are parameters.
fn parameter_objects(parameter: &Parameter, components: &mut Describer<'_>) -> Vec<Value> {
    let place = match parameter.source {
        Source::Path => "path",
        Source::Query => "query",
        Source::Header => "header",
        Source::Cookie => "cookie",
        _ => return Vec::new(),
    };
    let fields = parameter.schema.as_ref().and_then(|schema| components.describe_fields(schema));
    if let Some(Value::Object(properties)) = fields.as_ref().map(|fields| fields["properties"].clone()) {
        let is_required = |name: &String| {
            let required = fields.as_ref().and_then(|fields| fields["required"].as_array());
            parameter.required && required.is_some_and(|required| required.iter().any(|known| known == name))
        };
        let wire = |name: &str| if place == "header" { name.replace('_', "-") } else { name.to_owned() };
        let each = properties.into_iter().map(|(name, schema)| {
            json!({"name": wire(&name), "in": place, "required": is_required(&name), "schema": schema})
        });
        return each.collect();
    }
    vec![parameter_object(parameter, place, components)]
}

fn parameter_object(parameter: &Parameter, place: &str, components: &mut Describer<'_>) -> Value {
    let mut schema =
        parameter.schema.as_ref().map_or_else(|| json!({}), |schema| components.describe(schema));
    if let (Some(default), Some(object)) = (&parameter.default, schema.as_object_mut()) {
        object.insert("default".to_owned(), default.clone());
    }
    if let (false, Some(object)) = (parameter.examples.is_empty(), schema.as_object_mut()) {
        object.insert("examples".to_owned(), parameter.examples.clone().into());
    }
    let required = parameter.required || parameter.source == Source::Path;
    let mut object = json!({"name": parameter.wire, "in": place, "required": required, "schema": schema});
    if let Some(description) = &parameter.description {
        object["description"] = json!(description);
    }
    object
}

fn request_body(route: &Route, components: &mut Describer<'_>) -> Option<Value> {
    let of = |source| route.parameters.iter().filter(move |parameter| parameter.source == source);
    if let Some(body) = of(Source::Body).next() {
        let schema = body.schema.as_ref().map_or_else(|| json!({}), |schema| components.describe(schema));
        return Some(json!({"required": body.required, "content": {"application/json": {"schema": schema}}}));
    }
    if let Some(raw) = of(Source::Raw).next() {
        return Some(json!({"required": raw.required, "content": {"application/octet-stream": {}}}));
    }
    let keys: Vec<_> = of(Source::BodyField).collect();
    let fields: Vec<_> = of(Source::Form).collect();
    let required = keys.iter().chain(&fields).any(|field| field.required);
    if !keys.is_empty() {
        let schema = object_of(&keys, components);
        return Some(json!({"required": required, "content": {"application/json": {"schema": schema}}}));
    }
    if fields.is_empty() {
        return None;
    }
    let schema = match fields.as_slice() {
        [model] if model.schema.as_ref().is_some_and(|schema| schema.structure().is_some()) => {
            model.schema.as_ref().map_or_else(|| json!({}), |schema| components.describe(schema))
        }
        _ => object_of(&fields, components),
    };
    let mut content = json!({"multipart/form-data": {"schema": schema}});
    let encoding = encoding_of(&fields);
    if !encoding.is_empty() {
        content["multipart/form-data"]["encoding"] = Value::Object(encoding);
    }
    if !fields.iter().any(|field| field.schema.as_ref().is_some_and(|schema| schema.has_upload())) {
        content["application/x-www-form-urlencoded"] = json!({"schema": schema});
    }
    Some(json!({"required": required, "content": content}))
}

/// Media types of the files of a form, where only some are taken.
fn encoding_of(fields: &[&Parameter]) -> Map<String, Value> {
    let mut encoding = Map::new();
    let mut tell = |name: &str, schema: &Schema, node| {
        let node = match schema.plain(node) {
            Node::List(list) => schema.plain(&list.item),
            node => node,
        };
        if let Node::Upload(rule) = node
            && !rule.media_types.is_empty()
        {
            encoding.insert(name.to_owned(), json!({"contentType": rule.media_types.join(", ")}));
        }
    };
    for (parameter, schema) in
        fields.iter().filter_map(|parameter| Some((parameter, parameter.schema.as_deref()?)))
    {
        tell(&parameter.wire, schema, &schema.root);
        for field in schema.structure().into_iter().flat_map(|of| &of.fields) {
            tell(&field.key, schema, &field.node);
        }
    }
    encoding
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

//! Compiled types → JSON Schema 2020-12, for OpenAPI.

use crate::format::Format;
use crate::limits::{Bound, Divisor, Limits};
use crate::node::{Access, Choices, Container, Extra, Length, Node, Scalar, Schema, StrRule, Struct, Union};
use serde_json::{Map, Number, Value, json};
use std::collections::HashMap;

/// A described type.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Its schema.
    pub schema: Value,
    /// The structs it refers to, by name.
    pub definitions: Map<String, Value>,
}

impl Described {
    /// One self-contained schema, the structs under `$defs`. Described with the prefix [`DEFS`].
    #[must_use]
    pub fn into_document(mut self) -> Value {
        if !self.definitions.is_empty()
            && let Value::Object(members) = &mut self.schema
        {
            members.insert("$defs".to_owned(), Value::Object(self.definitions));
        }
        self.schema
    }
}

/// Where a self-contained schema keeps its structs.
pub const DEFS: &str = "#/$defs/";

/// A decimal number in text.
const DECIMAL: &str = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$";

/// A time of day, as RFC 3339's `partial-time`; seconds and an offset may be given or not.
const TIME: &str =
    r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$";

/// Django's duration: `[D ]HH:MM:SS[.ffffff]`.
const DURATION: &str = r"^(-?[0-9]{1,9} )?([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$";

/// Describes one type. References are `prefix` and a struct's name: [`DEFS`], or `#/components/schemas/`.
#[must_use]
pub fn describe(schema: &Schema, prefix: &str) -> Described {
    let mut describer = Describer::new(prefix);
    let schema = describer.describe(schema);
    Described { schema, definitions: describer.into_definitions() }
}

/// Describes types that share their definitions, as the operations of an API do. Structs are told apart by class: two
/// of one name become `Article` and `Article2`, whichever schemas they are in.
#[derive(Debug)]
pub struct Describer<'p> {
    prefix: &'p str,
    /// Python class → name given.
    names: HashMap<u32, String>,
    definitions: Map<String, Value>,
}

impl<'p> Describer<'p> {
    /// Nothing described yet.
    #[must_use]
    pub fn new(prefix: &'p str) -> Self {
        Self { prefix, names: HashMap::new(), definitions: Map::new() }
    }

    /// The schema of a type's root; its structs join the definitions.
    pub fn describe(&mut self, schema: &Schema) -> Value {
        Walk { schema, describer: self }.node(&schema.root)
    }

    /// The schema of a type with fields itself rather than a reference to it; `None` for any other type.
    pub fn describe_fields(&mut self, schema: &Schema) -> Option<Value> {
        if let Node::Foreign { describe, .. } = schema.plain(&schema.root) {
            return describe.clone().filter(|described| described["properties"].is_object());
        }
        let of = schema.structure()?;
        Some(Walk { schema, describer: self }.structure(of))
    }

    /// The structs met so far, by name.
    #[must_use]
    pub fn into_definitions(self) -> Map<String, Value> {
        self.definitions
    }

    fn reference(&self, name: &str) -> Value {
        json!({"$ref": format!("{}{name}", self.prefix)})
    }

    /// A name for a class that has none yet.
    fn name(&mut self, of: &Struct) -> String {
        let mut name = of.name.clone();
        let mut number = 2;
        while self.definitions.contains_key(&name) {
            name = format!("{}{number}", of.name);
            number += 1;
        }
        self.names.insert(of.class, name.clone());
        // Its place is kept while its fields, which may refer back, are described.
        self.definitions.insert(name.clone(), Value::Null);
        name
    }
}

/// One schema being described.
struct Walk<'a, 'p> {
    schema: &'a Schema,
    describer: &'a mut Describer<'p>,
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &Node) -> Value {
        match node {
            Node::Any => json!({}),
            Node::Null => json!({"type": "null"}),
            Node::Bool => json!({"type": "boolean"}),
            Node::Int(limits) => bounded(json!({"type": "integer"}), limits),
            Node::Float(limits) => bounded(json!({"type": "number"}), limits),
            Node::Decimal(limits) => {
                let number = bounded(json!({"type": "number"}), &limits.limits);
                json!({"anyOf": [number, {"type": "string", "format": "decimal", "pattern": DECIMAL}]})
            }
            Node::Str(rule) => text(rule),
            Node::Bytes(_) => json!({"type": "string", "contentEncoding": "base64"}),
            Node::Uuid => formatted("uuid"),
            Node::Date => formatted("date"),
            // JSON Schema's own `time` wants an offset, which times of day do not have.
            Node::Time => json!({"type": "string", "format": "time-local", "pattern": TIME}),
            Node::Datetime => formatted("date-time"),
            // JSON Schema's own `duration` is ISO 8601's, which is read but never written.
            Node::Duration => json!({"type": "string", "pattern": DURATION}),
            Node::Enum { values, .. } | Node::Literal { values } => choices(values),
            Node::List(list) => {
                let mut value = json!({"type": "array", "items": self.node(&list.item)});
                if matches!(list.container, Container::Set | Container::FrozenSet) {
                    value["uniqueItems"] = true.into();
                }
                sized(value, list.length, "minItems", "maxItems")
            }
            Node::Tuple { items } => {
                let count = items.len();
                let items: Vec<Value> = items.iter().map(|item| self.node(item)).collect();
                json!({"type": "array", "prefixItems": items, "items": false, "minItems": count, "maxItems": count})
            }
            Node::Dict { key, value, length } => self.dict(key, value, *length),
            Node::Struct(of) => self.reference_to(of),
            Node::Checked { inner, .. } => self.node(inner),
            Node::Optional { inner } => json!({"anyOf": [self.node(inner), {"type": "null"}]}),
            Node::Union(union) => self.union(union),
            Node::Reference { index } => {
                let schema = self.schema;
                self.node(schema.definition(*index))
            }
            // OpenAPI 3.1, section 4.14.3.2: raw binary content has no type of JSON's.
            Node::Upload(_) => json!({"type": "string", "contentMediaType": "application/octet-stream"}),
            Node::Foreign { describe, .. } => describe.clone().unwrap_or_else(|| json!({})),
        }
    }

    fn dict(&mut self, key: &Node, value: &Node, length: Length) -> Value {
        let mut object = json!({"type": "object", "additionalProperties": self.node(value)});
        // A plain string says nothing about a key.
        let names = self.node(key);
        if names != json!({"type": "string"}) && names["type"] == "string" {
            object["propertyNames"] = names;
        }
        sized(object, length, "minProperties", "maxProperties")
    }

    fn union(&mut self, union: &Union) -> Value {
        let options: Vec<Value> = union.options.iter().map(|option| self.node(option)).collect();
        let Some(tagged) = &union.tagged else { return json!({"anyOf": options}) };
        let mapping: Map<String, Value> = tagged
            .tags
            .iter()
            .filter_map(|(tag, option)| {
                let tag = match tag {
                    Scalar::Str(text) => text.clone(),
                    other => other.to_string(),
                };
                Some((tag, options.get(*option)?.get("$ref")?.clone()))
            })
            .collect();
        json!({
            "oneOf": options,
            "discriminator": {"propertyName": tagged.discriminator, "mapping": mapping},
        })
    }

    /// A reference; the struct is described on its first use.
    fn reference_to(&mut self, of: &Struct) -> Value {
        if let Some(name) = self.describer.names.get(&of.class) {
            return self.describer.reference(name);
        }
        let name = self.describer.name(of);
        let reference = self.describer.reference(&name);
        let description = self.structure(of);
        self.describer.definitions.insert(name, description);
        reference
    }

    fn structure(&mut self, of: &Struct) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in &of.fields {
            let mut value = self.node(&field.node);
            if let Some(default) = &field.default {
                value["default"] = default.clone();
            }
            if let Some(description) = &field.description {
                value["description"] = description.clone().into();
            }
            if !field.examples.is_empty() {
                value["examples"] = field.examples.clone().into();
            }
            match field.access {
                Access::Both => {}
                Access::ReadOnly => value["readOnly"] = true.into(),
                Access::WriteOnly => value["writeOnly"] = true.into(),
            }
            if field.required {
                required.push(Value::from(field.key.as_str()));
            }
            properties.insert(field.key.clone(), value);
        }
        let mut object = json!({"title": of.name, "type": "object", "properties": properties});
        if !required.is_empty() {
            object["required"] = required.into();
        }
        if of.extra == Extra::Forbid {
            object["additionalProperties"] = false.into();
        }
        object
    }
}

fn formatted(format: &str) -> Value {
    json!({"type": "string", "format": format})
}

fn text(rule: &StrRule) -> Value {
    let mut value = sized(json!({"type": "string"}), rule.length, "minLength", "maxLength");
    if let Some(pattern) = &rule.pattern {
        value["pattern"] = pattern.as_str().into();
    }
    if let Some(format) = rule.format.and_then(Format::keyword) {
        value["format"] = format.into();
    }
    value
}

fn sized(mut value: Value, length: Length, min: &str, max: &str) -> Value {
    if let Some(length) = length.min_length {
        value[min] = length.into();
    }
    if let Some(length) = length.max_length {
        value[max] = length.into();
    }
    value
}

fn bounded(mut value: Value, limits: &Limits) -> Value {
    for Bound { side, text, .. } in &limits.bounds {
        value[side.keyword()] = number(text);
    }
    if let Some(Divisor { text, .. }) = &limits.multiple_of {
        value["multipleOf"] = number(text);
    }
    value
}

/// A bound as the number it is; the text was checked when the schema was compiled.
fn number(text: &str) -> Value {
    text.parse::<Number>().map_or_else(|_| text.into(), Value::Number)
}

/// `enum`, with a `type` where all values share one.
fn choices(choices: &Choices) -> Value {
    let values: Vec<Value> = choices.values.iter().map(constant).collect();
    let mut value = json!({"enum": values});
    let kinds = choices.values.iter().map(kind);
    if let Some(kind) = kinds.reduce(|first, next| if first == next { first } else { None }).flatten() {
        value["type"] = kind.into();
    }
    value
}

fn kind(scalar: &Scalar) -> Option<&'static str> {
    match scalar {
        Scalar::Bool(_) => Some("boolean"),
        Scalar::Int(_) => Some("integer"),
        Scalar::Float(_) => Some("number"),
        Scalar::Str(_) => Some("string"),
        Scalar::Null => None,
    }
}

fn constant(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => (*value).into(),
        Scalar::Int(value) => (*value).into(),
        Scalar::Float(value) => (*value).into(),
        Scalar::Str(value) => value.as_str().into(),
        Scalar::Null => Value::Null,
    }
}

#[cfg(test)]
mod tests;

//! Arguments, coerced (section 6.4.1 of the specification), split into what shapes a statement and what is bound to it.
//!
//! Null, booleans, enum values and the names in input objects shape it; any other scalar becomes `{"$":n,"t":"Int"}` and
//! its value, as JSON, the request's `n`th. A list of scalars is one value, so that lists of any length share a shape.

use apollo_compiler::Name;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::executable::{Argument, Type, Value};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Node, ast};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use plectrum_json::text;

use crate::graph::Graph;

/// The scalar of a connection's cursors.
const CURSOR: &str = "Cursor";

/// A value as the document or the variables have it.
#[derive(Clone, Copy)]
enum Input<'a> {
    Literal(&'a Value),
    Json(&'a JsonValue),
}

/// Writes arguments of one root field.
pub(crate) struct Inputs<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) variables: &'a JsonMap,
    /// The shape so far.
    pub(crate) shape: Vec<u8>,
    /// Values of its placeholders, as JSON.
    pub(crate) values: Vec<Box<[u8]>>,
    /// Why a value is none of its type's.
    pub(crate) refused: Option<String>,
}

impl<'a> Inputs<'a> {
    /// Appends `"a":{…},` where the field has arguments. Returns the limit among them.
    pub(crate) fn arguments(
        &mut self,
        definition: &'a FieldDefinition,
        given: &'a [Node<Argument>],
    ) -> Option<u64> {
        let mut limit = None;
        let mut first = true;
        for known in &definition.arguments {
            let Some(value) = self.argument(known, given) else { continue };
            self.shape.extend_from_slice(if first { b"\"a\":{" } else { b"," });
            first = false;
            self.name(&known.name);
            if matches!(known.name.as_str(), "limit" | "first" | "last") {
                limit = limit.or_else(|| number(value));
            }
            self.value(&known.ty, value);
        }
        if !first {
            self.shape.extend_from_slice(b"},");
        }
        limit
    }

    fn argument(&self, known: &'a InputValueDefinition, given: &'a [Node<Argument>]) -> Option<Input<'a>> {
        let given = given.iter().find(|argument| argument.name == known.name);
        given
            .and_then(|argument| self.resolve(&argument.value))
            .or_else(|| known.default_value.as_ref().map(|value| Input::Literal(value)))
    }

    /// The value itself, or the variable's; none where that is absent.
    fn resolve(&self, value: &'a Value) -> Option<Input<'a>> {
        match value {
            Value::Variable(name) => self.variables.get(name.as_str()).map(Input::Json),
            literal => Some(Input::Literal(literal)),
        }
    }

    fn name(&mut self, name: &Name) {
        self.shape.push(b'"');
        self.shape.extend_from_slice(name.as_bytes());
        self.shape.extend_from_slice(b"\":");
    }

    fn value(&mut self, ty: &'a Type, value: Input<'a>) {
        if is_null(value) {
            self.shape.extend_from_slice(b"null");
            return;
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) => self.list(item, value),
            Type::Named(name) | Type::NonNullNamed(name) => match self.graph.schema.types.get(name) {
                Some(ExtendedType::InputObject(object)) => {
                    let fields = object.fields.values().map(|field| &***field);
                    self.object(fields.collect(), value);
                }
                Some(ExtendedType::Enum(_)) => self.member(value),
                _ => self.scalar(name, value),
            },
        }
    }

    fn list(&mut self, item: &'a Type, value: Input<'a>) {
        let items = self.items(value);
        let scalar = match item {
            Type::Named(name) | Type::NonNullNamed(name) if self.is_bound(name) => Some(name),
            _ => None,
        };
        if let Some(name) = scalar.filter(|_| !items.iter().any(|item| is_null(*item))) {
            return self.scalars(name, &items);
        }
        self.shape.push(b'[');
        for (index, one) in items.into_iter().enumerate() {
            if index > 0 {
                self.shape.push(b',');
            }
            self.value(item, one);
        }
        self.shape.push(b']');
    }

    /// Items of a list; anything else is a list of one. An absent variable in it is null.
    fn items(&self, value: Input<'a>) -> Vec<Input<'a>> {
        match value {
            Input::Literal(Value::List(items)) => {
                items.iter().map(|item| self.resolve(item).unwrap_or(Input::Literal(&Value::Null))).collect()
            }
            Input::Json(JsonValue::Array(items)) => items.iter().map(Input::Json).collect(),
            single => vec![single],
        }
    }

    /// Whether values of a type are bound, not part of the shape.
    fn is_bound(&self, name: &str) -> bool {
        name != "Boolean"
            && name != CURSOR
            && matches!(self.graph.schema.types.get(name), Some(ExtendedType::Scalar(_)))
    }

    fn object(&mut self, fields: Vec<&'a InputValueDefinition>, value: Input<'a>) {
        let mut given: Vec<(&InputValueDefinition, Input<'a>)> = Vec::with_capacity(fields.len().min(8));
        match value {
            Input::Literal(Value::Object(entries)) => {
                for (name, value) in entries {
                    let field = fields.iter().find(|field| field.name == *name);
                    given.extend(field.and_then(|field| Some((*field, self.resolve(value)?))));
                }
            }
            Input::Json(JsonValue::Object(entries)) => {
                for (name, value) in entries {
                    let field = fields.iter().find(|field| field.name == name.as_str());
                    given.extend(field.map(|field| (*field, Input::Json(value))));
                }
            }
            _ => {}
        }
        for field in fields {
            if let Some(default) = &field.default_value
                && !given.iter().any(|(known, _)| known.name == field.name)
            {
                given.push((field, Input::Literal(default)));
            }
        }
        self.shape.push(b'{');
        for (index, (field, value)) in given.into_iter().enumerate() {
            if index > 0 {
                self.shape.push(b',');
            }
            self.name(&field.name);
            self.value(&field.ty, value);
        }
        self.shape.push(b'}');
    }

    fn member(&mut self, value: Input<'_>) {
        let name = match value {
            Input::Literal(Value::Enum(name)) => name.as_str(),
            Input::Json(JsonValue::String(name)) => name.as_str(),
            _ => "",
        };
        text::write(&mut self.shape, name);
    }

    fn scalar(&mut self, name: &Name, value: Input<'a>) {
        match (name.as_str(), value) {
            ("Boolean", Input::Literal(Value::Boolean(value))) => {
                plectrum_json::write_bool(&mut self.shape, *value)
            }
            ("Boolean", Input::Json(JsonValue::Bool(value))) => {
                plectrum_json::write_bool(&mut self.shape, *value)
            }
            (CURSOR, value) => self.cursor(value),
            ("ID", value) => {
                let (of, key) = self.id(value);
                self.placeholder("ID", of.as_deref(), key);
            }
            (name, value) => {
                let mut json = Vec::new();
                self.json(value, &mut json);
                self.placeholder(name, None, json);
            }
        }
    }

    fn scalars(&mut self, name: &Name, items: &[Input<'a>]) {
        let mut json = vec![b'['];
        let mut types: Vec<Option<String>> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            if name == "ID" {
                let (of, key) = self.id(*item);
                types.push(of);
                json.extend_from_slice(&key);
            } else {
                self.json(*item, &mut json);
            }
        }
        json.push(b']');
        let of = types.first().cloned().flatten();
        if types.iter().any(|other| *other != of) {
            self.refuse("a list of ids must be of one type");
        }
        self.placeholder(&format!("[{name}]"), of.as_deref(), json);
    }

    fn placeholder(&mut self, ty: &str, of: Option<&str>, json: Vec<u8>) {
        self.shape.extend_from_slice(format!("{{\"$\":{},\"t\":\"{ty}\"", self.values.len()).as_bytes());
        if let Some(of) = of {
            self.shape.extend_from_slice(b",\"of\":");
            text::write(&mut self.shape, of);
        }
        self.shape.push(b'}');
        self.values.push(json.into_boxed_slice());
    }

    /// An id's type, where it names one, and its key as JSON text.
    fn id(&self, value: Input<'_>) -> (Option<String>, Vec<u8>) {
        let id = match value {
            Input::Literal(Value::String(text)) => text.as_str(),
            Input::Literal(Value::Int(digits)) => digits.as_str(),
            Input::Json(JsonValue::String(text)) => text.as_str(),
            Input::Json(other) => return (None, quoted(&other.to_string())),
            Input::Literal(_) => "",
        };
        if self.graph.global_ids
            && let Ok(bytes) = STANDARD.decode(id)
            && let Ok(decoded) = std::str::from_utf8(&bytes)
            && let Some((of, key)) = decoded.split_once(':')
            && self.graph.schema.get_object(of).is_some()
        {
            return (Some(of.to_owned()), quoted(key));
        }
        (None, quoted(id))
    }

    /// A cursor is the JSON array of the ordering's values, in base64.
    fn cursor(&mut self, value: Input<'_>) {
        let encoded = match value {
            Input::Literal(Value::String(text)) => text.as_str(),
            Input::Json(JsonValue::String(text)) => text.as_str(),
            _ => "",
        };
        let decoded = STANDARD.decode(encoded).or_else(|_| URL_SAFE.decode(encoded)).ok();
        let values: Option<Vec<serde_json::Value>> =
            decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(values) =
            values.filter(|values| values.iter().all(|value| !value.is_object() && !value.is_array()))
        else {
            self.refuse(&format!("{encoded:?} is not a cursor of this list"));
            self.shape.extend_from_slice(b"null");
            return;
        };
        self.shape.extend_from_slice(b"{\"cursor\":[");
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.shape.push(b',');
            }
            match value {
                serde_json::Value::Null | serde_json::Value::Bool(_) => {
                    self.shape.extend_from_slice(value.to_string().as_bytes())
                }
                value => self.placeholder(CURSOR, None, value.to_string().into_bytes()),
            }
        }
        self.shape.extend_from_slice(b"]}");
    }

    fn refuse(&mut self, why: &str) {
        self.refused.get_or_insert_with(|| why.to_owned());
    }

    /// Appends a value of a scalar as JSON; literals of custom scalars may be of any form.
    fn json(&self, value: Input<'a>, out: &mut Vec<u8>) {
        match value {
            Input::Json(JsonValue::String(value)) => text::write(out, value.as_str()),
            Input::Json(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Input::Literal(literal) => self.literal(literal, out),
        }
    }

    fn literal(&self, literal: &'a ast::Value, out: &mut Vec<u8>) {
        match literal {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Boolean(value) => plectrum_json::write_bool(out, *value),
            Value::Int(digits) => out.extend_from_slice(digits.as_str().as_bytes()),
            Value::Float(digits) => out.extend_from_slice(digits.as_str().as_bytes()),
            Value::String(value) => text::write(out, value),
            Value::Enum(name) => text::write(out, name),
            Value::Variable(_) => match self.resolve(literal) {
                Some(value) => self.json(value, out),
                None => out.extend_from_slice(b"null"),
            },
            Value::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.literal(item, out);
                }
                out.push(b']');
            }
            Value::Object(entries) => {
                out.push(b'{');
                for (index, (name, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    text::write(out, name);
                    out.push(b':');
                    self.literal(value, out);
                }
                out.push(b'}');
            }
        }
    }
}

/// An id that names its type: what [`Graph::parse`] with `global_ids` reads.
#[must_use]
pub fn global_id(of: &str, key: &str) -> String {
    STANDARD.encode(format!("{of}:{key}"))
}

fn is_null(value: Input<'_>) -> bool {
    matches!(value, Input::Literal(Value::Null) | Input::Json(JsonValue::Null))
}

fn number(value: Input<'_>) -> Option<u64> {
    match value {
        Input::Literal(Value::Int(digits)) => digits.as_str().parse().ok(),
        Input::Json(value) => value.as_u64(),
        Input::Literal(_) => None,
    }
}

fn quoted(value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 2);
    text::write(&mut out, value);
    out
}

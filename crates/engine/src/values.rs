//! Validated values → what a statement binds.

use std::collections::HashMap;
use std::fmt::Write as _;

use plectrum_db::value::Value;
use plectrum_schema::error::Error;
use plectrum_schema::node::{Container, Node, Scalar, Struct};
use plectrum_schema::sink::{Date, Sink, Time};

use crate::blueprint::Route;

/// The enums of a route's parameters: what each member is to the database.
#[derive(Debug, Default)]
pub(crate) struct Enums(HashMap<u32, Vec<Value>>);

impl Enums {
    /// Collects them from the parameters' types.
    pub(crate) fn of(route: &Route) -> Self {
        let mut found = Self::default();
        for schema in route.parameters.iter().filter_map(|parameter| parameter.schema.as_ref()) {
            found.collect(&schema.root);
        }
        found
    }

    fn collect(&mut self, node: &Node) {
        match node {
            Node::Enum { class, values } => {
                self.0.insert(*class, values.scalars().map(value_of).collect());
            }
            Node::Optional { inner } => self.collect(inner),
            Node::List(list) => self.collect(&list.item),
            _ => {}
        }
    }
}

fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Int(*value),
        Scalar::Float(value) => Value::Float(*value),
        Scalar::Str(text) => Value::Text(text.clone()),
        Scalar::Null => Value::Null,
    }
}

/// Builds database arguments. Objects have no database form and are refused when the route is registered.
pub(crate) struct ValueSink<'a> {
    enums: &'a Enums,
}

impl<'a> ValueSink<'a> {
    pub(crate) fn new(enums: &'a Enums) -> Self {
        Self { enums }
    }
}

impl Sink for ValueSink<'_> {
    type Value = Value;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(&mut self, value: i64) -> Value {
        Value::Int(value)
    }

    fn big_int(&mut self, digits: &str) -> Value {
        Value::Text(digits.to_owned())
    }

    fn float(&mut self, value: f64) -> Value {
        Value::Float(value)
    }

    fn str(&mut self, value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    fn bytes(&mut self, value: &[u8]) -> Value {
        Value::Bytes(value.to_vec())
    }

    fn decimal(&mut self, literal: &str) -> Value {
        Value::Text(literal.to_owned())
    }

    fn uuid(&mut self, value: [u8; 16]) -> Value {
        let mut text = Vec::with_capacity(38);
        plectrum_json::uuid::write(&mut text, &value);
        Value::Text(text.iter().filter(|byte| **byte != b'"').map(|byte| char::from(*byte)).collect())
    }

    fn date(&mut self, value: Date) -> Value {
        Value::Text(date_text(value))
    }

    fn time(&mut self, value: Time) -> Value {
        Value::Text(time_text(value))
    }

    fn datetime(&mut self, date: Date, time: Time) -> Value {
        Value::Text(format!("{} {}", date_text(date), time_text(time)))
    }

    fn duration(&mut self, microseconds: i128) -> Value {
        Value::Text(format!("{microseconds} microseconds"))
    }

    fn enum_member(&mut self, class: u32, index: usize) -> Value {
        self.enums.0.get(&class).and_then(|members| members.get(index)).cloned().unwrap_or(Value::Null)
    }

    fn list(&mut self, _container: Container, items: impl ExactSizeIterator<Item = Value>) -> Value {
        Value::Array(items.collect())
    }

    fn dict(&mut self, _entries: Vec<(Value, Value)>) -> Value {
        Value::Null
    }

    fn structure(&mut self, of: &Struct, _slots: &mut [Option<Value>]) -> Result<Value, Vec<Error>> {
        Err(vec![Error::new("type_error", format!("{} cannot be bound to a statement", of.name))])
    }

    fn foreign(&mut self, _class: u32, _raw: &[u8]) -> Result<Value, Vec<Error>> {
        Err(vec![Error::new("type_error", "a model cannot be bound to a statement")])
    }
}

fn date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

fn time_text(time: Time) -> String {
    let mut text = format!("{:02}:{:02}:{:02}.{:06}", time.hour, time.minute, time.second, time.microsecond);
    if let Some(offset) = time.offset {
        let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
        // Writing to a String cannot fail.
        let _ = write!(text, "{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    text
}

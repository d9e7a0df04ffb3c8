//! Validated values → what a statement binds.

use std::fmt::Write as _;

use plectrum_db::value::Value;
use plectrum_schema::error::Error;
use plectrum_schema::node::{Container, Struct};
use plectrum_schema::sink::{Date, Sink, Time};

/// Builds database arguments. Objects have no database form and are refused when the route is registered.
pub(crate) struct ValueSink;

impl Sink for ValueSink {
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

    fn enum_member(&mut self, _class: u32, _index: usize) -> Value {
        Value::Null
    }

    fn list(&mut self, _container: Container, items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn dict(&mut self, _entries: Vec<(Value, Value)>) -> Value {
        Value::Null
    }

    fn structure(&mut self, of: &Struct, _slots: Vec<Option<Value>>) -> Result<Value, Vec<Error>> {
        Err(vec![Error::custom("type_error", format!("{} cannot be bound to a statement", of.name))])
    }

    fn foreign(&mut self, _class: u32, _raw: &[u8]) -> Result<Value, Vec<Error>> {
        Err(vec![Error::custom("type_error", "a model cannot be bound to a statement".to_owned())])
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

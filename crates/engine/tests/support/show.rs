//! A sink that builds JSON; what JSON has no type for is text.

use plectrum_schema::error::Error;
use plectrum_schema::node::{Container, Struct};
use plectrum_schema::sink::{Date, Sink, Time};
use serde_json::{Map, Value, json};

pub struct Show;

impl Sink for Show {
    type Value = Value;

    fn null(&mut self) -> Value {
        Value::Null
    }
    fn bool(&mut self, value: bool) -> Value {
        value.into()
    }
    fn int(&mut self, value: i64) -> Value {
        value.into()
    }
    fn big_int(&mut self, digits: &str) -> Value {
        digits.into()
    }
    fn float(&mut self, value: f64) -> Value {
        value.into()
    }
    fn str(&mut self, value: &str) -> Value {
        value.into()
    }
    fn bytes(&mut self, value: &[u8]) -> Value {
        value.into()
    }
    fn decimal(&mut self, literal: &str) -> Value {
        literal.into()
    }
    fn uuid(&mut self, value: [u8; 16]) -> Value {
        format!("{:032x}", u128::from_be_bytes(value)).into()
    }
    fn date(&mut self, value: Date) -> Value {
        format!("{}-{}-{}", value.year, value.month, value.day).into()
    }
    fn time(&mut self, value: Time) -> Value {
        format!("{}:{}:{}", value.hour, value.minute, value.second).into()
    }
    fn datetime(&mut self, date: Date, time: Time) -> Value {
        json!([self.date(date), self.time(time)])
    }
    fn duration(&mut self, microseconds: i128) -> Value {
        microseconds.to_string().into()
    }
    fn enum_member(&mut self, class: u32, index: usize) -> Value {
        json!({"enum": class, "member": index})
    }
    fn list(&mut self, _container: Container, items: impl ExactSizeIterator<Item = Value>) -> Value {
        items.collect()
    }
    fn dict(&mut self, entries: Vec<(Value, Value)>) -> Value {
        entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect::<Map<_, _>>().into()
    }
    fn structure(&mut self, of: &Struct, slots: &mut [Option<Value>]) -> Result<Value, Vec<Error>> {
        let names = of.fields.iter().map(|field| field.name.clone());
        Ok(names
            .zip(slots)
            .map(|(name, slot)| (name, slot.take().unwrap_or_else(|| "absent".into())))
            .collect::<Map<_, _>>()
            .into())
    }
    fn foreign(&mut self, _class: u32, raw: &[u8]) -> Result<Value, Vec<Error>> {
        Ok(serde_json::from_slice(raw).unwrap())
    }
}

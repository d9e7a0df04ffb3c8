//! A sink that shows what it was given, and short ways to validate.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use plectrum_schema::node::{Container, Struct};
use plectrum_schema::sink::{Date, Sink, Time};
use plectrum_schema::{Error, Schema, validate_json, validate_text, validate_texts, write_errors};
use serde_json::{Map, Value, json};

/// Builds `serde_json` values. What JSON has no type for is an object of one member that names the type.
#[derive(Default)]
pub struct Show {
    /// Calls of any method: what was built, and dropped or not.
    pub calls: usize,
}

impl Show {
    fn tagged(&mut self, kind: &str, value: impl Into<Value>) -> Value {
        self.calls += 1;
        json!({ kind: value.into() })
    }

    fn plain(&mut self, value: impl Into<Value>) -> Value {
        self.calls += 1;
        value.into()
    }
}

fn time_text(time: Time) -> String {
    let Time { hour, minute, second, microsecond, offset } = time;
    let offset = offset.map_or(String::new(), |seconds| format!("{seconds:+}"));
    format!("{hour:02}:{minute:02}:{second:02}.{microsecond:06}{offset}")
}

fn date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

impl Sink for Show {
    type Value = Value;

    fn null(&mut self) -> Value {
        self.plain(Value::Null)
    }
    fn bool(&mut self, value: bool) -> Value {
        self.plain(value)
    }
    fn int(&mut self, value: i64) -> Value {
        self.plain(value)
    }
    fn big_int(&mut self, digits: &str) -> Value {
        assert!(digits.parse::<i64>().is_err(), "{digits} is not big");
        self.plain(serde_json::from_str::<Value>(digits).unwrap())
    }
    fn float(&mut self, value: f64) -> Value {
        assert!(value.is_finite());
        self.plain(value)
    }
    fn str(&mut self, value: &str) -> Value {
        self.plain(value)
    }
    fn bytes(&mut self, value: &[u8]) -> Value {
        self.tagged("bytes", value)
    }
    fn decimal(&mut self, literal: &str) -> Value {
        self.tagged("decimal", literal)
    }
    fn uuid(&mut self, value: [u8; 16]) -> Value {
        self.tagged("uuid", format!("{:032x}", u128::from_be_bytes(value)))
    }
    fn date(&mut self, value: Date) -> Value {
        self.tagged("date", date_text(value))
    }
    fn time(&mut self, value: Time) -> Value {
        self.tagged("time", time_text(value))
    }
    fn datetime(&mut self, date: Date, time: Time) -> Value {
        self.tagged("datetime", format!("{} {}", date_text(date), time_text(time)))
    }
    fn duration(&mut self, microseconds: i128) -> Value {
        self.tagged("duration", microseconds.to_string())
    }
    fn enum_member(&mut self, class: u32, index: usize) -> Value {
        self.tagged("member", vec![class as usize, index])
    }
    fn list(&mut self, container: Container, items: impl ExactSizeIterator<Item = Value>) -> Value {
        let items: Vec<Value> = items.collect();
        match container {
            Container::List => self.plain(items),
            Container::Set => self.tagged("set", items),
            Container::FrozenSet => self.tagged("frozenset", items),
            Container::Tuple => self.tagged("tuple", items),
        }
    }
    fn dict(&mut self, entries: Vec<(Value, Value)>) -> Value {
        let text = |key: Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        self.plain(entries.into_iter().map(|(key, value)| (text(key), value)).collect::<Map<_, _>>())
    }
    fn structure(&mut self, of: &Struct, slots: &mut [Option<Value>]) -> Result<Value, Vec<Error>> {
        assert_eq!(slots.len(), of.fields.len());
        let named = of.fields.iter().zip(slots);
        let members: Map<_, _> =
            named.filter_map(|(field, slot)| Some((field.name.clone(), slot.take()?))).collect();
        if members.get("refuse") == Some(&json!(true)) {
            let mut error = Error::new("value_error", "Refused by its class");
            error.loc = vec!["inner".to_owned(), "refuse".to_owned()]
                .into_iter()
                .map(|step| plectrum_schema::Step::Key(step.into()))
                .collect();
            return Err(vec![error]);
        }
        Ok(self.tagged(&of.name, members))
    }
    fn foreign(&mut self, class: u32, raw: &[u8]) -> Result<Value, Vec<Error>> {
        let raw = std::str::from_utf8(raw).unwrap();
        if raw.contains("bad") {
            return Err(vec![Error::new("foreign", "Refused elsewhere")]);
        }
        Ok(self.tagged("foreign", json!([class, raw])))
    }
}

pub fn schema(description: &Value) -> Schema {
    Schema::from_json(&description.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// A schema of a root alone.
pub fn root(node: Value) -> Schema {
    schema(&json!({ "root": node }))
}

pub fn from_json(schema: &Schema, input: impl AsRef<[u8]>) -> Result<Value, Value> {
    validate_json(schema, input.as_ref(), &mut Show::default()).map_err(|errors| told(&errors))
}

pub fn from_text(schema: &Schema, input: &str) -> Result<Value, Value> {
    validate_text(schema, input, &mut Show::default()).map_err(|errors| told(&errors))
}

pub fn from_texts(schema: &Schema, input: &[&str]) -> Result<Value, Value> {
    validate_texts(schema, input, &mut Show::default()).map_err(|errors| told(&errors))
}

/// Errors as an API user sees them.
pub fn told(errors: &[Error]) -> Value {
    assert!(!errors.is_empty());
    let mut out = Vec::new();
    write_errors(&mut out, errors, &[]);
    serde_json::from_slice(&out).unwrap()
}

/// One error, as an API user sees it.
pub fn error(loc: Value, code: &str, message: &str) -> Value {
    json!({"loc": loc, "type": code, "msg": message})
}

/// The answer with one error at the root.
pub fn refused(code: &str, message: &str) -> Result<Value, Value> {
    Err(json!([error(json!([]), code, message)]))
}

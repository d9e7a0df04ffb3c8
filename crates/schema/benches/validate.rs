//! Nanoseconds per request body, beside `serde_json` into hand-written structs: `cargo bench -p plectrum-schema`.
#![allow(clippy::unwrap_used)]

use plectrum_schema::node::{Container, Struct};
use plectrum_schema::sink::{Date, Sink, Time};
use plectrum_schema::{Error, Schema, validate_json, validate_text};
use std::hint::black_box;
use std::time::Instant;

/// Many and short, so that some are left alone by whatever else the machine does.
const ROUNDS: u32 = 1_500;
const CALLS: u32 = 500;

/// Builds nothing: what remains is the cost of validation itself.
struct Nothing;

impl Sink for Nothing {
    type Value = usize;

    fn null(&mut self) -> usize {
        0
    }
    fn bool(&mut self, value: bool) -> usize {
        usize::from(value)
    }
    fn int(&mut self, value: i64) -> usize {
        value as usize
    }
    fn big_int(&mut self, digits: &str) -> usize {
        digits.len()
    }
    fn float(&mut self, value: f64) -> usize {
        value as usize
    }
    fn str(&mut self, value: &str) -> usize {
        value.len()
    }
    fn bytes(&mut self, value: &[u8]) -> usize {
        value.len()
    }
    fn decimal(&mut self, literal: &str) -> usize {
        literal.len()
    }
    fn uuid(&mut self, value: [u8; 16]) -> usize {
        usize::from(value[0])
    }
    fn date(&mut self, value: Date) -> usize {
        usize::from(value.day)
    }
    fn time(&mut self, value: Time) -> usize {
        usize::from(value.hour)
    }
    fn datetime(&mut self, date: Date, time: Time) -> usize {
        usize::from(date.day) + usize::from(time.hour)
    }
    fn duration(&mut self, microseconds: i128) -> usize {
        microseconds as usize
    }
    fn enum_member(&mut self, _class: u32, index: usize) -> usize {
        index
    }
    fn list(&mut self, _container: Container, items: impl ExactSizeIterator<Item = usize>) -> usize {
        items.len()
    }
    fn dict(&mut self, entries: Vec<(usize, usize)>) -> usize {
        entries.len()
    }
    fn structure(&mut self, _of: &Struct, slots: &mut [Option<usize>]) -> Result<usize, Vec<Error>> {
        Ok(slots.len())
    }
    fn foreign(&mut self, _class: u32, raw: &[u8]) -> Result<usize, Vec<Error>> {
        Ok(raw.len())
    }
}

const PERSON: &str = r#"{"root":{"type":"struct","name":"Person","class":0,"fields":[
    {"name":"name","node":{"type":"str","max_length":100}},
    {"name":"email","node":{"type":"str","max_length":100}},
    {"name":"age","node":{"type":"int","ge":0,"le":150}},
    {"name":"tags","node":{"type":"list","item":{"type":"str"}}},
    {"name":"address","node":{"type":"struct","name":"Address","class":1,"fields":[
        {"name":"street","node":{"type":"str","max_length":100}},
        {"name":"city","node":{"type":"str","max_length":60}},
        {"name":"zip","node":{"type":"str","max_length":10}}]}}]}}"#;

const BODY: &str = r#"{"name":"Ada Lovelace","email":"ada@example.org","age":36,"tags":["math","poetry","engines"],
    "address":{"street":"12 St James's Square","city":"London","zip":"SW1Y 4JH"}}"#;

/// Best of several rounds, in nanoseconds per call.
fn best<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut round = |_| {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(call());
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..ROUNDS).map(&mut round).fold(f64::INFINITY, f64::min)
}

fn main() {
    let schema = Schema::from_json(PERSON).unwrap();
    let body = BODY.as_bytes();
    let ours = best(|| validate_json(&schema, black_box(body), &mut Nothing).unwrap());
    let any = Schema::any();
    let tree = best(|| validate_json(&any, black_box(body), &mut Nothing).unwrap());
    let peer = best(|| serde_json::from_slice::<serde_json::Value>(black_box(body)).unwrap());
    println!("person            {ours:7.1} ns");
    println!("person as any     {tree:7.1} ns");
    println!("serde_json::Value {peer:7.1} ns");
    let id = Schema::from_json(r#"{"root":{"type":"int"}}"#).unwrap();
    let text = best(|| validate_text(&id, black_box("48213"), &mut Nothing).unwrap());
    println!("int parameter     {text:7.1} ns");
}

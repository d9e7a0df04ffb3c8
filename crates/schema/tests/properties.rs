//! Properties that hold for all input: the same verdict as `serde_json`, the same value back, and never a panic.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Show, from_json, from_text, root, schema};
use plectrum_schema::{Schema, validate_json};
use proptest::prelude::*;
use serde_json::{Value, json};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// JSON values of every kind. Floats stay in the range that both readers agree on to the last bit.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,8}", inner), 0..6).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// A schema with one of everything.
fn everything() -> Schema {
    let fields = json!([
        {"name": "name", "node": {"type": "str", "min_length": 1, "max_length": 40, "pattern": "\\w", "strip": true}},
        {"name": "age", "node": {"type": "int", "ge": 0, "lt": 150, "multiple_of": 1}},
        {"name": "price", "node": {"type": "decimal", "max_digits": 9, "decimal_places": 2, "gt": 0}},
        {"name": "ratio", "node": {"type": "float", "le": 1.5}},
        {"name": "id", "node": {"type": "uuid"}},
        {"name": "day", "node": {"type": "date"}},
        {"name": "at", "node": {"type": "datetime"}},
        {"name": "time", "node": {"type": "time"}},
        {"name": "took", "node": {"type": "duration"}},
        {"name": "data", "node": {"type": "bytes", "max_length": 10}},
        {"name": "kind", "node": {"type": "enum", "class": 1, "values": ["a", 1]}},
        {"name": "tags", "node": {"type": "list", "item": {"type": "str"}, "container": "set", "max_length": 3}},
        {"name": "pair", "node": {"type": "tuple", "items": [{"type": "int"}, {"type": "bool"}]}},
        {"name": "map", "node": {"type": "dict", "key": {"type": "int"}, "value": {"type": "optional", "inner":
            {"type": "reference", "index": 0}}}},
        {"name": "either", "required": false, "node": {"type": "union", "options": [{"type": "int"}, {"type": "list",
            "item": {"type": "reference", "index": 0}}, {"type": "date"}, {"type": "literal", "values": ["x", null]}]}},
        {"name": "raw", "node": {"type": "foreign", "class": 2}},
        {"name": "any", "node": {"type": "any"}},
    ]);
    let definition =
        json!({"type": "struct", "name": "Everything", "class": 0, "fields": fields, "extra": "forbid"});
    schema(&json!({"root": {"type": "reference", "index": 0}, "definitions": [definition]}))
}

fn valid() -> String {
    let inner = json!({
        "name": " Zoë ", "age": 3.0, "price": "12.50", "ratio": -1e-5, "id": "12345678-1234-5678-1234-567812345678",
        "day": "2024-02-29", "at": "2024-02-29T12:00:00.5+05:30", "time": "23:59:59Z", "took": "-1 23:59:59",
        "data": "Zm9v", "kind": "a", "tags": ["x", "\u{2028}\"\\"], "pair": [-1, true], "map": {"7": null},
        "raw": {"ok": [1, 2.5, "é"]}, "any": [{}, [], null, 123_456_789_012_345_678_u64],
    });
    let mut outer = inner.clone();
    outer["map"] = json!({"1": inner});
    outer["either"] = json!([inner]);
    outer.to_string()
}

#[test]
fn the_mutated_document_is_valid_to_begin_with() {
    assert!(from_json(&everything(), valid()).is_ok(), "{:?}", from_json(&everything(), valid()));
}

/// Errors are those of `serde_json` wherever its own limits (nesting, exponents) play no part.
fn is_json(input: &[u8]) -> bool {
    serde_json::from_slice::<Value>(input).is_ok()
}

proptest! {
    #![proptest_config(config(2048))]

    #[test]
    fn any_builds_what_serde_json_builds(value in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let schema = Schema::any();
        prop_assert_eq!(from_json(&schema, &text), Ok(serde_json::from_str::<Value>(&text).unwrap()));
    }

    #[test]
    fn soup_is_json_for_both_or_neither(
        input in prop::collection::vec(prop::sample::select(&b"{}[]\",:\\u0019-+.eEtruefalsn \xC3\xA9\xE2\x80\xA8\xFFd8"[..]), 0..24)
    ) {
        match from_json(&root(json!({"type": "list", "item": {"type": "any"}})), &input) {
            Ok(_) => prop_assert!(is_json(&input)),
            Err(errors) => {
                let code = errors[0]["type"].as_str().unwrap();
                prop_assert_eq!(code == "json_invalid", !is_json(&input) && code != "finite_number", "{}", errors);
            }
        }
    }

    #[test]
    fn text_never_panics(input in any::<String>(), kind in prop::sample::select(&[
        "int", "float", "decimal", "bool", "uuid", "date", "time", "datetime", "duration", "bytes", "str", "null",
    ][..])) {
        let _ = from_text(&root(json!({"type": kind})), &input);
    }

    #[test]
    fn punctuated_digits_never_panic(input in "[-+0-9:. TZWPDHMSe,_day]{0,24}", kind in prop::sample::select(&[
        "int", "float", "decimal", "date", "time", "datetime", "duration",
    ][..])) {
        let _ = from_text(&root(json!({"type": kind})), &input);
    }

    #[test]
    fn integers_of_any_size_come_back(digits in "-?[1-9][0-9]{0,60}") {
        let expected: Value = serde_json::from_str(&digits).unwrap();
        prop_assert_eq!(from_json(&root(json!({"type": "int"})), &digits), Ok(expected.clone()));
        prop_assert_eq!(from_text(&root(json!({"type": "int"})), &digits), Ok(expected));
    }
}

/// A linear congruential generator (Knuth's MMIX): the same mutations on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const TOKENS: [&[u8]; 12] =
        [b"{", b"}", b"[", b"]", b"\"", b",", b":", b"null", b"1e999", b"\\ud800", b"-", b"\xFF"];
    let at = random.below(bytes.len());
    match random.below(5) {
        0 => drop(bytes.remove(at)),
        1 => bytes[at] = random.below(256) as u8,
        2 => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len())].iter().copied())),
        3 => bytes.truncate(at.max(1)),
        _ => {
            let end = (at + random.below(20)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            drop(bytes.splice(to..to, piece));
        }
    }
}

#[test]
fn mutated_documents_never_panic_and_agree_on_syntax() {
    let (schema, valid) = (everything(), valid().into_bytes());
    let mut random = Random(1);
    for _ in 0..30_000 {
        let mut input = valid.clone();
        for _ in 0..=random.below(4) {
            mutate(&mut input, &mut random);
            if input.is_empty() {
                break;
            }
        }
        if let Err(errors) = validate_json(&schema, &input, &mut Show::default()) {
            assert!(!errors.is_empty());
            let invalid = errors[0].code == "json_invalid";
            assert!(!invalid || errors.len() == 1);
            // The one known difference: an exponent that `serde_json` cannot hold is syntax to neither.
            assert_eq!(invalid, !is_json(&input), "{}", String::from_utf8_lossy(&input));
        } else {
            assert!(is_json(&input));
        }
    }
}

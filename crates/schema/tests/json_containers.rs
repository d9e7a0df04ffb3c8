//! Arrays and objects in JSON: nesting, paths of errors, unions, recursion.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Show, error, from_json, refused, root, schema, told};
use plectrum_schema::json::{MAX_DEPTH, MAX_ERRORS};
use plectrum_schema::{Schema, validate_json};
use serde_json::{Value, json};

fn field(name: &str, node: Value) -> Value {
    json!({"name": name, "node": node})
}

fn structure(name: &str, class: u32, fields: Vec<Value>) -> Value {
    json!({"type": "struct", "name": name, "class": class, "fields": fields})
}

fn person() -> Schema {
    let mut node = structure(
        "Person",
        1,
        vec![
            field("name", json!({"type": "str", "max_length": 5})),
            field("age", json!({"type": "int", "ge": 0})),
            json!({"name": "tags", "node": {"type": "list", "item": {"type": "str"}}, "required": false}),
            json!({"name": "mail", "alias": "e-mail", "node": {"type": "optional", "inner": {"type": "str"}}}),
        ],
    );
    node["extra"] = json!("forbid");
    root(node)
}

#[test]
fn structs_fill_slots_in_any_order() {
    let schema = person();
    let expected = json!({"Person": {"name": "Ada", "age": 36, "tags": ["x"], "mail": null}});
    for input in [
        r#"{"name":"Ada","age":36,"tags":["x"],"e-mail":null}"#,
        r#" { "e-mail" : null , "tags" : [ "x" ] , "age" : 36.0 , "name" : "\u0041da" } "#,
    ] {
        assert_eq!(from_json(&schema, input), Ok(expected.clone()));
    }
    let without = from_json(&schema, r#"{"name":"Ada","age":36,"e-mail":"a@b"}"#);
    assert_eq!(without, Ok(json!({"Person": {"name": "Ada", "age": 36, "mail": "a@b"}})));
}

#[test]
fn every_error_is_told_with_its_path() {
    let input = r#"{"name":"Charles","nick":{"deep":[1]},"tags":["ok",1,null],"mail":1,"e-m\u0061il":false}"#;
    let expected = json!([
        error(json!(["name"]), "string_too_long", "Input should have at most 5 characters"),
        error(json!(["nick"]), "extra_forbidden", "Extra inputs are not permitted"),
        error(json!(["tags", 1]), "string_type", "Input should be a valid string"),
        error(json!(["tags", 2]), "string_type", "Input should be a valid string"),
        error(json!(["mail"]), "extra_forbidden", "Extra inputs are not permitted"),
        error(json!(["e-mail"]), "string_type", "Input should be a valid string"),
        error(json!(["age"]), "missing", "Field required"),
    ]);
    assert_eq!(from_json(&person(), input), Err(expected));
    assert_eq!(from_json(&person(), "[]"), refused("model_type", "Input should be a valid object"));
}

#[test]
fn undeclared_members_are_dropped_by_default() {
    let schema = root(structure("S", 0, vec![field("a", json!({"type": "int"}))]));
    assert_eq!(from_json(&schema, r#"{"b":{"c":[]},"a":1,"":null}"#), Ok(json!({"S": {"a": 1}})));
}

#[test]
fn of_repeated_keys_the_last_counts() {
    let schema =
        root(structure("S", 0, vec![field("a", json!({"type": "int"})), field("b", json!({"type": "int"}))]));
    assert_eq!(from_json(&schema, r#"{"a":1,"b":0,"a":2}"#), Ok(json!({"S": {"a": 2, "b": 0}})));
    assert_eq!(from_json(&schema, r#"{"a":"x","b":0,"a":2}"#), Ok(json!({"S": {"a": 2, "b": 0}})));
    let expected = json!([
        error(json!(["b"]), "int_type", "Input should be a valid integer"),
        error(json!(["a"]), "int_type", "Input should be a valid integer"),
    ]);
    assert_eq!(from_json(&schema, r#"{"a":1,"b":null,"a":"x"}"#), Err(expected.clone()));
    assert_eq!(from_json(&schema, r#"{"a":"y","b":null,"a":"x"}"#), Err(expected));
    let dict = root(json!({"type": "dict", "key": {"type": "str"}, "value": {"type": "any"}}));
    assert_eq!(from_json(&dict, r#"{"a":1,"a":2}"#), Ok(json!({"a": 2})));
}

#[test]
fn wide_structs_find_their_fields() {
    let fields: Vec<Value> = (0..100).map(|n| field(&format!("field_{n}"), json!({"type": "int"}))).collect();
    let schema = root(structure("Wide", 0, fields));
    let members: Vec<String> = (0..100).rev().map(|n| format!("\"field_{n}\":{n}")).collect();
    let value = from_json(&schema, format!("{{{}}}", members.join(","))).unwrap();
    assert_eq!(value["Wide"]["field_0"], 0);
    assert_eq!(value["Wide"]["field_99"], 99);
    let errors = from_json(&schema, "{\"field_50\":1,\"field_100\":1}").unwrap_err();
    assert_eq!(errors.as_array().map(Vec::len), Some(99));
}

#[test]
fn what_the_class_reports_is_placed() {
    let inner = structure("S", 0, vec![json!({"name": "refuse", "node": {"type": "bool"}})]);
    let schema = root(json!({"type": "list", "item": inner}));
    let expected = json!([error(json!([1, "inner", "refuse"]), "value_error", "Refused by its class")]);
    assert_eq!(from_json(&schema, r#"[{"refuse":false},{"refuse":true}]"#), Err(expected));
}

#[test]
fn foreign_classes_get_the_raw_text() {
    let schema = root(json!({"type": "list", "item": {"type": "foreign", "class": 3}}));
    let expected = json!([{"foreign": [3, "{ \"a\" :1}"]}, {"foreign": [3, "-1e5"]}]);
    assert_eq!(from_json(&schema, "[ { \"a\" :1} ,\n-1e5 ]"), Ok(expected));
    let expected = json!([error(json!([0]), "foreign", "Refused elsewhere")]);
    assert_eq!(from_json(&schema, "[\"bad\",1]"), Err(expected));
}

#[test]
fn sequences_know_their_container_and_length() {
    for (container, tag, code) in [
        ("set", Some("set"), "set_type"),
        ("frozenset", Some("frozenset"), "frozen_set_type"),
        ("tuple", Some("tuple"), "tuple_type"),
        ("list", None, "list_type"),
    ] {
        let schema = root(json!({"type": "list", "item": {"type": "int"}, "container": container}));
        let expected = tag.map_or(json!([1, 2]), |tag| json!({ tag: [1, 2] }));
        assert_eq!(from_json(&schema, "[1,2]"), Ok(expected));
        assert_eq!(from_json(&schema, "{}").unwrap_err()[0]["type"], code);
    }
    let schema = root(json!({"type": "list", "item": {"type": "int"}, "min_length": 1, "max_length": 2}));
    assert_eq!(from_json(&schema, "[]"), refused("too_short", "Input should have at least 1 item, not 0"));
    // What is beyond the limit is not looked into.
    assert_eq!(
        from_json(&schema, "[1,2,\"x\",{}]"),
        refused("too_long", "Input should have at most 2 items, not 4")
    );
    let expected = json!([
        error(json!([0]), "int_type", "Input should be a valid integer"),
        error(json!([]), "too_long", "Input should have at most 2 items, not 3"),
    ]);
    assert_eq!(from_json(&schema, "[null,2,3]"), Err(expected));
}

#[test]
fn tuples_have_a_type_per_position() {
    let schema = root(json!({"type": "tuple", "items": [{"type": "int"}, {"type": "str"}]}));
    assert_eq!(from_json(&schema, "[1,\"a\"]"), Ok(json!({"tuple": [1, "a"]})));
    assert_eq!(from_json(&schema, "[1]"), refused("too_short", "Input should have at least 2 items, not 1"));
    assert_eq!(
        from_json(&schema, "[1,\"a\",{}]"),
        refused("too_long", "Input should have at most 2 items, not 3")
    );
    let expected = json!([error(json!([1]), "string_type", "Input should be a valid string")]);
    assert_eq!(from_json(&schema, "[1,2]"), Err(expected));
    assert_eq!(from_json(&schema, "1"), refused("tuple_type", "Input should be a valid array"));
}

#[test]
fn dicts_check_keys_and_values() {
    let schema = root(
        json!({"type": "dict", "key": {"type": "int", "ge": 0}, "value": {"type": "bool"}, "max_length": 2}),
    );
    assert_eq!(from_json(&schema, r#"{"1":true,"2":false}"#), Ok(json!({"1": true, "2": false})));
    let expected = json!([
        error(
            json!(["a\"", "[key]"]),
            "int_parsing",
            "Input should be a valid integer, unable to parse text as an integer"
        ),
        error(json!(["-1", "[key]"]), "greater_than_equal", "Input should be greater than or equal to 0"),
        error(json!(["-1"]), "bool_type", "Input should be a valid boolean"),
    ]);
    assert_eq!(from_json(&schema, r#"{"a\"":true,"-1":null}"#), Err(expected));
    let message = "Input should have at most 2 items, not 3";
    assert_eq!(from_json(&schema, r#"{"1":true,"2":true,"3":true}"#), refused("too_long", message));
    assert_eq!(from_json(&schema, "[]"), refused("dict_type", "Input should be a valid object"));
}

#[test]
fn optional_is_null_or_the_rest() {
    let schema = root(json!({"type": "optional", "inner": {"type": "int"}}));
    assert_eq!(from_json(&schema, "null"), Ok(Value::Null));
    assert_eq!(from_json(&schema, "5"), Ok(json!(5)));
    assert_eq!(from_json(&schema, "\"\""), refused("int_type", "Input should be a valid integer"));
}

#[test]
fn unions_prefer_the_exact_type() {
    let schema = root(json!({"type": "union", "options": [
        {"type": "str"}, {"type": "float"}, {"type": "int"}, {"type": "bool"}, {"type": "null"},
    ]}));
    for (input, expected) in [
        ("1", json!(1)),
        ("1.0", json!(1.0)),
        ("1e2", json!(100.0)),
        ("\"1\"", json!("1")),
        ("true", json!(true)),
        ("null", Value::Null),
    ] {
        assert_eq!(from_json(&schema, input), Ok(expected), "{input}");
    }
    let decimals = root(json!({"type": "union", "options": [{"type": "decimal"}, {"type": "int"}]}));
    assert_eq!(from_json(&decimals, "1"), Ok(json!(1)));
    assert_eq!(from_json(&decimals, "1.0"), Ok(json!({"decimal": "1.0"})));
    let ordered = root(json!({"type": "union", "options": [{"type": "date"}, {"type": "str"}]}));
    assert_eq!(from_json(&ordered, "\"2024-01-01\""), Ok(json!({"date": "2024-01-01"})));
    assert_eq!(from_json(&ordered, "\"2024-01-32\""), Ok(json!("2024-01-32")));
}

#[test]
fn a_union_that_fits_nothing_tells_every_option() {
    let cat = structure("Cat", 0, vec![field("lives", json!({"type": "int"}))]);
    let list = json!({"type": "list", "item": {"type": "int"}});
    let schema =
        root(json!({"type": "list", "item": {"type": "union", "options": [cat, list, {"type": "uuid"}]}}));
    let expected = json!([
        error(json!([1, "Cat", "lives"]), "missing", "Field required"),
        error(json!([1, "list[int]"]), "list_type", "Input should be a valid array"),
        error(json!([1, "uuid"]), "uuid_type", "Input should be a UUID as text"),
    ]);
    assert_eq!(from_json(&schema, r#"[[1],{"life":1}]"#), Err(expected));
    // A failed option leaves nothing behind.
    assert_eq!(from_json(&schema, r#"[{"lives":9},[2]]"#), Ok(json!([{"Cat": {"lives": 9}}, [2]])));
}

fn pets() -> Schema {
    let kind = |value: Value| field("kind", json!({"type": "literal", "values": value}));
    let cat = structure("Cat", 0, vec![kind(json!(["cat", 1])), field("lives", json!({"type": "int"}))]);
    let dog = structure("Dog", 1, vec![field("good", json!({"type": "bool"})), kind(json!(["dog"]))]);
    schema(&json!({
        "definitions": [dog],
        "root": {"type": "union", "discriminator": "kind", "options": [cat, {"type": "reference", "index": 0}]},
    }))
}

#[test]
fn a_tag_chooses_the_option() {
    let schema = pets();
    assert_eq!(
        from_json(&schema, r#"{"kind":"cat","lives":9}"#),
        Ok(json!({"Cat": {"kind": "cat", "lives": 9}}))
    );
    assert_eq!(from_json(&schema, r#"{"lives":9,"kind":1}"#), Ok(json!({"Cat": {"kind": 1, "lives": 9}})));
    assert_eq!(
        from_json(&schema, r#"{"good":true,"kind":"dog"}"#),
        Ok(json!({"Dog": {"kind": "dog", "good": true}}))
    );
    let expected = json!([error(json!(["Dog", "good"]), "missing", "Field required")]);
    assert_eq!(from_json(&schema, r#"{"kind":"dog"}"#), Err(expected));
}

#[test]
fn a_tag_that_is_absent_or_unknown_is_told() {
    let schema = pets();
    let message = "Input should have the field 'kind' to tell its kind";
    assert_eq!(from_json(&schema, r#"{"lives":{"kind":"cat"}}"#), refused("union_tag_not_found", message));
    for (tag, shown) in
        [("\"cow\"", "'cow'"), ("2", "2"), ("null", "null"), ("true", "true"), ("[1]", "an array")]
    {
        let message = format!("Field 'kind' is {shown}, should be 'cat', 1 or 'dog'");
        assert_eq!(from_json(&schema, format!("{{\"kind\":{tag}}}")), refused("union_tag_invalid", &message));
    }
    assert_eq!(from_json(&schema, "[]"), refused("model_type", "Input should be a valid object"));
    assert_eq!(from_json(&schema, r#"{"kind":"cat""#).unwrap_err()[0]["type"], "json_invalid");
}

#[test]
fn references_recurse() {
    let node = structure(
        "Tree",
        0,
        vec![
            field("value", json!({"type": "int"})),
            json!({"name": "children", "required": false, "node":
                {"type": "list", "item": {"type": "reference", "index": 0}}}),
        ],
    );
    let schema = schema(&json!({"definitions": [node], "root": {"type": "reference", "index": 0}}));
    let expected = json!({"Tree": {"value": 1, "children": [{"Tree": {"value": 2}}]}});
    assert_eq!(from_json(&schema, r#"{"value":1,"children":[{"value":2}]}"#), Ok(expected));
    let expected =
        json!([error(json!(["children", 0, "children", 0, "value"]), "missing", "Field required")]);
    let input = r#"{"value":1,"children":[{"value":2,"children":[{}]}]}"#;
    assert_eq!(from_json(&schema, input), Err(expected));
}

#[test]
fn nesting_is_bounded_everywhere() {
    let depth = MAX_DEPTH as usize;
    let skipping = root(structure("S", 0, vec![]));
    let any = root(json!({"type": "any"}));
    let fits = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(from_json(&any, &fits).is_ok());
    for (schema, input) in [
        (&any, "[".repeat(depth + 1)),
        (&any, "[".repeat(1_000_000)),
        (&any, "{\"a\":".repeat(1_000_000)),
        (&skipping, format!("{{\"a\":{}", "[".repeat(1_000_000))),
        (&skipping, "[{\"a\":".repeat(1_000_000)),
    ] {
        let errors = from_json(schema, input).unwrap_err();
        assert_eq!(errors[0]["type"], "json_invalid");
        let message = errors[0]["msg"].as_str().unwrap();
        assert!(message.starts_with("Invalid JSON: nested deeper than 128 at line 1 column "), "{message}");
    }
}

/// Each level can be read as either struct, and the difference is only seen at the end: 2^depth ways.
#[test]
fn ambiguous_recursion_ends_early() {
    let next =
        json!({"name": "next", "node": {"type": "optional", "inner": {"type": "reference", "index": 2}}});
    let a = structure("A", 0, vec![next.clone(), field("a", json!({"type": "int"}))]);
    let b = structure("B", 1, vec![next, field("b", json!({"type": "int"}))]);
    let options = json!([{"type": "reference", "index": 0}, {"type": "reference", "index": 1}]);
    let schema = schema(&json!({
        "definitions": [a, b, {"type": "union", "options": options}],
        "root": {"type": "reference", "index": 2},
    }));
    let bomb = format!("{}null{}", "{\"next\":".repeat(100), "}".repeat(100));
    let message = "Input fits too many alternatives to be told apart";
    assert_eq!(from_json(&schema, bomb), refused("union_too_complex", message));
    assert!(from_json(&schema, r#"{"next":{"next":null,"b":1},"b":2}"#).is_ok());
}

#[test]
fn errors_are_told_up_to_a_number() {
    let schema = root(json!({"type": "list", "item": {"type": "int"}}));
    let input = format!("[{}null]", "null,".repeat(5000));
    let errors = validate_json(&schema, input.as_bytes(), &mut Show::default()).unwrap_err();
    assert_eq!(errors.len(), MAX_ERRORS + 1);
    assert_eq!(told(&errors)[MAX_ERRORS - 1]["loc"], json!([MAX_ERRORS - 1]));
    assert_eq!(
        told(&errors)[MAX_ERRORS],
        error(json!([]), "too_many_errors", "Input has more errors than are told")
    );
}

/// Errors that a later value of the same key took back leave room for none, and still nothing is lost.
#[test]
fn errors_that_were_taken_back_do_not_hide_others() {
    let list = json!({"type": "list", "item": {"type": "int"}});
    let schema = root(structure("S", 0, vec![field("a", list), field("b", json!({"type": "int"}))]));
    let bad = format!("[{}null]", "null,".repeat(2000));
    let expected = json!([error(json!([]), "too_many_errors", "Input has more errors than are told")]);
    assert_eq!(from_json(&schema, format!(r#"{{"a":{bad},"b":null,"a":[]}}"#)), Err(expected));
    let expected = json!([error(json!(["b"]), "int_type", "Input should be a valid integer")]);
    assert_eq!(from_json(&schema, r#"{"a":[null],"a":[null,null],"b":null,"a":[]}"#), Err(expected));
    assert!(from_json(&schema, format!(r#"{{"a":{bad},"a":[],"b":1}}"#)).is_ok());
}

/// Quadratic work would take minutes here.
#[test]
fn endless_repetition_of_a_failing_key_is_quick() {
    let schema =
        root(structure("S", 0, vec![field("a", json!({"type": "int"})), field("b", json!({"type": "any"}))]));
    let members = r#""a":null,"a":1,"#.repeat(200_000);
    let value = from_json(&schema, format!(r#"{{{members}"b":0}}"#));
    assert_eq!(value, Ok(json!({"S": {"a": 1, "b": 0}})));
}

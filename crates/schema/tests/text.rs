//! Parameter text: what each type reads, and the exact error for everything else.
#![allow(clippy::unwrap_used)]

mod common;

use common::{error, from_json, from_text, from_texts, refused, root, schema};
use serde_json::{Value, json};

fn accepts(node: Value, cases: &[(&str, Value)]) {
    let schema = root(node);
    for (input, expected) in cases {
        assert_eq!(from_text(&schema, input).as_ref(), Ok(expected), "{input:?}");
    }
}

fn refuses(node: Value, cases: &[(&str, &str, &str)]) {
    let schema = root(node);
    for (input, code, message) in cases {
        assert_eq!(from_text(&schema, input), refused(code, message), "{input:?}");
    }
}

#[test]
fn numbers_are_parsed() {
    let big = "99999999999999999999";
    accepts(
        json!({"type": "int"}),
        &[
            ("12", json!(12)),
            (" -7 ", json!(-7)),
            ("1.0", json!(1)),
            (big, serde_json::from_str(big).unwrap()),
        ],
    );
    let message = "Input should be a valid integer, unable to parse text as an integer";
    refuses(
        json!({"type": "int", "lt": 10}),
        &[
            ("", "int_parsing", message),
            ("null", "int_parsing", message),
            ("true", "int_parsing", message),
            ("1e1", "int_parsing", message),
            ("1.5", "int_from_float", "Input should be a valid integer, got a number with a fractional part"),
            ("10", "less_than", "Input should be less than 10"),
            (&"9".repeat(4301), "int_parsing_size", "Input should be an integer of at most 4300 digits"),
        ],
    );
    accepts(json!({"type": "float"}), &[("1.5", json!(1.5)), (" 1 ", json!(1.0)), ("1e3", json!(1000.0))]);
    let message = "Input should be a valid number, unable to parse text as a number";
    refuses(
        json!({"type": "float"}),
        &[
            ("x", "float_parsing", message),
            ("", "float_parsing", message),
            ("nan", "finite_number", "Input should be a finite number"),
            ("-inf", "finite_number", "Input should be a finite number"),
        ],
    );
    accepts(json!({"type": "decimal"}), &[(" 1.50 ", json!({"decimal": "1.50"}))]);
    let message = "Input should be a valid decimal number";
    refuses(
        json!({"type": "decimal"}),
        &[("x", "decimal_parsing", message), ("Infinity", "decimal_parsing", message)],
    );
}

#[test]
fn booleans_have_words() {
    accepts(json!({"type": "bool"}), &[("on", json!(true)), ("No", json!(false)), ("1", json!(true))]);
    let message = "Input should be a valid boolean, unable to interpret input";
    refuses(json!({"type": "bool"}), &[("", "bool_parsing", message), ("2", "bool_parsing", message)]);
}

#[test]
fn text_is_itself_even_where_empty_or_null() {
    accepts(json!({"type": "str"}), &[("", json!("")), ("null", json!("null")), (" a ", json!(" a "))]);
    let optional = json!({"type": "optional", "inner": {"type": "str"}});
    accepts(optional, &[("", json!("")), ("null", json!("null"))]);
    accepts(json!({"type": "any"}), &[("1", json!("1"))]);
    refuses(json!({"type": "null"}), &[("null", "none_required", "Input should be null")]);
}

#[test]
fn the_rest_reads_as_in_json() {
    accepts(
        json!({"type": "uuid"}),
        &[("{12345678123456781234567812345678}", json!({"uuid": "12345678123456781234567812345678"}))],
    );
    accepts(json!({"type": "date"}), &[("2024-01-31", json!({"date": "2024-01-31"}))]);
    accepts(json!({"type": "time"}), &[("23:59", json!({"time": "23:59:00.000000"}))]);
    accepts(
        json!({"type": "datetime"}),
        &[("2024-01-31 23:59Z", json!({"datetime": "2024-01-31 23:59:00.000000+0"}))],
    );
    accepts(json!({"type": "duration"}), &[("90", json!({"duration": "90000000"}))]);
    accepts(json!({"type": "bytes"}), &[("Zm8", json!({"bytes": [102, 111]}))]);
    refuses(json!({"type": "uuid"}), &[("1", "uuid_parsing", "Input should be a valid UUID")]);
}

#[test]
fn enums_and_literals_go_by_their_text() {
    let node = json!({"type": "enum", "class": 1, "values": ["a", 2, true, 0.5, null]});
    let member = |index: usize| json!({"member": [1, index]});
    accepts(node.clone(), &[("a", member(0)), ("2", member(1)), ("yes", member(2)), (".5", member(3))]);
    let message = "Input should be 'a', 2, true, 0.5 or null";
    refuses(node, &[("null", "enum", message), ("A", "enum", message)]);
    accepts(json!({"type": "literal", "values": ["1", 1]}), &[("1", json!("1"))]);
    refuses(json!({"type": "literal", "values": [1]}), &[("2", "literal_error", "Input should be 1")]);
}

#[test]
fn unions_take_the_first_that_fits() {
    let node = json!({"type": "union", "options": [{"type": "int"}, {"type": "bool"}, {"type": "date"}]});
    accepts(
        node.clone(),
        &[("1", json!(1)), ("true", json!(true)), ("2024-01-01", json!({"date": "2024-01-01"}))],
    );
    let expected = json!([
        error(
            json!(["int"]),
            "int_parsing",
            "Input should be a valid integer, unable to parse text as an integer"
        ),
        error(json!(["bool"]), "bool_parsing", "Input should be a valid boolean, unable to interpret input"),
        error(
            json!(["date"]),
            "date_from_datetime_parsing",
            "Input should be a valid date, expected YYYY-MM-DD"
        ),
    ]);
    assert_eq!(from_text(&root(node), "x"), Err(expected));
}

#[test]
fn repeated_values_make_sequences() {
    let schema = root(json!({"type": "list", "item": {"type": "int"}, "container": "set", "max_length": 2}));
    assert_eq!(from_texts(&schema, &["1", "2"]), Ok(json!({"set": [1, 2]})));
    assert_eq!(from_texts(&schema, &[]), Ok(json!({"set": []})));
    assert_eq!(from_text(&schema, "3"), Ok(json!({"set": [3]})));
    assert_eq!(
        from_texts(&schema, &["1", "2", "3"]),
        refused("too_long", "Input should have at most 2 items, not 3")
    );
    let message = "Input should be a valid integer, unable to parse text as an integer";
    let expected = json!([error(json!([1]), "int_parsing", message)]);
    assert_eq!(from_texts(&schema, &["1", "x"]), Err(expected));
    let optional = root(json!({"type": "optional", "inner": {"type": "list", "item": {"type": "str"}}}));
    assert_eq!(from_texts(&optional, &["a", "b"]), Ok(json!(["a", "b"])));
    let tuple = root(json!({"type": "tuple", "items": [{"type": "int"}, {"type": "str"}]}));
    assert_eq!(from_texts(&tuple, &["1", "2"]), Ok(json!({"tuple": [1, "2"]})));
    assert_eq!(from_texts(&tuple, &["1"]), refused("too_short", "Input should have at least 2 items, not 1"));
}

#[test]
fn of_repeated_values_a_scalar_takes_the_last() {
    let schema = root(json!({"type": "int"}));
    assert_eq!(from_texts(&schema, &["x", "2"]), Ok(json!(2)));
    assert_eq!(from_texts(&schema, &[]), refused("missing", "Field required"));
}

#[test]
fn what_has_no_text_form_says_so() {
    let object = json!({"type": "struct", "name": "S", "class": 0, "fields": []});
    refuses(object, &[("{}", "model_type", "Input should be a valid object")]);
    let dict = json!({"type": "dict", "key": {"type": "str"}, "value": {"type": "int"}});
    refuses(dict, &[("{}", "dict_type", "Input should be a valid object")]);
    let nested = json!({"type": "list", "item": {"type": "list", "item": {"type": "int"}}});
    refuses(nested, &[("1", "list_type", "Input should be a valid array")]);
    // A list of itself through a reference.
    let endless = schema(&json!({
        "definitions": [{"type": "list", "item": {"type": "reference", "index": 0}}],
        "root": {"type": "reference", "index": 0},
    }));
    assert_eq!(from_text(&endless, "1"), refused("list_type", "Input should be a valid array"));
    assert_eq!(from_json(&endless, "[[],[[]]]"), Ok(json!([[], [[]]])));
}

#[test]
fn foreign_classes_get_a_json_string() {
    accepts(json!({"type": "foreign", "class": 2}), &[("a\"b", json!({"foreign": [2, "\"a\\\"b\""]}))]);
    refuses(json!({"type": "foreign", "class": 2}), &[("bad", "foreign", "Refused elsewhere")]);
}

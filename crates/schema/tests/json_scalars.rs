//! Scalars in JSON: what each type takes, and the exact error for everything else.
#![allow(clippy::unwrap_used)]

mod common;

use common::{from_json, refused, root};
use serde_json::{Value, json};

/// Each input with what it becomes.
fn accepts(node: Value, cases: &[(&str, Value)]) {
    let schema = root(node);
    for (input, expected) in cases {
        assert_eq!(from_json(&schema, input).as_ref(), Ok(expected), "{input}");
    }
}

/// Each input with the code and the message of its one error.
fn refuses(node: Value, cases: &[(&str, &str, &str)]) {
    let schema = root(node);
    for (input, code, message) in cases {
        assert_eq!(from_json(&schema, input), refused(code, message), "{input}");
    }
}

/// One input with all its errors.
fn refuses_for(node: &Value, input: &str, expected: &[(&str, &str)]) {
    let rows = expected.iter().map(|(code, message)| json!({"loc": [], "type": code, "msg": message}));
    assert_eq!(from_json(&root(node.clone()), input), Err(rows.collect()), "{input}");
}

const INT_TYPE: &str = "Input should be a valid integer";

#[test]
fn null_and_booleans_are_only_themselves() {
    accepts(json!({"type": "null"}), &[("null", Value::Null)]);
    refuses(json!({"type": "null"}), &[("0", "none_required", "Input should be null")]);
    accepts(json!({"type": "bool"}), &[("true", json!(true)), (" false ", json!(false))]);
    let message = "Input should be a valid boolean";
    let others = ["1", "\"true\"", "null", "[]", "{}"].map(|input| (input, "bool_type", message));
    refuses(json!({"type": "bool"}), &others);
}

#[test]
fn integers_of_any_size_and_integral_floats() {
    let big = "123456789012345678901234567890";
    accepts(
        json!({"type": "int"}),
        &[
            ("0", json!(0)),
            ("-0", json!(0)),
            ("1.0", json!(1)),
            ("1e3", json!(1000)),
            ("9223372036854775807", json!(i64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("9223372036854775808", serde_json::from_str("9223372036854775808").unwrap()),
            (big, serde_json::from_str(big).unwrap()),
            ("9007199254740993.0", json!(9_007_199_254_740_993_i64)),
        ],
    );
    refuses(
        json!({"type": "int"}),
        &[
            ("\"1\"", "int_type", INT_TYPE),
            ("true", "int_type", INT_TYPE),
            ("null", "int_type", INT_TYPE),
            ("[1]", "int_type", INT_TYPE),
            ("{\"a\":1}", "int_type", INT_TYPE),
            ("1.5", "int_from_float", "Input should be a valid integer, got a number with a fractional part"),
            (
                "1e-400",
                "int_from_float",
                "Input should be a valid integer, got a number with a fractional part",
            ),
            ("1e5000", "int_parsing_size", "Input should be an integer of at most 4300 digits"),
            ("1e99999999999999", "int_parsing_size", "Input should be an integer of at most 4300 digits"),
        ],
    );
}

#[test]
fn integers_have_bounds_of_any_size() {
    let node = json!({"type": "int", "ge": 1, "lt": 10, "multiple_of": 3});
    accepts(node.clone(), &[("3", json!(3)), ("9", json!(9)), ("6.0", json!(6))]);
    refuses(
        node,
        &[
            ("0", "greater_than_equal", "Input should be greater than or equal to 1"),
            ("12", "less_than", "Input should be less than 10"),
            ("4", "multiple_of", "Input should be a multiple of 3"),
            ("-99999999999999999999", "greater_than_equal", "Input should be greater than or equal to 1"),
            ("99999999999999999999", "less_than", "Input should be less than 10"),
        ],
    );
    let node = json!({"type": "int", "gt": 1.5, "le": "100000000000000000000"});
    accepts(
        node.clone(),
        &[("2", json!(2)), ("100000000000000000000", serde_json::from_str("100000000000000000000").unwrap())],
    );
    refuses(
        node,
        &[
            ("1", "greater_than", "Input should be greater than 1.5"),
            (
                "100000000000000000001",
                "less_than_equal",
                "Input should be less than or equal to 100000000000000000000",
            ),
        ],
    );
}

#[test]
fn floats_take_any_finite_number() {
    accepts(
        json!({"type": "float"}),
        &[
            ("1", json!(1.0)),
            ("-0.0", json!(-0.0)),
            ("1e308", json!(1e308)),
            ("1e-999", json!(0.0)),
            ("0.1", json!(0.1)),
        ],
    );
    refuses(
        json!({"type": "float"}),
        &[
            ("1e309", "finite_number", "Input should be a finite number"),
            ("-1e999", "finite_number", "Input should be a finite number"),
            ("\"1\"", "float_type", "Input should be a valid number"),
            ("false", "float_type", "Input should be a valid number"),
        ],
    );
    let node = json!({"type": "float", "gt": 0, "le": 0.5, "multiple_of": 0.1});
    accepts(node.clone(), &[("0.3", json!(0.3)), ("0.5", json!(0.5))]);
    refuses(
        node,
        &[
            ("0", "greater_than", "Input should be greater than 0"),
            ("0.6", "less_than_equal", "Input should be less than or equal to 0.5"),
            ("0.25", "multiple_of", "Input should be a multiple of 0.1"),
        ],
    );
}

#[test]
fn decimals_keep_their_text() {
    let decimal = |text: &str| json!({ "decimal": text });
    accepts(
        json!({"type": "decimal"}),
        &[
            ("1.10", decimal("1.10")),
            ("\"1.10\"", decimal("1.10")),
            ("\" 5 \"", decimal("5")),
            ("1E+2", decimal("1E+2")),
            ("123456789012345678901234567890.123", decimal("123456789012345678901234567890.123")),
        ],
    );
    let message = "Input should be a valid decimal number";
    refuses(
        json!({"type": "decimal"}),
        &[
            ("\"NaN\"", "decimal_parsing", message),
            ("\"\"", "decimal_parsing", message),
            ("\"1,5\"", "decimal_parsing", message),
            ("1e999999999", "decimal_parsing", message),
            ("1e-999999999", "decimal_parsing", message),
            ("true", "decimal_type", "Input should be a decimal number or text"),
            ("[]", "decimal_type", "Input should be a decimal number or text"),
        ],
    );
}

#[test]
fn decimals_count_digits_as_pydantic_does() {
    let node = json!({"type": "decimal", "max_digits": 5, "decimal_places": 2});
    let decimal = |text: &str| json!({ "decimal": text });
    accepts(
        node.clone(),
        &[
            ("999.99", decimal("999.99")),
            ("1.50000", decimal("1.50000")),
            ("0.01", decimal("0.01")),
            ("0e9", decimal("0e9")),
        ],
    );
    refuses(
        node,
        &[
            ("12345.67", "decimal_max_digits", "Input should have no more than 5 digits in total"),
            ("0.123", "decimal_max_places", "Input should have no more than 2 decimal places"),
            (
                "1234",
                "decimal_whole_digits",
                "Input should have no more than 3 digits before the decimal point",
            ),
            (
                "1e3",
                "decimal_whole_digits",
                "Input should have no more than 3 digits before the decimal point",
            ),
            ("1e9", "decimal_max_digits", "Input should have no more than 5 digits in total"),
        ],
    );
    let node = json!({"type": "decimal", "ge": 0.1, "lt": 0.3, "multiple_of": 0.05});
    accepts(node.clone(), &[("0.1", decimal("0.1")), ("0.2500", decimal("0.2500"))]);
    let least = ("greater_than_equal", "Input should be greater than or equal to 0.1");
    let multiple = ("multiple_of", "Input should be a multiple of 0.05");
    refuses_for(&node, "0.0999999999999999999999", &[least, multiple]);
    refuses(
        node,
        &[
            ("\"0.30\"", "less_than", "Input should be less than 0.3"),
            ("0.21", "multiple_of", "Input should be a multiple of 0.05"),
            ("-1", "greater_than_equal", "Input should be greater than or equal to 0.1"),
        ],
    );
}

#[test]
fn strings_count_characters() {
    accepts(
        json!({"type": "str", "min_length": 2, "max_length": 3}),
        &[("\"äö\"", json!("äö")), ("\"😀😀😀\"", json!("😀😀😀")), (r#""\u00e4b""#, json!("äb"))],
    );
    refuses(
        json!({"type": "str", "min_length": 2, "max_length": 3}),
        &[
            ("\"😀\"", "string_too_short", "Input should have at least 2 characters"),
            ("\"abcd\"", "string_too_long", "Input should have at most 3 characters"),
            ("1", "string_type", "Input should be a valid string"),
            ("null", "string_type", "Input should be a valid string"),
        ],
    );
    let stripped = json!({"type": "str", "strip": true, "min_length": 1, "pattern": "^[a-z]+$"});
    accepts(stripped.clone(), &[("\" abc\\n\"", json!("abc")), ("\"\\u001fx\"", json!("x"))]);
    let mismatch = ("string_pattern_mismatch", "Input should match pattern '^[a-z]+$'");
    refuses_for(&stripped, "\"a b\"", &[mismatch]);
    let short = ("string_too_short", "Input should have at least 1 character");
    refuses_for(&stripped, "\"  \"", &[short, mismatch]);
}

#[test]
fn every_broken_rule_is_told() {
    let node = json!({"type": "str", "max_length": 2, "pattern": "^x", "format": "slug", "no_nul": true});
    refuses_for(
        &node,
        "\"a \\u0000\"",
        &[
            ("string_too_long", "Input should have at most 2 characters"),
            ("string_nul", "Input should not have NUL characters"),
            ("string_pattern_mismatch", "Input should match pattern '^x'"),
            ("string_format", "Input should be a valid slug of letters, numbers, underscores or hyphens"),
        ],
    );
    for kind in ["int", "float", "decimal"] {
        let node = json!({"type": kind, "ge": 10, "multiple_of": 4});
        let least = ("greater_than_equal", "Input should be greater than or equal to 10");
        refuses_for(&node, "7", &[least, ("multiple_of", "Input should be a multiple of 4")]);
    }
}

#[test]
fn bytes_are_base64() {
    let bytes = |bytes: &[u8]| json!({ "bytes": bytes });
    accepts(
        json!({"type": "bytes"}),
        &[
            ("\"\"", bytes(b"")),
            ("\"Zm8=\"", bytes(b"fo")),
            ("\"Zm8\"", bytes(b"fo")),
            ("\"+/8=\"", bytes(&[0xFB, 0xFF])),
            ("\"-_8\"", bytes(&[0xFB, 0xFF])),
        ],
    );
    refuses(
        json!({"type": "bytes", "min_length": 2, "max_length": 3}),
        &[
            ("\"Zg==\"", "bytes_too_short", "Input should have at least 2 bytes"),
            ("\"Zm9vbw==\"", "bytes_too_long", "Input should have at most 3 bytes"),
            ("\"Z\"", "bytes_invalid_encoding", "Input should be valid base64"),
            ("\"Zm8*\"", "bytes_invalid_encoding", "Input should be valid base64"),
            ("1", "bytes_type", "Input should be base64 text"),
        ],
    );
}

#[test]
fn identifiers_and_times_are_text() {
    accepts(
        json!({"type": "uuid"}),
        &[("\"12345678-1234-5678-1234-567812345678\"", json!({"uuid": "12345678123456781234567812345678"}))],
    );
    accepts(json!({"type": "date"}), &[("\"2024-02-29\"", json!({"date": "2024-02-29"}))]);
    accepts(json!({"type": "time"}), &[("\"12:30Z\"", json!({"time": "12:30:00.000000+0"}))]);
    accepts(
        json!({"type": "datetime"}),
        &[("\"2024-02-29T12:30:00.5-01:00\"", json!({"datetime": "2024-02-29 12:30:00.500000-3600"}))],
    );
    accepts(
        json!({"type": "duration"}),
        &[
            ("\"1 00:00:01\"", json!({"duration": "86401000000"})),
            ("\"PT1S\"", json!({"duration": "1000000"})),
            ("90.5", json!({"duration": "90500000"})),
            ("-1", json!({"duration": "-1000000"})),
        ],
    );
}

#[test]
fn identifiers_and_times_say_what_is_wrong() {
    refuses(
        json!({"type": "uuid"}),
        &[
            ("\"x\"", "uuid_parsing", "Input should be a valid UUID"),
            ("1", "uuid_type", "Input should be a UUID as text"),
        ],
    );
    refuses(
        json!({"type": "date"}),
        &[
            (
                "\"2023-02-29\"",
                "date_from_datetime_parsing",
                "Input should be a valid date, day is out of range for the month",
            ),
            ("20240229", "date_type", "Input should be a date as text"),
        ],
    );
    refuses(
        json!({"type": "time"}),
        &[
            ("\"25:00\"", "time_parsing", "Input should be a valid time, hour is out of range"),
            ("1", "time_type", "Input should be a time as text"),
        ],
    );
    refuses(
        json!({"type": "datetime"}),
        &[
            (
                "\"2024-01-01T\"",
                "datetime_parsing",
                "Input should be a valid date and time, expected HH:MM[:SS[.ffffff]]",
            ),
            ("0", "datetime_type", "Input should be a date and time as text"),
        ],
    );
    refuses(
        json!({"type": "duration"}),
        &[
            (
                "\"soon\"",
                "time_delta_parsing",
                "Input should be a valid duration, expected [D ]HH:MM:SS[.ffffff] or ISO 8601",
            ),
            ("1e30", "time_delta_parsing", "Input should be a valid duration, days are out of range"),
            ("null", "time_delta_type", "Input should be a duration as text or a number of seconds"),
        ],
    );
}

#[test]
fn enums_and_literals_go_by_value() {
    let node = json!({"type": "enum", "class": 7, "values": ["a", 2, 1.5, true]});
    let member = |index: usize| json!({ "member": [7, index] });
    accepts(
        node.clone(),
        &[
            ("\"a\"", member(0)),
            ("2", member(1)),
            ("2.0", member(1)),
            ("1.5", member(2)),
            ("true", member(3)),
        ],
    );
    let message = "Input should be 'a', 2, 1.5 or true";
    let inputs = ["\"2\"", "3", "1", "false", "null", "[]", "{}", "1e999"];
    refuses(node, &inputs.map(|input| (input, "enum", message)));
    let node = json!({"type": "literal", "values": ["x", null, 0]});
    accepts(node.clone(), &[("\"x\"", json!("x")), ("null", Value::Null), ("0", json!(0))]);
    let inputs = ["false", "\"\"", "[0]"];
    refuses(node, &inputs.map(|input| (input, "literal_error", "Input should be 'x', null or 0")));
    refuses(
        json!({"type": "literal", "values": ["only"]}),
        &[("1", "literal_error", "Input should be 'only'")],
    );
}

#[test]
fn what_is_not_json_is_one_error_with_its_place() {
    let schema = root(json!({"type": "list", "item": {"type": "int"}}));
    for (input, what) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("  ", "EOF while parsing a value at line 1 column 2"),
        ("[1,", "EOF while parsing a value at line 1 column 3"),
        ("[1,]", "trailing comma at line 1 column 4"),
        ("[\"x\",\n  oops]", "expected value at line 2 column 3"),
        ("[1] 2", "trailing characters at line 1 column 5"),
        ("[01]", "invalid number at line 1 column 3"),
        ("[NaN]", "expected value at line 1 column 2"),
        ("[-Infinity]", "invalid number at line 1 column 3"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("[\"\\ud800\"]", "unexpected end of hex escape at line 1 column 9"),
        ("[\"\\udc00\"]", "lone leading surrogate in hex escape at line 1 column 8"),
        ("[\"a\tb\"]", "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 4"),
        ("{\"a\":1,}", "trailing comma at line 1 column 8"),
        ("\u{feff}[]", "expected value at line 1 column 1"),
    ] {
        assert_eq!(
            from_json(&schema, input),
            refused("json_invalid", &format!("Invalid JSON: {what}")),
            "{input}"
        );
    }
    let message = "Invalid JSON: invalid unicode code point at line 1 column 4";
    assert_eq!(from_json(&schema, b"[\"a\xFF\"]"), refused("json_invalid", message));
}

#[test]
fn skipped_values_are_still_checked() {
    let schema = root(json!({"type": "struct", "name": "S", "class": 0, "fields": []}));
    for input in [
        &b"{\"x\": {\"y\": \"\xC3\"}}"[..],
        b"{\"x\": [\"\\q\"]}",
        b"{\"x\": {\"\\ud800\": 1}}",
        b"{\"x\": [1, -]}",
        b"{\"x\": nul}",
        b"{\"x\" 1}",
        b"[\"x\"",
    ] {
        let errors = from_json(&schema, input).unwrap_err();
        assert_eq!(errors[0]["type"], "json_invalid", "{input:?}");
        assert_eq!(errors.as_array().map(Vec::len), Some(1));
    }
}

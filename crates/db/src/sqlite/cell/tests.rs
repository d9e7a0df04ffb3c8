//! Values as a real SQLite hands them out, written by kind.

#![allow(clippy::unwrap_used)]

use rusqlite::Connection;
use serde_json::{Value as Json, json};

use super::*;
use crate::zone::Zone;

fn try_write(description: &Json, sql: &str) -> Result<String, String> {
    let kinds = [serde_json::from_value(description.clone()).unwrap()];
    let clock = Clock::new(Zone::named("Europe/Berlin").unwrap(), Zone::Utc);
    let connection = Connection::open_in_memory().unwrap();
    let mut statement = connection.prepare(&format!("SELECT {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let row = SqliteRow { row: rows.next().unwrap().unwrap(), kinds: &kinds, clock: &clock };
    let mut out = Vec::new();
    row.write(0, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn write(name: &str, sql: &str) -> String {
    try_write(&json!({"kind": name}), sql).unwrap()
}

fn refuse(name: &str, sql: &str) -> String {
    try_write(&json!({"kind": name}), sql).unwrap_err()
}

#[test]
fn null_is_null_for_every_kind() {
    for name in
        ["bool", "int", "float", "decimal", "text", "uuid", "date", "time", "datetime", "duration", "json"]
    {
        assert_eq!(write(name, "NULL"), "null");
    }
}

#[test]
fn numbers_take_the_fields_type() {
    assert_eq!((write("bool", "1"), write("bool", "0")), ("true".to_owned(), "false".to_owned()));
    assert_eq!(write("int", "-9223372036854775808"), "-9223372036854775808");
    assert_eq!(write("int", "2.9"), "2");
    assert_eq!(write("int", "1e22"), "10000000000000000000000");
    assert_eq!(write("int", "'12'"), "12");
    assert_eq!(write("float", "5"), "5.0");
    assert_eq!(write("float", "0.1"), "0.1");
    assert!(refuse("float", "9e999").contains("NaN and infinities"));
    assert_eq!(
        refuse("int", "'twelve'"),
        "column 0 cannot be written: the plan reads Int, the database holds Text \"twelve\""
    );
}

#[test]
fn decimals_have_fifteen_digits_or_their_places() {
    let money = json!({"kind": "decimal", "places": 2});
    assert_eq!(try_write(&money, "12.5").unwrap(), r#""12.50""#);
    assert_eq!(try_write(&money, "12").unwrap(), r#""12.00""#);
    assert_eq!(try_write(&money, "0.125").unwrap(), r#""0.12""#);
    assert_eq!(try_write(&money, "'12.345'").unwrap(), r#""12.34""#);
    assert_eq!(try_write(&json!({"kind": "decimal", "places": 2, "string": false}), "7").unwrap(), "7.00");
    assert_eq!(write("decimal", "12"), r#""12""#);
    // From Python: Context(prec=15).create_decimal_from_float(…).
    assert_eq!(write("decimal", "1152921504606846976"), r#""1152921504606850000""#);
    assert_eq!(write("decimal", "-9223372036854775808"), r#""-9223372036854780000""#);
    assert_eq!(write("decimal", "1000000000000005"), r#""1000000000000000""#);
    assert_eq!(write("decimal", "999999999999999"), r#""999999999999999""#);
    assert_eq!(write("decimal", "'1.50'"), r#""1.50""#);
}

/// `Context(prec=15).create_decimal_from_float`, from Python.
#[test]
fn floats_become_the_decimals_python_makes() {
    for (sql, expected) in [
        ("0.1", "0.100000000000000"),
        ("0.5", "0.5"),
        ("100.0", "100"),
        ("1e22", "10000000000000000000000"),
        ("1.0/3", "0.333333333333333"),
        ("-2.5", "-2.5"),
        ("1e-7", "0.000000100000000000000"),
        ("123456789.125", "123456789.125"),
        ("0.0", "0"),
        ("9007199254740993.0", "9007199254740990"),
        ("0.1+0.2", "0.300000000000000"),
        ("123456789012345.6", "123456789012346"),
    ] {
        assert_eq!(write("decimal", sql), format!("\"{expected}\""), "{sql}");
    }
}

#[test]
fn text_and_what_str_makes_of_numbers() {
    assert_eq!(write("text", "'a\"é'"), r#""a\"é""#);
    assert_eq!((write("text", "5"), write("text", "2.50")), (r#""5""#.to_owned(), r#""2.5""#.to_owned()));
    assert!(refuse("text", "CAST(x'ff41' AS TEXT)").contains("invalid utf-8"));
    assert!(refuse("text", "x'00'").contains("the plan reads Text, the database holds Blob"));
    assert_eq!(write("ip", "'::1'"), r#""::1""#);
    assert_eq!(try_write(&json!({"kind": "file", "base": "/m/"}), "'a b'").unwrap(), r#""/m/a%20b""#);
}

#[test]
fn uuids_and_bytes() {
    assert_eq!(
        write("uuid", "'550e8400e29b41d4a716446655440000'"),
        r#""550e8400-e29b-41d4-a716-446655440000""#
    );
    assert!(refuse("uuid", "'550e'").contains("the plan reads Uuid"));
    assert_eq!(write("bytes", "x'ff0001'"), r#""/wAB""#);
}

#[test]
fn moments_in_the_zone_of_the_execution() {
    let aware = json!({"kind": "datetime", "aware": true});
    assert_eq!(
        try_write(&aware, "'2024-07-01 12:30:00.25'").unwrap(),
        r#""2024-07-01T14:30:00.250000+02:00""#
    );
    assert_eq!(try_write(&aware, "'2024-07-01 12:30:00+02:00'").unwrap(), r#""2024-07-01T12:30:00+02:00""#);
    assert_eq!(write("datetime", "'2024-07-01 12:30:00'"), r#""2024-07-01T12:30:00""#);
    assert_eq!(write("date", "'2024-07-01'"), r#""2024-07-01""#);
    assert_eq!(write("date", "'2024-07-01 23:00:00'"), r#""2024-07-01""#);
    assert_eq!(write("time", "'12:30:00.5'"), r#""12:30:00.500000""#);
    assert_eq!(write("duration", "-1000000"), r#""-1 23:59:59""#);
    assert!(refuse("date", "'soon'").contains("the plan reads Date, the database holds Text \"soon\""));
}

#[test]
fn json_stays_as_it_is_stored() {
    assert_eq!(
        write("json", "'{\"b\": [1.10, 123456789012345678901]}'"),
        r#"{"b": [1.10, 123456789012345678901]}"#
    );
    assert_eq!(write("json", "json_extract('{\"a\": 2}', '$.a')"), "2");
    assert_eq!(write("json", "json_extract('{\"a\": \"x\"}', '$.a')"), r#""x""#);
}

#[test]
fn keys_by_what_is_stored() {
    let read = |kind: &Kind, value| key(kind, value).unwrap();
    assert_eq!(read(&Kind::Int, ValueRef::Integer(4)), Some(Key::Int(4)));
    assert_eq!(read(&Kind::Text, ValueRef::Text(b"x")), Some(Key::Text("x".into())));
    assert_eq!(
        read(&Kind::Uuid, ValueRef::Text(b"11111111111111111111111111111111")),
        Some(Key::Uuid([0x11; 16]))
    );
    assert_eq!(read(&Kind::Int, ValueRef::Null), None);
}

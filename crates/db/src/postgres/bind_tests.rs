#![allow(clippy::unwrap_used)]
use super::*;

/// Format code and bytes (`None` is NULL) of one argument.
fn bound(value: Value, kind: u32) -> (u16, Option<Vec<u8>>) {
    let mut out = BytesMut::new();
    write(&mut out, "s1", &[kind], &[value]).unwrap();
    assert_eq!(out[0], b'B');
    assert_eq!(u32::from_be_bytes(out[1..5].try_into().unwrap()) as usize, out.len() - 1);
    assert_eq!(&out[5..9], b"\0s1\0");
    assert_eq!(&out[9..11], [0, 1]);
    let format = u16::from_be_bytes([out[11], out[12]]);
    assert_eq!(&out[13..15], [0, 1]);
    let length = i32::from_be_bytes(out[15..19].try_into().unwrap());
    let bytes = usize::try_from(length).ok().map(|length| out[19..19 + length].to_vec());
    assert_eq!(&out[19 + bytes.as_ref().map_or(0, Vec::len)..], [0, 1, 0, 1]);
    (format, bytes)
}

fn binary_form(value: Value, kind: u32) -> Vec<u8> {
    let (format, bytes) = bound(value, kind);
    assert_eq!(format, 1);
    bytes.unwrap()
}

fn text_form(value: Value, kind: u32) -> String {
    let (format, bytes) = bound(value, kind);
    assert_eq!(format, 0);
    String::from_utf8(bytes.unwrap()).unwrap()
}

#[test]
fn scalars_are_binary_where_the_server_has_an_obvious_form() {
    assert_eq!(binary_form(Value::Bool(true), 16), [1]);
    assert_eq!(binary_form(Value::Int(-2), 20), (-2_i64).to_be_bytes());
    assert_eq!(binary_form(Value::Int(-2), 23), (-2_i32).to_be_bytes());
    assert_eq!(binary_form(Value::Int(-2), 21), (-2_i16).to_be_bytes());
    assert_eq!(binary_form(Value::Int(4_000_000_000), 26), 4_000_000_000_u32.to_be_bytes());
    assert_eq!(binary_form(Value::Int(3), 701), 3.0_f64.to_be_bytes());
    assert_eq!(binary_form(Value::Float(0.1), 701), 0.1_f64.to_be_bytes());
    assert_eq!(binary_form(Value::Float(0.5), 700), 0.5_f32.to_be_bytes());
    assert_eq!(binary_form(Value::Bytes(vec![0, 255]), 17), [0, 255]);
}

#[test]
fn everything_else_is_text() {
    assert_eq!(text_form(Value::Text("2020-01-01".into()), 1082), "2020-01-01");
    assert_eq!(text_form(Value::Text("12".into()), 20), "12");
    assert_eq!(text_form(Value::Int(12), 1700), "12");
    assert_eq!(text_form(Value::Int(12), 0), "12");
    assert_eq!(text_form(Value::Bool(false), 25), "false");
    assert_eq!(text_form(Value::Bool(true), 20), "1");
    assert_eq!(text_form(Value::Float(f64::NAN), 1700), "NaN");
    assert_eq!(text_form(Value::Float(f64::NEG_INFINITY), 0), "-Infinity");
    assert_eq!(text_form(Value::Float(1e300), 1700), "1e300");
    assert_eq!(text_form(Value::Bytes(vec![1, 171]), 0), "\\x01ab");
    assert_eq!(bound(Value::Null, 20), (0, None));
}

#[test]
fn integer_arrays_are_binary() {
    let mut wanted = Vec::new();
    for word in [1_i32, 1, 20, 2, 1, 8] {
        wanted.extend(word.to_be_bytes());
    }
    wanted.extend(7_i64.to_be_bytes());
    wanted.extend((-1_i32).to_be_bytes());
    assert_eq!(binary_form(Value::Array(vec![Value::Int(7), Value::Null]), 1016), wanted);
    assert_eq!(binary_form(Value::Array(vec![]), 1007), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23]);
    assert_eq!(binary_form(Value::Array(vec![Value::Int(5)]), 1005).len(), 20 + 4 + 2);
}

#[test]
fn other_arrays_are_quoted_text() {
    let text = |items: Vec<Value>| text_form(Value::Array(items), 1009);
    assert_eq!(text(vec![]), "{}");
    assert_eq!(text(vec![Value::Text("a\"b\\c, {}".into()), Value::Null]), r#"{"a\"b\\c, {}",NULL}"#);
    assert_eq!(text(vec![Value::Text("NULL".into()), Value::Text(String::new())]), r#"{"NULL",""}"#);
    assert_eq!(
        text(vec![Value::Array(vec![Value::Int(1)]), Value::Array(vec![Value::Bool(true)])]),
        "{{1},{true}}"
    );
    assert_eq!(text(vec![Value::Bytes(vec![9])]), r#"{"\\x09"}"#);
    assert_eq!(text_form(Value::Array(vec![Value::Int(1 << 40)]), 1007), "{1099511627776}");
    assert_eq!(text_form(Value::Array(vec![Value::Text("1".into())]), 1016), r#"{"1"}"#);
}

#[test]
fn an_error_leaves_the_buffer_as_it_was() {
    let mut out = BytesMut::from(&b"before"[..]);
    let refused = write(&mut out, "s", &[20, 23], &[Value::Int(1), Value::Int(1 << 40)]);
    assert!(
        matches!(refused, Err(Error::Bind(1, why)) if why == "1099511627776 is out of range for type integer")
    );
    let refused = write(&mut out, "s", &[20, 23], &[Value::Int(1)]);
    assert!(matches!(refused, Err(Error::Bind(1, why)) if why == "the statement takes 2 arguments, got 1"));
    assert_eq!(&out[..], b"before");
}

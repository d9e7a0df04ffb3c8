use super::*;
use crate::zone::Zone;

fn try_write(kind: &Kind, value: Given<'_>) -> Option<String> {
    let clock = Clock::new(Zone::named("Europe/Berlin").ok()?, Zone::Utc);
    let mut out = Vec::new();
    write(kind, Some(4), value, &clock, &mut out).ok()?;
    String::from_utf8(out).ok()
}

fn printed(kind: &Kind, value: &str) -> Option<String> {
    try_write(kind, Given::Printed(value.as_bytes()))
}

fn stored(kind: &Kind, value: &str) -> Option<String> {
    try_write(kind, Given::Text(value.as_bytes()))
}

const PRICE: Kind = Kind::Decimal { string: true, places: Some(2) };
const AWARE: Kind = Kind::Datetime { aware: true };
const NAIVE: Kind = Kind::Datetime { aware: false };

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn printed_values() {
    for (kind, value, expected) in [
        (Kind::Bool, "t", "true"),
        (Kind::Int, "-12", "-12"),
        (Kind::Float, "1e-07", "1e-07"),
        (Kind::Float, "100", "100.0"),
        (PRICE, "-12.50", "\"-12.50\""),
        (PRICE, "0.05", "\"0.05\""),
        (Kind::Text, "\u{fc}\"", "\"\u{fc}\\\"\""),
        (Kind::Uuid, "0c22f3a4-0000-4000-8000-00000000000a", "\"0c22f3a4-0000-4000-8000-00000000000a\""),
        (Kind::Date, "2026-05-06", "\"2026-05-06\""),
        (Kind::Time, "01:02:03.5", "\"01:02:03.500000\""),
        (AWARE, "2026-07-01 12:00:00.25+02", "\"2026-07-01T12:00:00.250000+02:00\""),
        (AWARE, "2026-01-01 00:00:00+05:30", "\"2025-12-31T19:30:00+01:00\""),
        (NAIVE, "2026-07-01 12:00:00+02", "\"2026-07-01T12:00:00\""),
        (Kind::Duration, "-3 days +00:00:00.000005", "\"-3 00:00:00.000005\""),
        (Kind::Duration, "1 day", "\"1 00:00:00\""),
        (Kind::Duration, "26:00:00", "\"1 02:00:00\""),
        (Kind::Json, "{\"a\": [1.10, null]}", "{\"a\":[1.1,null]}"),
    ] {
        assert_eq!(printed(&kind, value), some(expected), "{kind:?} {value}");
    }
}

#[test]
fn printed_values_that_are_for_python() {
    for (kind, value) in [
        (Kind::Bool, "true"),
        (Kind::Int, "1.5"),
        (Kind::Int, ""),
        (Kind::Float, "NaN"),
        (PRICE, "1.5"),
        (PRICE, "NaN"),
        (PRICE, "123.45"),
        (Kind::Date, "infinity"),
        (Kind::Date, "0044-03-15 BC"),
        (Kind::Time, "24:00:00"),
        (AWARE, "2026-07-01 12:00:00"),
        (AWARE, "07/01/2026 12:00:00 CEST"),
        (Kind::Duration, "1 mon"),
        (Kind::Duration, "1 year 2 days"),
        (Kind::Duration, "P1D"),
        (Kind::Json, "NaN"),
        (Kind::Hstore, "a=>1"),
    ] {
        assert_eq!(printed(&kind, value), None, "{kind:?} {value}");
    }
}

#[test]
fn stored_values() {
    assert_eq!(try_write(&Kind::Bool, Given::Integer(1)), some("true"));
    assert_eq!(try_write(&Kind::Bool, Given::Integer(2)), None);
    assert_eq!(try_write(&Kind::Int, Given::Real(1.0)), None);
    assert_eq!(try_write(&Kind::Float, Given::Real(2.0)), some("2.0"));
    assert_eq!(try_write(&Kind::Float, Given::Integer(2)), None);
    assert_eq!(try_write(&PRICE, Given::Integer(7)), some("\"7.00\""));
    assert_eq!(try_write(&PRICE, Given::Real(7.005)), some("\"7.00\""));
    assert_eq!(try_write(&PRICE, Given::Real(123.4)), None);
    assert_eq!(stored(&PRICE, "1.50"), None);
    assert_eq!(try_write(&Kind::Duration, Given::Integer(1_500_000)), some("\"00:00:01.500000\""));
    assert_eq!(stored(&AWARE, "2026-07-01 12:00:00"), some("\"2026-07-01T14:00:00+02:00\""));
    assert_eq!(stored(&NAIVE, "2026-07-01 12:00:00"), some("\"2026-07-01T12:00:00\""));
    assert_eq!(stored(&NAIVE, "2026-07-01 12:00:00+02:00"), None);
    assert_eq!(stored(&Kind::Int, "12"), None);
    assert_eq!(try_write(&Kind::Text, Given::Integer(12)), None);
    assert_eq!(try_write(&Kind::Json, Given::Null), some("null"));
}

#[test]
fn keys() {
    let key = |kind, value| key(&kind, value).ok();
    assert_eq!(key(Kind::Int, Given::Integer(5)), Some(Some(Key::Int(5))));
    assert_eq!(key(Kind::Int, Given::Printed(b"5")), Some(Some(Key::Int(5))));
    assert_eq!(key(Kind::Text, Given::Text(b"a")), Some(Some(Key::Text("a".into()))));
    assert_eq!(key(Kind::Int, Given::Null), Some(None));
    assert_eq!(key(Kind::Int, Given::Real(1.0)), None);
}

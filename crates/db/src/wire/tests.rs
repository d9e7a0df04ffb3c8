//! Every kind over every wire type it is read from, with bytes as the server sends them.

#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::resolve::resolve;
use super::*;
use crate::key::Key;
use crate::plan::Kind;
use crate::testing::Dice;
use crate::zone::{Clock, Zone};

fn kind(description: &Json) -> Kind {
    serde_json::from_value(description.clone()).unwrap()
}

fn try_write_in(zone: &str, description: &Json, oid: u32, cell: &[u8]) -> Result<String, String> {
    let reader = resolve(&kind(description), oid)?;
    let clock = Clock::new(Zone::named(zone).unwrap(), Zone::named("Asia/Tokyo").unwrap());
    let mut out = Vec::new();
    reader.write(cell, &clock, &mut out).map_err(|Unwritable(why)| why.into_owned())?;
    Ok(String::from_utf8(out).unwrap())
}

fn try_write(description: &Json, oid: u32, cell: &[u8]) -> Result<String, String> {
    try_write_in("UTC", description, oid, cell)
}

fn write(name: &str, oid: u32, cell: &[u8]) -> String {
    try_write(&json!({"kind": name}), oid, cell).unwrap()
}

fn refuse(name: &str, oid: u32, cell: &[u8]) -> String {
    try_write(&json!({"kind": name}), oid, cell).unwrap_err()
}

/// A `numeric`: digits in base 10,000.
fn numeric(weight: i16, sign: u16, scale: u16, digits: &[i16]) -> Vec<u8> {
    let mut wire = (digits.len() as i16).to_be_bytes().to_vec();
    wire.extend(weight.to_be_bytes());
    wire.extend(sign.to_be_bytes());
    wire.extend(scale.to_be_bytes());
    wire.extend(digits.iter().flat_map(|digit| digit.to_be_bytes()));
    wire
}

/// Microseconds from 2000-01-01 for 2024-07-01T12:30:00.25.
const SUMMER: i64 = 773_152_200_250_000;

#[test]
fn booleans() {
    assert_eq!(write("bool", oid::BOOL, &[1]), "true");
    assert_eq!(write("bool", oid::BOOL, &[0]), "false");
}

#[test]
fn integers() {
    assert_eq!(write("int", oid::INT2, &(-32_768_i16).to_be_bytes()), "-32768");
    assert_eq!(write("int", oid::INT4, &i32::MIN.to_be_bytes()), "-2147483648");
    assert_eq!(write("int", oid::INT8, &i64::MIN.to_be_bytes()), "-9223372036854775808");
    assert_eq!(write("int", oid::OID, &u32::MAX.to_be_bytes()), "4294967295");
    assert_eq!(write("int", oid::BOOL, &[1]), "1");
    assert_eq!(refuse("int", oid::INT4, &[0, 1]), "the type takes 4 bytes, the server sent 2");
}

#[test]
fn integers_from_aggregates_are_cut_towards_zero() {
    assert_eq!(
        write("int", oid::NUMERIC, &numeric(4, 0, 0, &[9, 2233, 7203, 6854, 7758])),
        "92233720368547758"
    );
    assert_eq!(write("int", oid::NUMERIC, &numeric(0, 0x4000, 2, &[7, 9900])), "-7");
    assert_eq!(write("int", oid::NUMERIC, &numeric(-1, 0x4000, 2, &[9900])), "0");
    assert_eq!(write("int", oid::FLOAT8, &(-0.7_f64).to_be_bytes()), "0");
    assert_eq!(write("int", oid::FLOAT8, &1e22_f64.to_be_bytes()), "10000000000000000000000");
    assert_eq!(
        refuse("int", oid::FLOAT8, &f64::NAN.to_be_bytes()),
        "NaN and infinities cannot be written as JSON"
    );
    assert_eq!(refuse("int", oid::NUMERIC, &numeric(0, 0xC000, 0, &[])), "NaN cannot be written as JSON");
}

#[test]
fn floats() {
    assert_eq!(write("float", oid::FLOAT8, &0.1_f64.to_be_bytes()), "0.1");
    assert_eq!(write("float", oid::FLOAT8, &1e22_f64.to_be_bytes()), "1e+22");
    assert_eq!(write("float", oid::FLOAT4, &0.1_f32.to_be_bytes()), "0.1");
    assert_eq!(write("float", oid::INT8, &5_i64.to_be_bytes()), "5.0");
    assert_eq!(
        write("float", oid::NUMERIC, &numeric(0, 0, 16, &[3, 3333, 3333, 3333, 3333])),
        "3.3333333333333335"
    );
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            refuse("float", oid::FLOAT8, &value.to_be_bytes()),
            "NaN and infinities cannot be written as JSON"
        );
    }
}

#[test]
fn decimals() {
    let price = numeric(0, 0, 2, &[237, 5700]);
    assert_eq!(write("decimal", oid::NUMERIC, &price), r#""237.57""#);
    let with = |places: u32, string: bool| json!({"kind": "decimal", "places": places, "string": string});
    assert_eq!(try_write(&with(2, true), oid::NUMERIC, &price).unwrap(), r#""237.57""#);
    assert_eq!(try_write(&with(4, true), oid::NUMERIC, &price).unwrap(), r#""237.5700""#);
    assert_eq!(try_write(&with(1, false), oid::NUMERIC, &numeric(0, 0, 2, &[0, 2500])).unwrap(), "0.2");
    assert_eq!(try_write(&with(1, false), oid::NUMERIC, &numeric(0, 0, 2, &[0, 3500])).unwrap(), "0.4");
    assert_eq!(write("decimal", oid::INT8, &5_i64.to_be_bytes()), r#""5""#);
    assert_eq!(try_write(&with(2, true), oid::INT4, &5_i32.to_be_bytes()).unwrap(), r#""5.00""#);
    assert_eq!(
        write("decimal", oid::FLOAT8, &0.1_f64.to_be_bytes()),
        r#""0.1000000000000000055511151231257827021181583404541015625""#
    );
    assert_eq!(write("decimal", oid::FLOAT8, &1200.0_f64.to_be_bytes()), r#""1200""#);
}

#[test]
fn decimals_that_are_no_number() {
    let nan = numeric(0, 0xC000, 0, &[]);
    assert_eq!(write("decimal", oid::NUMERIC, &nan), r#""NaN""#);
    assert_eq!(
        try_write(&json!({"kind": "decimal", "string": false}), oid::NUMERIC, &nan).unwrap_err(),
        "NaN cannot be written as JSON"
    );
    assert_eq!(
        refuse("decimal", oid::NUMERIC, &numeric(0, 0xD000, 0, &[])),
        "an infinity cannot be written as JSON"
    );
}

#[test]
fn text_of_any_type_that_is_sent_as_text() {
    for oid in [oid::TEXT, oid::VARCHAR, oid::BPCHAR, oid::NAME, 16_385] {
        assert_eq!(write("text", oid, "a\"é\n".as_bytes()), r#""a\"é\n""#);
    }
    let error = refuse(
        "text",
        oid::TEXT,
        b"caf\xe9 with more than sixty-four bytes, so that it is checked by vectors",
    );
    assert_eq!(error, "invalid utf-8 sequence of 1 bytes from index 3");
}

#[test]
fn uuids_and_bytes() {
    let uuid: Vec<u8> = (0..16).collect();
    assert_eq!(write("uuid", oid::UUID, &uuid), r#""00010203-0405-0607-0809-0a0b0c0d0e0f""#);
    assert_eq!(write("bytes", oid::BYTEA, &[0xFF, 0, 1]), r#""/wAB""#);
    assert_eq!(write("bytes", oid::BYTEA, &[]), r#""""#);
}

#[test]
fn dates() {
    assert_eq!(write("date", oid::DATE, &0_i32.to_be_bytes()), r#""2000-01-01""#);
    assert_eq!(write("date", oid::DATE, &(-730_119_i32).to_be_bytes()), r#""0001-01-01""#);
    assert_eq!(refuse("date", oid::DATE, &i32::MAX.to_be_bytes()), "an infinite date has no JSON form");
    assert!(refuse("date", oid::DATE, &(-730_120_i32).to_be_bytes()).contains("years 1 to 9999"));
    assert_eq!(write("date", oid::TIMESTAMP, &SUMMER.to_be_bytes()), r#""2024-07-01""#);
    // The session's date (Tokyo), whatever zone is active: 15:00Z is midnight there.
    let evening = (SUMMER + 9_000_000_000).to_be_bytes();
    assert_eq!(write("date", oid::TIMESTAMPTZ, &evening), r#""2024-07-02""#);
}

#[test]
fn times() {
    assert_eq!(write("time", oid::TIME, &86_399_999_999_i64.to_be_bytes()), r#""23:59:59.999999""#);
    assert_eq!(write("time", oid::TIME, &0_i64.to_be_bytes()), r#""00:00:00""#);
    assert!(refuse("time", oid::TIME, &86_400_000_000_i64.to_be_bytes()).contains("outside a day"));
    let timetz = |west: i32| [&3_600_000_000_i64.to_be_bytes()[..], &west.to_be_bytes()].concat();
    assert_eq!(write("time", oid::TIMETZ, &timetz(-19_800)), r#""01:00:00+05:30""#);
    assert_eq!(write("time", oid::TIMETZ, &timetz(18_000)), r#""01:00:00-05:00""#);
    assert_eq!(write("time", oid::TIMETZ, &timetz(0)), r#""01:00:00+00:00""#);
}

#[test]
fn datetimes_in_the_zone_of_the_execution() {
    let aware = json!({"kind": "datetime", "aware": true});
    let naive = json!({"kind": "datetime"});
    let in_zone = |zone, kind, oid| try_write_in(zone, kind, oid, &SUMMER.to_be_bytes()).unwrap();
    assert_eq!(in_zone("UTC", &aware, oid::TIMESTAMPTZ), r#""2024-07-01T12:30:00.250000Z""#);
    assert_eq!(in_zone("Europe/Berlin", &aware, oid::TIMESTAMPTZ), r#""2024-07-01T14:30:00.250000+02:00""#);
    assert_eq!(in_zone("Europe/Berlin", &aware, oid::TIMESTAMP), r#""2024-07-01T12:30:00.250000+02:00""#);
    // The session's zone is Tokyo.
    assert_eq!(in_zone("Europe/Berlin", &naive, oid::TIMESTAMPTZ), r#""2024-07-01T21:30:00.250000""#);
    assert_eq!(in_zone("Europe/Berlin", &naive, oid::TIMESTAMP), r#""2024-07-01T12:30:00.250000""#);
    assert_eq!(
        try_write(&aware, oid::TIMESTAMPTZ, &i64::MIN.to_be_bytes()).unwrap_err(),
        "an infinite timestamp has no JSON form"
    );
    assert!(try_write(&aware, oid::TIMESTAMPTZ, &(i64::MAX - 1).to_be_bytes()).is_err());
}

#[test]
fn intervals_as_psycopg_reads_them() {
    let interval = |micros: i64, days: i32, months: i32| {
        [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()].concat()
    };
    let text = |micros, days, months| write("duration", oid::INTERVAL, &interval(micros, days, months));
    assert_eq!(text(1_500_000, 0, 0), r#""00:00:01.500000""#);
    assert_eq!(text(0, 3, 14), r#""428 00:00:00""#);
    assert_eq!(text(0, 0, -14), r#""-425 00:00:00""#);
    assert_eq!(text(-1_000_000, 0, 0), r#""-1 23:59:59""#);
    assert_eq!(
        refuse("duration", oid::INTERVAL, &interval(i64::MAX, i32::MAX, i32::MAX)),
        "an infinite interval has no JSON form"
    );
}

#[test]
fn json_is_copied() {
    let text = "{\"b\": 1, \"a\": [123456789012345678901234567890, 1.10]}";
    assert_eq!(write("json", oid::JSON, text.as_bytes()), text);
    assert_eq!(write("json", oid::JSONB, &[&[1], text.as_bytes()].concat()), text);
    assert_eq!(refuse("json", oid::JSONB, b"\x02{}"), "jsonb of a version this driver does not know");
    assert_eq!(write("json", oid::TEXT, b"[1, 2]"), "[1, 2]");
    assert_eq!(write("json", oid::TEXT, b"plain [text"), r#""plain [text""#);
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(write("json", oid::TEXT, deep.as_bytes()), deep);
}

#[test]
fn addresses() {
    let v4 = |bits, cidr| [2, bits, cidr, 4, 10, 0, 0, 1];
    assert_eq!(write("ip", oid::INET, &v4(32, 0)), r#""10.0.0.1""#);
    assert_eq!(write("ip", oid::INET, &v4(8, 0)), r#""10.0.0.1/8""#);
    assert_eq!(write("ip", oid::CIDR, &v4(32, 1)), r#""10.0.0.1/32""#);
    let v6 = |segments: [u16; 8]| {
        let mut cell = vec![3, 128, 0, 16];
        cell.extend(segments.iter().flat_map(|segment| segment.to_be_bytes()));
        write("ip", oid::INET, &cell)
    };
    assert_eq!(v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), r#""2001:db8::1""#);
    assert_eq!(v6([0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304]), r#""::ffff:1.2.3.4""#);
    assert_eq!(v6([0, 0, 0, 0, 0, 0, 0x0102, 0x0304]), r#""::1.2.3.4""#);
    assert_eq!(v6([0, 0, 0, 0, 0, 0, 0, 1]), r#""::1""#);
}

#[test]
fn files_are_urls_behind_their_base() {
    let file =
        |name: &str| try_write(&json!({"kind": "file", "base": "/me\"dia/"}), oid::VARCHAR, name.as_bytes());
    assert_eq!(file("a b/é&+?#.png").unwrap(), r#""/me\"dia/a%20b/%C3%A9%26%2B%3F%23.png""#);
    assert_eq!(file("/x\\y~!*()'_.-").unwrap(), r#""/me\"dia/x/y~!*()'_.-""#);
    assert_eq!(file("").unwrap(), "null");
}

/// An array as the server sends it.
fn array(item: u32, lengths: &[i32], items: &[Option<&[u8]>]) -> Vec<u8> {
    let mut cell = Vec::new();
    cell.extend((lengths.len() as i32).to_be_bytes());
    cell.extend(i32::from(items.contains(&None)).to_be_bytes());
    cell.extend(item.to_be_bytes());
    for length in lengths {
        cell.extend(length.to_be_bytes());
        cell.extend(1_i32.to_be_bytes());
    }
    for item in items {
        match item {
            Some(bytes) => {
                cell.extend((bytes.len() as i32).to_be_bytes());
                cell.extend(*bytes);
            }
            None => cell.extend((-1_i32).to_be_bytes()),
        }
    }
    cell
}

#[test]
fn arrays_as_deep_as_they_are() {
    let ints = json!({"kind": "array", "item": {"kind": "int"}});
    let [one, two] = [1_i32, 2].map(i32::to_be_bytes);
    let cell = array(oid::INT4, &[2, 2], &[Some(&one), None, Some(&two), Some(&one)]);
    assert_eq!(try_write(&ints, 1007, &cell).unwrap(), "[[1,null],[2,1]]");
    let nested = json!({"kind": "array", "item": ints});
    assert_eq!(try_write(&nested, 1007, &cell).unwrap(), "[[1,null],[2,1]]");
    assert_eq!(try_write(&ints, 1007, &array(oid::INT4, &[], &[])).unwrap(), "[]");
    let texts = json!({"kind": "array", "item": {"kind": "text"}});
    // citext[]: the header names the item type.
    assert_eq!(try_write(&texts, 16_400, &array(16_399, &[1], &[Some(b"x")])).unwrap(), r#"["x"]"#);
    assert!(try_write(&ints, 16_400, &array(16_399, &[1], &[Some(b"x")])).unwrap_err().contains("OID 16399"));
    assert!(try_write(&ints, 1007, &cell[..30]).unwrap_err().contains("fewer bytes"));
    assert!(try_write(&ints, 1009, &cell).unwrap_err().contains("OID 25"));
    assert!(try_write(&ints, oid::INT4, &cell).is_err());
}

#[test]
fn hstores_are_objects() {
    let mut cell = 2_i32.to_be_bytes().to_vec();
    for text in [Some("k\""), Some("v"), Some("n"), None] {
        cell.extend(text.map_or(-1, |text| text.len() as i32).to_be_bytes());
        cell.extend(text.unwrap_or_default().as_bytes());
    }
    assert_eq!(write("hstore", 16_500, &cell), r#"{"k\"":"v","n":null}"#);
    assert_eq!(write("hstore", 16_500, &0_i32.to_be_bytes()), "{}");
    assert!(refuse("hstore", 16_500, &cell[..9]).contains("fewer bytes"));
}

#[test]
fn ranges_as_drf_writes_them() {
    let ints = json!({"kind": "range", "item": {"kind": "int"}});
    let bound = |value: i32| [&4_i32.to_be_bytes()[..], &value.to_be_bytes()].concat();
    let range = |flags: u8, bounds: &[i32]| {
        let bounds: Vec<u8> = bounds.iter().flat_map(|&value| bound(value)).collect();
        try_write(&ints, 3904, &[&[flags], &bounds[..]].concat()).unwrap()
    };
    assert_eq!(range(0x02, &[1, 5]), r#""{\"bounds\": \"[)\", \"lower\": \"1\", \"upper\": \"5\"}""#);
    assert_eq!(range(0x06, &[1, 5]), r#""{\"bounds\": \"[]\", \"lower\": \"1\", \"upper\": \"5\"}""#);
    assert_eq!(range(0x08, &[5]), r#""{\"bounds\": \"()\", \"lower\": null, \"upper\": \"5\"}""#);
    assert_eq!(range(0x18, &[]), r#""{\"bounds\": \"()\", \"lower\": null, \"upper\": null}""#);
    assert_eq!(range(0x01, &[]), r#""{\"empty\": true}""#);
    let stamps = json!({"kind": "range", "item": {"kind": "datetime", "aware": true}});
    let cell = [&[0x12][..], &8_i32.to_be_bytes(), &SUMMER.to_be_bytes()].concat();
    assert_eq!(
        try_write(&stamps, 3910, &cell).unwrap(),
        r#""{\"bounds\": \"[)\", \"lower\": \"2024-07-01T21:30:00.250000+09:00\", \"upper\": null}""#
    );
}

#[test]
fn decimals_as_python_prints_them() {
    // 10^-scale: one digit of base 10,000 at the right power.
    let tiny = |scale: u16| {
        let (weight, digit) = (-(scale as i16 + 3) / 4, 10_u16.pow((4 - u32::from(scale) % 4) % 4));
        let parts = [1, weight.cast_unsigned(), 0, scale, digit];
        let mut out = Vec::new();
        super::number::write_str(
            &parts.iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<_>>(),
            &mut out,
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!([tiny(1), tiny(6), tiny(7), tiny(20)], ["0.1", "0.000001", "1E-7", "1E-20"]);
    let mut zero = Vec::new();
    super::number::write_str(&[0, 0, 0, 0, 0, 0, 0, 7], &mut zero).unwrap();
    assert_eq!(zero, b"0E-7");
}

#[test]
fn file_names_are_joined_as_urls_are() {
    let url = |base: &str, name: &str| {
        let mut out = Vec::new();
        super::write_file_url(base, name, &mut out);
        String::from_utf8(out).unwrap()
    };
    // From Python: urljoin(base, filepath_to_uri(name).lstrip("/")).
    for (base, name, expected) in [
        ("/media/", "a b.png", "/media/a%20b.png"),
        ("/media/", "a//b", "/media/a/b"),
        ("/media/", "a//", "/media/a/"),
        ("/media/", "a/", "/media/a/"),
        ("/media/", "./a", "/media/a"),
        ("/media/", "a/..", "/media/"),
        ("/media/", "../../b", "b"),
        ("/media/", "../..", "/"),
        ("/media/", "..b/.c", "/media/..b/.c"),
        ("/media/", "\\a\\\\b", "/media/a/b"),
        ("https://cdn.example/x/", "../../../é", "https://cdn.example/%C3%A9"),
        ("//cdn.example/x/", "a/./b", "//cdn.example/x/a/b"),
    ] {
        assert_eq!(url(base, name), format!("\"{expected}\""), "{base} {name}");
    }
    assert_eq!(url("/media/", ""), "null");
}

#[test]
fn pairs_that_cannot_work_name_both() {
    assert_eq!(refuse("text", oid::INT4, &[]), "the plan reads Text, but the server sends type OID 23");
    assert_eq!(refuse("bool", 16_385, &[]), "the plan reads Bool, but the server sends type OID 16385");
    for (name, oid) in
        [("uuid", oid::TEXT), ("date", oid::TIME), ("json", oid::INT4), ("int", oid::TEXT), ("ip", 20)]
    {
        assert!(refuse(name, oid, &[]).contains("the plan reads"), "{name} over {oid}");
    }
}

#[test]
fn keys_are_the_same_on_both_sides() {
    let clock = Clock::new(Zone::Utc, Zone::Utc);
    let key = |name: &str, oid, cell: &[u8]| {
        resolve(&kind(&json!({"kind": name})), oid).unwrap().key(cell, &clock).unwrap()
    };
    assert_eq!(key("int", oid::INT2, &7_i16.to_be_bytes()), key("int", oid::INT8, &7_i64.to_be_bytes()));
    assert_eq!(key("uuid", oid::UUID, &[9; 16]), Key::Uuid([9; 16]));
    assert_eq!(key("text", oid::VARCHAR, b"a\"b"), Key::Text("a\"b".into()));
    assert_eq!(key("date", oid::DATE, &0_i32.to_be_bytes()), Key::Text("2000-01-01".into()));
    assert_eq!(key("decimal", oid::NUMERIC, &numeric(0, 0, 1, &[1, 5000])), Key::Text("1.5".into()));
}

/// Whatever bytes arrive: an error or JSON, and no panic.
#[test]
fn malformed_cells_are_errors() {
    let mut dice = Dice(42);
    let array = |item: &str| json!({"kind": "array", "item": {"kind": item}});
    let range = |item: &str| json!({"kind": "range", "item": {"kind": item}});
    let pairs = [
        (json!({"kind": "bool"}), oid::BOOL),
        (json!({"kind": "int"}), oid::NUMERIC),
        (json!({"kind": "float"}), oid::FLOAT4),
        (json!({"kind": "float"}), oid::NUMERIC),
        (json!({"kind": "decimal", "places": 3}), oid::NUMERIC),
        (json!({"kind": "decimal"}), oid::FLOAT8),
        (json!({"kind": "text"}), oid::TEXT),
        (json!({"kind": "uuid"}), oid::UUID),
        (json!({"kind": "date"}), oid::DATE),
        (json!({"kind": "date"}), oid::TIMESTAMPTZ),
        (json!({"kind": "time"}), oid::TIMETZ),
        (json!({"kind": "datetime", "aware": true}), oid::TIMESTAMPTZ),
        (json!({"kind": "datetime", "aware": true}), oid::TIMESTAMP),
        (json!({"kind": "duration"}), oid::INTERVAL),
        (json!({"kind": "bytes"}), oid::BYTEA),
        (json!({"kind": "json"}), oid::TEXT),
        (json!({"kind": "ip"}), oid::INET),
        (json!({"kind": "file", "base": "/"}), oid::TEXT),
        (json!({"kind": "hstore"}), 16_500),
        (array("int"), 1007),
        (array("text"), 16_500),
        (range("int"), 3904),
        (range("decimal"), 3906),
    ];
    let clock = Clock::new(Zone::named("Europe/Berlin").unwrap(), Zone::named("Asia/Tokyo").unwrap());
    for (description, oid) in pairs {
        let reader = resolve(&kind(&description), oid).unwrap();
        for _ in 0..20_000 {
            // Mostly small numbers: lengths and counts that could be true.
            let limit = if dice.below(3) == 0 { 256 } else { 6 };
            let cell: Vec<u8> = (0..dice.below(33)).map(|_| dice.below(limit) as u8).collect();
            let mut out = Vec::new();
            let _ = reader.key(&cell, &clock);
            if reader.write(&cell, &clock, &mut out).is_ok() {
                let valid = serde_json::from_slice::<Json>(&out).is_ok();
                assert!(valid, "{description} of {cell:x?}: {}", String::from_utf8_lossy(&out));
            }
        }
    }
}

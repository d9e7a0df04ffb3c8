#![allow(clippy::unwrap_used)]
use super::*;

fn wire(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((digits.len() as u16).to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(scale.to_be_bytes());
    bytes.extend(digits.iter().flat_map(|digit| digit.to_be_bytes()));
    bytes
}

fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Result<String, DecimalError> {
    let mut out = Vec::new();
    write_pg_numeric(&mut out, &wire(weight, sign, scale, digits))?;
    Ok(String::from_utf8(out).unwrap())
}

fn quantized(text: &str, places: u32) -> Result<String, DecimalError> {
    let mut out = Vec::new();
    write_quantized(&mut out, text, places)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn numerics_show_their_declared_scale() {
    for (expected, weight, sign, scale, digits) in [
        ("0", 0, 0, 0, &[][..]),
        ("0.00", 0, 0, 2, &[]),
        ("1", 0, 0, 0, &[1]),
        ("-1.50", 0, 0x4000, 2, &[1, 5000]),
        ("12345678.9", 1, 0, 1, &[1234, 5678, 9000]),
        ("10000", 1, 0, 0, &[1]),
        ("100000000.000", 2, 0, 3, &[1]),
        ("0.0001", -1, 0, 4, &[1]),
        ("0.00001", -2, 0, 5, &[1000]),
        ("0.0000000000012345", -3, 0, 16, &[1, 2345]),
        ("-0.10", -1, 0x4000, 2, &[1000]),
        ("9999.9999", 0, 0, 4, &[9999, 9999]),
        ("10.0100", 0, 0, 4, &[10, 100]),
    ] {
        assert_eq!(numeric(weight, sign, scale, digits).as_deref(), Ok(expected));
    }
}

#[test]
fn long_numerics_keep_every_digit() {
    let digits: Vec<u16> = (0..60).map(|n| 1000 + n).collect();
    let all: String = digits.iter().map(|digit| format!("{digit:04}")).collect();
    let (integer, fraction) = all.split_at(120);
    assert_eq!(numeric(29, 0, 120, &digits).unwrap(), format!("{integer}.{fraction}"));
}

#[test]
fn what_json_cannot_carry_is_an_error_and_appends_nothing() {
    assert_eq!(numeric(0, 0xC000, 0, &[]), Err(DecimalError::NotANumber));
    assert_eq!(numeric(0, 0xD000, 0, &[]), Err(DecimalError::Infinite));
    assert_eq!(numeric(0, 0xF000, 0, &[]), Err(DecimalError::Infinite));
    assert_eq!(numeric(0, 0x1234, 0, &[]), Err(DecimalError::Malformed));
    assert_eq!(numeric(0, 0, 0, &[10_000]), Err(DecimalError::Malformed));
    let mut out = b"x".to_vec();
    let good = wire(0, 0x4000, 0, &[1, 2]);
    for end in 0..good.len() {
        assert_eq!(write_pg_numeric(&mut out, &good[..end]), Err(DecimalError::Malformed));
    }
    assert_eq!(out, b"x");
}

#[test]
fn quantizing_rounds_half_to_even() {
    for (text, places, expected) in [
        ("1.005", 2, "1.00"),
        ("1.015", 2, "1.02"),
        ("1.0051", 2, "1.01"),
        ("2.5", 0, "2"),
        ("3.5", 0, "4"),
        ("9.999", 2, "10.00"),
        ("0.5", 0, "0"),
        ("0.51", 0, "1"),
        ("-0.001", 2, "-0.00"),
        ("0.05", 0, "0"),
        ("1e3", 2, "1000.00"),
        ("1.5E-3", 3, "0.002"),
        ("1.5E-9", 3, "0.000"),
        ("0E+999999999", 1, "0.0"),
        ("+.5", 1, "0.5"),
        ("5.", 1, "5.0"),
        ("007", 0, "7"),
        ("000.1", 3, "0.100"),
        ("99999999999999999999999999.995", 2, "100000000000000000000000000.00"),
    ] {
        assert_eq!(quantized(text, places).as_deref(), Ok(expected), "{text} to {places}");
    }
}

#[test]
fn text_that_is_no_decimal_is_refused() {
    for text in ["", "-", ".", "1.2.3", "1e", "1ex", "e5", "0x1", "1_0", " 1", "１", "1e99999999999999999999"]
    {
        assert_eq!(quantized(text, 2), Err(DecimalError::Malformed), "{text}");
    }
    assert_eq!(quantized("-NaN", 2), Err(DecimalError::NotANumber));
    assert_eq!(quantized("Infinity", 2), Err(DecimalError::Infinite));
    assert_eq!(quantized("1e2000000000", 2), Err(DecimalError::TooLarge));
    assert_eq!(quantized("1", u32::MAX), Err(DecimalError::TooLarge));
}

#[test]
fn floats_become_fifteen_digits_first() {
    let quantized = |value, places| {
        let mut out = Vec::new();
        write_f64_quantized(&mut out, value, places).map(|()| String::from_utf8(out).unwrap())
    };
    // 2.675 is below the tie in binary; at 15 digits it is the tie, and goes to even.
    assert_eq!(quantized(2.675, 2).as_deref(), Ok("2.68"));
    assert_eq!(quantized(0.1 + 0.2, 17).as_deref(), Ok("0.30000000000000000"));
    assert_eq!(quantized(-12.5, 2).as_deref(), Ok("-12.50"));
    assert_eq!(quantized(0.0, 2).as_deref(), Ok("0.00"));
    // Exact ties at the fifteenth digit.
    assert_eq!(quantized(100_000_000_000_000.5, 0).as_deref(), Ok("100000000000000"));
    assert_eq!(quantized(100_000_000_000_001.5, 0).as_deref(), Ok("100000000000002"));
    assert_eq!(quantized(f64::NAN, 2), Err(DecimalError::NotANumber));
    assert_eq!(quantized(f64::NEG_INFINITY, 2), Err(DecimalError::Infinite));
}

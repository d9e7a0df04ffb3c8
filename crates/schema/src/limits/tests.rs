#![allow(clippy::unwrap_used)]
use super::*;

fn literal(text: &str) -> Literal<'_> {
    Literal::parse(text).unwrap()
}

#[test]
fn decimals_are_ordered_exactly() {
    // Ascending; each differs from the next.
    let ladder = [
        "-1e30",
        "-100.1",
        "-100",
        "-99.9999999999999999999999",
        "-1",
        "-0.1",
        "-1e-30",
        "0",
        "1e-30",
        "0.0999",
        "0.1",
        "0.10000000000000000000000001",
        "1",
        "1.5",
        "9.99e0",
        "10",
        "99999999999999999999",
        "1e20",
        "100000000000000000001",
    ];
    for (i, a) in ladder.iter().enumerate() {
        for (j, b) in ladder.iter().enumerate() {
            assert_eq!(compare(&literal(a), &literal(b)), i.cmp(&j), "{a} and {b}");
        }
    }
    for (a, b) in [("0", "-0.00"), ("1e2", "100.000"), ("0.10", "00.1"), ("12e-1", "1.2")] {
        assert_eq!(compare(&literal(a), &literal(b)), Ordering::Equal, "{a} and {b}");
    }
}

#[test]
fn integers_and_literals_agree_on_bounds() {
    for text in ["-3", "0", "2.5", "7", "1e1", "99999999999999999999", "-99999999999999999999"] {
        for side in [Side::Ge, Side::Gt, Side::Le, Side::Lt] {
            let limits = Limits { bounds: vec![Bound::new(side, text).unwrap()], multiple_of: None };
            for value in [i64::MIN, -4, -3, 0, 2, 3, 7, 9, 10, 11, i64::MAX] {
                let exact = limits.check_literal(&value.to_string());
                assert_eq!(limits.check_int(value), exact, "{value} {side:?} {text}");
            }
        }
    }
}

#[test]
fn divisors_are_exact_for_integers_and_decimals() {
    for (divisor, multiples, others) in [
        (
            "3",
            &["0", "3", "-9", "3e40", "300000000000000000000000000000000000003"][..],
            &["1", "3.1", "1e40"][..],
        ),
        ("0.05", &["0.1", "-0.25", "100", "1e30", "0.050"], &["0.051", "0.01", "1e-30"]),
        ("2.5e1", &["50", "75.000"], &["5", "26", "24.9999999999999999999"]),
        ("1e-18", &["1e-18", "0.1", "12345678901234567890.5"], &["1e-19", "0.1000000000000000001"]),
        ("999999999999999999", &["999999999999999999000"], &["999999999999999998"]),
    ] {
        let divisor = Divisor::new(divisor).unwrap();
        for text in multiples {
            assert!(divisor.divides(&literal(text)), "{text} of {}", divisor.text);
        }
        for text in others {
            assert!(!divisor.divides(&literal(text)), "{text} of {}", divisor.text);
        }
    }
    let tenth = Divisor::new("0.1").unwrap();
    assert!(tenth.divides_int(i64::MIN) && tenth.divides_int(7));
    let seven = Divisor::new("7.0").unwrap();
    for value in [i64::MIN, -8, -7, 0, 6, 7, 14, i64::MAX] {
        assert_eq!(seven.divides_int(value), value % 7 == 0, "{value}");
    }
}

#[test]
fn divisors_beyond_reason_are_refused() {
    for text in ["0", "0.0", "-1", "x", "1e18", "1e-19", "1e400", "12345678901234567890", "1e-2000000000"] {
        assert!(Divisor::new(text).is_none(), "{text}");
    }
}

#[test]
fn float_multiples_forgive_binary_rounding() {
    let divisor = Divisor::new("0.1").unwrap();
    for value in [0.0, 0.1, 0.3, 0.7, 1.1, -2.2, 123_456.7] {
        assert!(divisor.divides_float(value), "{value}");
    }
    for value in [0.05, 0.11, 1.000_01] {
        assert!(!divisor.divides_float(value), "{value}");
    }
}

#[test]
fn zeros_at_the_end_count_where_they_are_to() {
    let limits = DecimalLimits {
        max_digits: Some(4),
        decimal_places: Some(2),
        count_zeros: true,
        ..DecimalLimits::default()
    };
    for fits in ["0.00", "0", "12.50", "-1.5", "1E+1", "0.01"] {
        assert!(limits.check(fits).is_ok(), "{fits}");
    }
    for refused in ["0.000", "1.500", "123.0", "12345", "1E+4"] {
        assert!(limits.check(refused).is_err(), "{refused}");
    }
}

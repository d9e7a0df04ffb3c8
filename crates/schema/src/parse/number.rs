//! Numbers from JSON literals and from parameter text.

use plectrum_json::decimal::Literal;

/// Longest integer, in digits: Python's own bound, since reading one takes quadratic time there.
const MAX_INTEGER_DIGITS: usize = 4300;

/// An integer of any size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Integer {
    /// One that fits 64 bits.
    Small(i64),
    /// Canonical digits, with a minus where negative.
    Big(String),
}

/// Why a number is no integer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotInteger {
    /// No number at all.
    Malformed,
    /// It has a fraction.
    Fraction,
    /// More digits than Python reads.
    TooLong,
}

/// An integer in ASCII digits with an optional minus that fits 64 bits; the fast path of JSON literals.
#[inline]
pub(crate) fn small_integer(literal: &[u8]) -> Option<i64> {
    let (negative, digits) = match literal {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // Eighteen digits cannot overflow.
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// An integer from a decimal literal, where nothing is lost: `1.0` and `1e3` are, `1.5` is not.
pub(crate) fn integer(literal: &str) -> Result<Integer, NotInteger> {
    if let Some(small) = small_integer(literal.as_bytes()) {
        return Ok(Integer::Small(small));
    }
    let number = Literal::parse(literal).map_err(|_| NotInteger::Malformed)?;
    let point = number.point();
    let whole = usize::try_from(point).unwrap_or(0);
    if number.digits().skip(whole).any(|digit| digit != b'0') {
        return Err(NotInteger::Fraction);
    }
    let leading = number.digits().take(whole).take_while(|&digit| digit == b'0').count();
    if whole - leading > MAX_INTEGER_DIGITS {
        return Err(NotInteger::TooLong);
    }
    let sign = number.is_negative().then_some('-');
    let digits = number.digits().chain(std::iter::repeat(b'0')).take(whole).skip(leading).map(char::from);
    let text: String = sign.into_iter().chain(digits).collect();
    Ok(match text.parse() {
        _ if matches!(text.as_str(), "" | "-") => Integer::Small(0),
        Ok(small) => Integer::Small(small),
        Err(_) => Integer::Big(text),
    })
}

/// An integer from parameter text: white space around it, a plus, leading zeros, single underscores between digits
/// and an empty fraction (`1.0`) are fine, an exponent is not.
pub(crate) fn integer_text(text: &str) -> Result<Integer, NotInteger> {
    let text = text.trim();
    if let Some(small) = small_integer(text.as_bytes()) {
        return Ok(Integer::Small(small));
    }
    if text.contains(['e', 'E']) {
        return Err(NotInteger::Malformed);
    }
    integer(&without_underscores(text).ok_or(NotInteger::Malformed)?)
}

/// Python's digit grouping removed; `None` where an underscore does not stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let between_digits = |at: usize| {
        let digit =
            |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    let well_placed = text.match_indices('_').all(|(at, _)| between_digits(at));
    well_placed.then(|| text.replace('_', ""))
}

/// A float from parameter text; it may still be infinite or NaN.
pub(crate) fn float_text(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A boolean from parameter text.
pub(crate) fn bool_text(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "1", "on", "yes"]) {
        return Some(true);
    }
    is(["false", "0", "off", "no"]).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integral_literals_lose_nothing() {
        for (literal, value) in [
            ("0", 0),
            ("-0", 0),
            ("1.0", 1),
            ("-0.0", 0),
            ("1e3", 1000),
            ("1.50e1", 15),
            ("0e999999", 0),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(integer(literal), Ok(Integer::Small(value)), "{literal}");
        }
        assert_eq!(integer("9223372036854775808"), Ok(Integer::Big("9223372036854775808".into())));
        assert_eq!(integer("-1e19"), Ok(Integer::Big("-10000000000000000000".into())));
        assert_eq!(integer("1.5"), Err(NotInteger::Fraction));
        assert_eq!(integer("1e-1"), Err(NotInteger::Fraction));
        assert_eq!(integer("1e4300"), Err(NotInteger::TooLong));
        assert!(matches!(integer("1e4299"), Ok(Integer::Big(_))));
        assert_eq!(integer("1e99999999999"), Err(NotInteger::Malformed));
    }

    #[test]
    fn parameter_text_may_be_untidy() {
        for (text, value) in
            [(" 12 ", 12), ("+7", 7), ("007", 7), ("1_000", 1000), ("-1.0", -1), ("12\n", 12)]
        {
            assert_eq!(integer_text(text), Ok(Integer::Small(value)), "{text}");
        }
        for text in ["", " ", "-", "_1", "1_", "1__0", "-_1", "1e3", "0x10", "１", "1 2", "--1", "."] {
            assert_eq!(integer_text(text), Err(NotInteger::Malformed), "{text:?}");
        }
        assert_eq!(integer_text("1.5"), Err(NotInteger::Fraction));
    }

    #[test]
    fn booleans_have_eight_words() {
        for word in ["true", "TRUE", "1", "on", "Yes"] {
            assert_eq!(bool_text(word), Some(true));
        }
        for word in ["false", "0", "OFF", "no"] {
            assert_eq!(bool_text(word), Some(false));
        }
        for word in ["", "2", "t", "y", "null", " true"] {
            assert_eq!(bool_text(word), None);
        }
    }
}

//! Typed path parameters: which text a `{name:type}` accepts.

/// The type of a path parameter, in order of precedence: where several match, the first one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Converter {
    /// `int`: decimal digits, as Django's (no sign).
    Int,
    /// `uuid`: 8-4-4-4-12 hexadecimal digits, either case.
    Uuid,
    /// `date`: `YYYY-MM-DD`, a day that exists.
    Date,
    /// `decimal`: digits with an optional sign and fraction.
    Decimal,
    /// `float`: a decimal with an optional exponent.
    Float,
    /// `slug`: ASCII letters, digits, `-` and `_`.
    Slug,
    /// `str`, the default: anything but nothing and `/`.
    Str,
    /// `path`: anything but nothing, over all remaining segments.
    Path,
}

impl Converter {
    /// All converters, in order of precedence.
    pub const ALL: [Self; 8] =
        [Self::Int, Self::Uuid, Self::Date, Self::Decimal, Self::Float, Self::Slug, Self::Str, Self::Path];

    /// The name in a pattern.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Slug => "slug",
            Self::Str => "str",
            Self::Path => "path",
        }
    }

    /// The converter called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|converter| converter.name() == name)
    }

    /// Whether decoded `text` is of this type.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Int => is_digits(text),
            Self::Uuid => is_uuid(text.as_bytes()),
            Self::Date => is_date(text.as_bytes()),
            Self::Decimal => is_decimal(text),
            Self::Float => is_float(text),
            Self::Slug => {
                !text.is_empty()
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            }
            Self::Str | Self::Path => !text.is_empty(),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = unsigned(text).split_once('.').unwrap_or((unsigned(text), "0"));
    is_digits(whole) && is_digits(fraction)
}

fn is_float(text: &str) -> bool {
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => is_decimal(mantissa) && is_digits(unsigned(exponent)),
        None => is_decimal(text),
    }
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(text: &[u8]) -> bool {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *text else { return false };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
    };
    match (number(&[y0, y1, y2, y3]), number(&[m0, m1]), number(&[d0, d1])) {
        (Some(year), Some(month), Some(day)) => year >= 1 && (1..=days_in(year, month)).contains(&day),
        _ => false,
    }
}

/// Days of a month; none for a month that does not exist.
fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(converter: Converter, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(converter.accepts(text), "{} should accept {text:?}", converter.name());
        }
        for text in bad {
            assert!(!converter.accepts(text), "{} should refuse {text:?}", converter.name());
        }
    }

    #[test]
    fn numbers() {
        check(
            Converter::Int,
            &["0", "007", "12345678901234567890"],
            &["", "-1", "+1", "1.0", "a", "1a", "١"],
        );
        check(Converter::Decimal, &["1", "-1.50", "+0.1"], &["", ".5", "1.", "1.2.3", "1e3", "-", "--1"]);
        check(Converter::Float, &["1", "-1.5e-3", "2E10"], &["", "e3", "1e", "1e1.5", "nan", "inf", ".5"]);
    }

    #[test]
    fn uuids() {
        check(
            Converter::Uuid,
            &["00000000-0000-0000-0000-000000000000", "ABCDEFab-cdef-1234-5678-9abcdef01234"],
            &["", "00000000000000000000000000000000", "g0000000-0000-0000-0000-000000000000"],
        );
    }

    #[test]
    fn dates_exist() {
        check(
            Converter::Date,
            &["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
            &[
                "2023-02-29",
                "1900-02-29",
                "2024-13-01",
                "2024-00-01",
                "2024-04-31",
                "2024-1-1",
                "0000-01-01",
                "x",
            ],
        );
    }

    #[test]
    fn text() {
        check(Converter::Slug, &["a", "A-b_9"], &["", "a b", "é", "a.b", "a/b"]);
        check(Converter::Str, &["a", "é", "a b"], &[""]);
        check(Converter::Path, &["a/b", "/"], &[""]);
    }

    #[test]
    fn names_round_trip() {
        for converter in Converter::ALL {
            assert_eq!(Converter::from_name(converter.name()), Some(converter));
        }
        assert_eq!(Converter::from_name("Int"), None);
    }
}

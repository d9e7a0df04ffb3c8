//! Leaf types: text or a number literal → checked → handed to the sink. Shared by JSON and parameter input.

use crate::error::{Problem, Problems, table::Code};
use crate::limits::{DecimalLimits, Limits};
use crate::node::{Choices, Length, Node, Scalar, StrRule};
use crate::parse::number::{Integer, NotInteger};
use crate::parse::{Reason, duration, number, temporal, uuid};
use crate::sink::Sink;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use plectrum_json::decimal::Literal;
use plectrum_json::read::Number;

type Checked<S> = Result<<S as Sink>::Value, Problems>;

/// A type that JSON carries as text: strings, bytes, UUIDs, dates, times and decimals. `None` for any other.
pub(crate) fn from_text<S: Sink>(node: &Node, text: &str, sink: &mut S) -> Option<Checked<S>> {
    Some(match node {
        Node::Str(rule) => string(rule, text, sink),
        Node::Uuid => match uuid::parse(text) {
            Some(value) => Ok(sink.uuid(value)),
            None => Err(Code::UuidParsing.into()),
        },
        Node::Date => temporal::date(text).map(|date| sink.date(date)).map_err(reason(Code::DateParsing)),
        Node::Time => temporal::time(text).map(|time| sink.time(time)).map_err(reason(Code::TimeParsing)),
        Node::Datetime => {
            let parsed = temporal::datetime(text).map_err(reason(Code::DatetimeParsing));
            parsed.map(|(date, time)| sink.datetime(date, time))
        }
        Node::Duration => {
            let parsed = duration::parse(text).map_err(reason(Code::DurationParsing));
            parsed.map(|microseconds| sink.duration(microseconds))
        }
        Node::Decimal(limits) => decimal(limits, text.trim(), sink),
        Node::Bytes(length) => bytes(*length, text, sink),
        _ => return None,
    })
}

fn reason(code: Code) -> impl Fn(Reason) -> Problems {
    move |reason| Problem::from(code).with("error", reason).into()
}

/// Text within its rules.
#[inline]
pub(crate) fn string<S: Sink>(rule: &StrRule, text: &str, sink: &mut S) -> Checked<S> {
    Ok(sink.str(check_string(rule, text)?))
}

/// The text, stripped where it has to be, if it is within its rules.
#[inline]
pub(crate) fn check_string<'t>(rule: &StrRule, text: &'t str) -> Result<&'t str, Problems> {
    let text = if rule.strip { text.trim_matches(is_python_space) } else { text };
    if text.is_empty() {
        match rule.blank {
            Some(true) => return Ok(text),
            Some(false) => return Err(Code::StringBlank.into()),
            None => {}
        }
    }
    let length = rule.length;
    let fits = length.max_length.is_none_or(|max| !is_longer(text, max))
        && length.min_length.is_none_or(|min| !is_shorter(text, min))
        && !(rule.no_nul && text.contains('\0'))
        && rule.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        && rule.format.is_none_or(|format| format.matches(text));
    if fits { Ok(text) } else { Err(broken_rules(rule, text)) }
}

/// Every rule that a text breaks, in the order of DRF's validators.
#[cold]
fn broken_rules(rule: &StrRule, text: &str) -> Problems {
    let problem = Problem::from;
    let Length { max_length, min_length } = rule.length;
    let long = max_length.filter(|&max| is_longer(text, max));
    let short = min_length.filter(|&min| is_shorter(text, min));
    let pattern = rule.pattern.as_ref().filter(|pattern| !pattern.is_match(text));
    let format = rule.format.filter(|format| !format.matches(text));
    let found = [
        long.map(|max| problem(Code::StringTooLong).with("max_length", max)),
        short.map(|min| problem(Code::StringTooShort).with("min_length", min)),
        (rule.no_nul && text.contains('\0')).then(|| problem(Code::StringNul)),
        pattern.map(|pattern| problem(Code::StringPatternMismatch).with("pattern", pattern.as_str())),
        format.map(|format| {
            problem(Code::StringFormat).with("noun", format.noun()).with("format", format.name())
        }),
    ];
    Problems::of(found.into_iter().flatten())
}

/// What `str.strip` removes: Unicode white space and the four ASCII separators.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

/// Characters are counted only where the number of bytes does not settle it (a character takes one to four).
#[inline]
fn is_longer(text: &str, max: usize) -> bool {
    text.len() > max && text.chars().count() > max
}

#[inline]
fn is_shorter(text: &str, min: usize) -> bool {
    text.len() / 4 < min && text.chars().count() < min
}

/// Base64 of either alphabet, padded or not.
fn bytes<S: Sink>(length: Length, text: &str, sink: &mut S) -> Checked<S> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    let value = engine.decode(text).map_err(|_| Code::BytesInvalidEncoding)?;
    check_bytes(length, &value)?;
    Ok(sink.bytes(&value))
}

/// Whether a number of bytes is within its rules.
pub(crate) fn check_bytes(length: Length, value: &[u8]) -> Result<(), Problem> {
    if let Some(min) = length.min_length.filter(|&min| value.len() < min) {
        return Err(Problem::from(Code::BytesTooShort).with("min_length", min));
    }
    if let Some(max) = length.max_length.filter(|&max| value.len() > max) {
        return Err(Problem::from(Code::BytesTooLong).with("max_length", max));
    }
    Ok(())
}

/// A decimal from its literal, kept as written.
pub(crate) fn decimal<S: Sink>(limits: &DecimalLimits, literal: &str, sink: &mut S) -> Checked<S> {
    check_decimal(limits, literal)?;
    Ok(sink.decimal(literal))
}

/// Whether a decimal literal is within its rules.
pub(crate) fn check_decimal(limits: &DecimalLimits, literal: &str) -> Result<(), Problems> {
    /// PostgreSQL's `numeric` ends here; a short literal with a long exponent must not expand later.
    const WIDEST: std::ops::RangeInclusive<i64> = -16_383..=131_072;
    let number = Literal::parse(literal).map_err(|_| Code::DecimalParsing)?;
    if !WIDEST.contains(&number.point()) {
        return Err(Code::DecimalParsing.into());
    }
    limits.check(literal)
}

/// An integer from a JSON number.
#[inline]
pub(crate) fn int_number<S: Sink>(limits: &Limits, number: &Number<'_>, sink: &mut S) -> Checked<S> {
    match number.small {
        Some(value) => {
            limits.check_int(value)?;
            Ok(sink.int(value))
        }
        None => int_literal(limits, number.literal, sink),
    }
}

/// An integer from a number's literal.
pub(crate) fn int_literal<S: Sink>(limits: &Limits, literal: &str, sink: &mut S) -> Checked<S> {
    match number::integer(literal) {
        Err(NotInteger::Malformed) => Err(Code::IntParsingSize.into()),
        other => integer(limits, other, sink),
    }
}

/// An integer from parameter text.
pub(crate) fn int_text<S: Sink>(limits: &Limits, text: &str, sink: &mut S) -> Checked<S> {
    integer(limits, number::integer_text(text), sink)
}

fn integer<S: Sink>(limits: &Limits, parsed: Result<Integer, NotInteger>, sink: &mut S) -> Checked<S> {
    match parsed {
        Ok(Integer::Small(value)) => {
            limits.check_int(value)?;
            Ok(sink.int(value))
        }
        Ok(Integer::Big(digits)) => {
            limits.check_literal(&digits)?;
            Ok(sink.big_int(&digits))
        }
        Err(NotInteger::Malformed) => Err(Code::IntParsing.into()),
        Err(NotInteger::Fraction) => Err(Code::IntFromFloat.into()),
        Err(NotInteger::TooLong) => Err(Code::IntParsingSize.into()),
    }
}

/// A float, as JSON or parameter text spells it; `None` stands for text that is no number.
#[inline]
pub(crate) fn float<S: Sink>(limits: &Limits, value: Option<f64>, sink: &mut S) -> Checked<S> {
    match value {
        Some(value) if value.is_finite() => {
            limits.check_float(value)?;
            Ok(sink.float(value))
        }
        Some(_) => Err(Code::FiniteNumber.into()),
        None => Err(Code::FloatParsing.into()),
    }
}

/// A JSON number without a declared type: an integer keeps its size, the rest is a float.
pub(crate) fn any_number<S: Sink>(number: &Number<'_>, sink: &mut S) -> Checked<S> {
    let limits = Limits::default();
    if number.is_integer() {
        return int_number(&limits, number, sink);
    }
    float(&limits, number.literal.parse().ok(), sink)
}

/// A duration from a JSON number of seconds.
pub(crate) fn seconds<S: Sink>(literal: &str, sink: &mut S) -> Checked<S> {
    duration::seconds(literal).map(|micros| sink.duration(micros)).map_err(reason(Code::DurationParsing))
}

/// Where a constant's text form is `text`.
pub(crate) fn choice_from_text(choices: &Choices, text: &str) -> Option<usize> {
    choices.position(|choice| match choice {
        Scalar::Str(value) => value == text,
        Scalar::Int(value) => {
            matches!(number::integer_text(text), Ok(Integer::Small(found)) if found == *value)
        }
        Scalar::Float(value) => number::float_text(text) == Some(*value),
        Scalar::Bool(value) => number::bool_text(text) == Some(*value),
        Scalar::Null => false,
    })
}

/// Where a constant equals a JSON number, as Python compares numbers.
pub(crate) fn choice_from_number(choices: &Choices, literal: &str) -> Option<usize> {
    let int = match number::integer(literal) {
        Ok(Integer::Small(value)) => Some(value),
        _ => None,
    };
    let float = literal.parse::<f64>().ok();
    choices.position(|choice| match choice {
        Scalar::Int(value) => int == Some(*value),
        Scalar::Float(value) => float == Some(*value),
        _ => false,
    })
}

/// The value of an enum or a literal: member `index`, or the constant itself.
pub(crate) fn choice<S: Sink>(node: &Node, index: Option<usize>, sink: &mut S) -> Result<S::Value, Problem> {
    let (class, choices) = match node {
        Node::Enum { class, values } => (Some(*class), values),
        Node::Literal { values } => (None, values),
        _ => return Err(Code::LiteralError.into()),
    };
    let value = index.and_then(|index| Some((index, choices.values.get(index)?)));
    match (value, class) {
        (Some((index, _)), Some(class)) => Ok(sink.enum_member(class, index)),
        (Some((_, constant)), None) => Ok(match constant {
            Scalar::Bool(value) => sink.bool(*value),
            Scalar::Int(value) => sink.int(*value),
            Scalar::Float(value) => sink.float(*value),
            Scalar::Str(value) => sink.str(value),
            Scalar::Null => sink.null(),
        }),
        (None, class) => {
            let code = if class.is_some() { Code::Enum } else { Code::LiteralError };
            Err(Problem::from(code).with("expected", choices.expected.as_str()))
        }
    }
}

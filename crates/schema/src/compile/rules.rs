//! Constraints of scalars and lengths.

use super::{Result, members::Members};
use crate::format::Format;
use crate::limits::{Bound, DecimalLimits, Divisor, Limits, Side, compare};
use crate::node::{Choices, Length, Scalar, StrRule, UploadRule};
use plectrum_json::decimal::Literal;
use regex::Regex;
use serde_json::Value;

const NUMBER: &[&str] = &["ge", "gt", "le", "lt", "multiple_of"];
const DECIMAL: &[&str] =
    &["ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places", "count_zeros"];
const LENGTH: &[&str] = &["min_length", "max_length"];
const TEXT: &[&str] = &["min_length", "max_length", "pattern", "format", "strip", "blank", "no_nul"];

/// The constraints a type knows.
pub(super) fn constraints(kind: &str) -> &'static [&'static str] {
    match kind {
        "int" | "float" => NUMBER,
        "decimal" => DECIMAL,
        "str" => TEXT,
        "bytes" | "list" | "dict" => LENGTH,
        "upload" => &["max_size", "media_types"],
        _ => &[],
    }
}

pub(super) fn limits(members: &mut Members<'_>) -> Result<Limits> {
    let mut limits = Limits::default();
    for side in [Side::Ge, Side::Gt, Side::Le, Side::Lt] {
        let Some(text) = number(members, side.name())? else { continue };
        let bound = Bound::new(side, &text);
        let invalid = || members.error(format!("`{}` must be a finite number, found {text}", side.name()));
        limits.bounds.push(bound.ok_or_else(invalid)?);
    }
    if let Some(text) = number(members, "multiple_of")? {
        let message = || format!("`multiple_of` must be above zero and of at most 18 digits, found {text}");
        limits.multiple_of = Some(Divisor::new(&text).ok_or_else(|| members.error(message()))?);
    }
    refuse_empty_range(&limits, members)?;
    Ok(limits)
}

/// A number's text, kept exact; decimals may come as text.
fn number(members: &mut Members<'_>, name: &str) -> Result<Option<String>> {
    match members.optional(name) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(members.error(format!("`{name}` must be a number, found {other}"))),
    }
}

/// Lower bounds above upper ones leave no value.
fn refuse_empty_range(limits: &Limits, members: &Members<'_>) -> Result<()> {
    let is_lower = |bound: &&Bound| matches!(bound.side, Side::Ge | Side::Gt);
    for low in limits.bounds.iter().filter(is_lower) {
        for high in limits.bounds.iter().filter(|bound| !is_lower(bound)) {
            let (Ok(least), Ok(most)) = (Literal::parse(&low.text), Literal::parse(&high.text)) else {
                continue;
            };
            let order = compare(&least, &most);
            let both_included = low.side == Side::Ge && high.side == Side::Le;
            if order.is_gt() || (order.is_eq() && !both_included) {
                let (low, high) = ((low.side.name(), &low.text), (high.side.name(), &high.text));
                let message = format!("no value meets both {}={} and {}={}", low.0, low.1, high.0, high.1);
                return Err(members.error(message));
            }
        }
    }
    Ok(())
}

pub(super) fn decimal(members: &mut Members<'_>) -> Result<DecimalLimits> {
    let limits = limits(members)?;
    let max_digits = members.small_count("max_digits")?;
    let decimal_places = members.small_count("decimal_places")?;
    let count_zeros = members.flag("count_zeros", false)?;
    match (max_digits, decimal_places) {
        (Some(0), _) => Err(members.error("`max_digits` must be at least 1")),
        (Some(digits), Some(places)) if places > digits => {
            let message = format!("`decimal_places` ({places}) must not exceed `max_digits` ({digits})");
            Err(members.error(message))
        }
        _ => Ok(DecimalLimits { limits, max_digits, decimal_places, count_zeros }),
    }
}

pub(super) fn upload(members: &mut Members<'_>) -> Result<UploadRule> {
    let max_size = members.count("max_size")?.map(|size| size as u64);
    let mut media_types = Vec::new();
    for value in members.list("media_types")? {
        let text = value.as_str().filter(|text| text.contains('/'));
        let message =
            || format!("`media_types` holds types such as \"image/png\" or \"image/*\", found {value}");
        media_types.push(text.ok_or_else(|| members.error(message()))?.to_ascii_lowercase());
    }
    Ok(UploadRule { max_size, media_types })
}

pub(super) fn length(members: &mut Members<'_>) -> Result<Length> {
    let length =
        Length { min_length: members.count("min_length")?, max_length: members.count("max_length")? };
    match (length.min_length, length.max_length) {
        (Some(min), Some(max)) if min > max => {
            Err(members.error(format!("no value meets both min_length={min} and max_length={max}")))
        }
        _ => Ok(length),
    }
}

pub(super) fn text(members: &mut Members<'_>) -> Result<StrRule> {
    let length = length(members)?;
    let pattern = match members.optional_text("pattern")? {
        None => None,
        Some(pattern) => Some(Regex::new(pattern).map_err(|error| {
            let fix =
                "look-around and back-references are not supported, since they make matching time unbounded";
            members.error(format!("`pattern` does not compile: {error}; {fix}"))
        })?),
    };
    let strip = members.flag("strip", false)?;
    let blank = match members.optional("blank") {
        None => None,
        Some(_) => Some(members.flag("blank", true)?),
    };
    let no_nul = members.flag("no_nul", false)?;
    Ok(StrRule { length, pattern, format: format(members)?, strip, blank, no_nul })
}

fn format(members: &mut Members<'_>) -> Result<Option<Format>> {
    let Some(name) = members.optional_text("format")? else { return Ok(None) };
    let Some(format) = Format::ALL.iter().find(|format| format.name() == name) else {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        return Err(members.error(format!("unknown `format` `{name}`; use {}", known.join(", "))));
    };
    format.prepare();
    Ok(Some(*format))
}

pub(super) fn choices(members: &mut Members<'_>) -> Result<Choices> {
    let values = members.list("values")?;
    if values.is_empty() {
        return Err(members.error("at least one value is needed"));
    }
    let scalars = values.iter().map(|value| {
        scalar(value).ok_or_else(|| {
            members.error(format!("values must be text, numbers, booleans or null, found {value}"))
        })
    });
    Ok(Choices::new(scalars.collect::<Result<_>>()?))
}

/// A constant; `None` for lists, objects and integers past 64 bits.
pub(super) fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Null => Some(Scalar::Null),
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::String(value) => Some(Scalar::Str(value.clone())),
        Value::Number(number) => match number.as_i64() {
            Some(int) => Some(Scalar::Int(int)),
            None => number.as_f64().filter(|_| !number.is_u64()).map(Scalar::Float),
        },
        Value::Array(_) | Value::Object(_) => None,
    }
}

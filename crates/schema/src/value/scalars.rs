//! Values without inner structure.

use super::{Input, View};
use crate::error::{Problem, Problems, table::Code};
use crate::json::scalars::wrong_type;
use crate::leaf;
use crate::node::{Choices, Node, Scalar};
use crate::sink::Sink;

/// A leaf: its value, or its problems.
pub(super) fn scalar<S: Sink, I: Input<S>>(
    node: &Node,
    input: &I,
    sink: &mut S,
) -> Result<S::Value, Problems> {
    let view = input.view();
    match (node, &view) {
        (Node::Enum { class, .. }, _) if input.is_instance(sink, *class) => Ok(input.keep()),
        (Node::Enum { values, .. } | Node::Literal { values }, _) => {
            leaf::choice(node, choice(values, &view), sink)
                .map_err(|problem| problem.with("found", view.name()).into())
        }
        (Node::Str(rule), View::Str(text)) => {
            let checked = leaf::check_string(rule, text)?;
            Ok(if checked.len() == text.len() { input.keep() } else { sink.str(checked) })
        }
        (_, View::BrokenStr) => Err(Code::StringUnicode.into()),
        (Node::Null, View::Null) => Ok(sink.null()),
        (Node::Bool, View::Bool(value)) => Ok(sink.bool(*value)),
        (Node::Int(_) | Node::Float(_) | Node::Decimal(_) | Node::Duration, _) => {
            number(node, input, &view, sink)
        }
        (Node::Bytes(length), View::Bytes(bytes)) => {
            leaf::check_bytes(*length, bytes)?;
            Ok(input.keep())
        }
        (Node::Uuid, View::Uuid)
        | (Node::Date, View::Date)
        | (Node::Time, View::Time)
        | (Node::Datetime, View::Datetime) => Ok(input.keep()),
        (_, View::Str(text)) => leaf::from_text(node, text, sink).unwrap_or_else(|| Err(wrong(node, &view))),
        _ => Err(wrong(node, &view)),
    }
}

fn wrong(node: &Node, view: &View<'_>) -> Problems {
    Problem::from(wrong_type(node)).with("found", view.name()).into()
}

/// A number, or what a number may stand for.
fn number<S: Sink, I: Input<S>>(
    node: &Node,
    input: &I,
    view: &View<'_>,
    sink: &mut S,
) -> Result<S::Value, Problems> {
    match (node, view) {
        (Node::Int(limits), View::Int(value)) => {
            limits.check_int(*value)?;
            Ok(input.keep())
        }
        (Node::Int(limits), View::BigInt(digits)) => {
            limits.check_literal(digits)?;
            Ok(input.keep())
        }
        (Node::Int(limits), View::Float(value)) if value.is_finite() => {
            leaf::int_literal(limits, &value.to_string(), sink)
        }
        (Node::Int(limits), View::Decimal(literal)) => leaf::int_literal(limits, literal, sink),
        (Node::Int(_), View::Float(_)) => Err(Code::FiniteNumber.into()),
        (Node::Float(limits), View::Float(value)) => leaf::float(limits, Some(*value), sink),
        (Node::Float(limits), View::Int(value)) => leaf::float(limits, Some(*value as f64), sink),
        (Node::Float(limits), View::BigInt(literal) | View::Decimal(literal)) => {
            leaf::float(limits, literal.parse().ok(), sink)
        }
        (Node::Decimal(limits), View::Decimal(literal)) => {
            leaf::check_decimal(limits, literal)?;
            Ok(input.keep())
        }
        (Node::Decimal(limits), View::Int(value)) => leaf::decimal(limits, &value.to_string(), sink),
        (Node::Decimal(limits), View::BigInt(digits)) => leaf::decimal(limits, digits, sink),
        (Node::Decimal(limits), View::Float(value)) => leaf::decimal(limits, &value.to_string(), sink),
        (Node::Duration, View::Duration) => Ok(input.keep()),
        (Node::Duration, View::Int(value)) => leaf::seconds(&value.to_string(), sink),
        (Node::Duration, View::Float(value)) if value.is_finite() => leaf::seconds(&value.to_string(), sink),
        (_, View::Str(text)) => leaf::from_text(node, text, sink).unwrap_or_else(|| Err(wrong(node, view))),
        _ => Err(wrong(node, view)),
    }
}

/// Which of the values this is, as Python compares them.
fn choice(choices: &Choices, view: &View<'_>) -> Option<usize> {
    match view {
        View::Null => choices.position(|choice| *choice == Scalar::Null),
        View::Bool(found) => choices.position(|choice| *choice == Scalar::Bool(*found)),
        View::Str(text) => choices.position(|choice| matches!(choice, Scalar::Str(known) if known == text)),
        View::Int(value) => leaf::choice_from_number(choices, &value.to_string()),
        View::Float(value) => leaf::choice_from_number(choices, &value.to_string()),
        View::Decimal(literal) => leaf::choice_from_number(choices, literal),
        _ => None,
    }
}

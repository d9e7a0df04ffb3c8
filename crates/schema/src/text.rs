//! Text → sink values: path, query, header, cookie and form parameters, and the keys of JSON objects.
//!
//! Text is all there is, so types are read leniently (`1`, `on`, ` 12 `), as web frameworks do. `null` is a word like
//! any other.

use crate::error::{Error, Problems, Step, table::Code};
use crate::json::containers::{check_count, list_type};
use crate::leaf;
use crate::node::{Container, Field, Length, ListNode, Node, Schema, Union};
use crate::parse::number;
use crate::sink::Sink;

type Outcome<S> = Result<<S as Sink>::Value, Vec<Error>>;

/// Validates one parameter. A sequence type takes it as its only item.
///
/// # Errors
/// What does not fit; `loc` is relative to the parameter.
pub fn validate_text<S: Sink>(schema: &Schema, text: &str, sink: &mut S) -> Outcome<S> {
    value(schema, &schema.root, text, sink).map_err(outermost_first)
}

/// Validates the values of a repeated parameter, in order: each an item of a sequence type. A scalar type takes the
/// last, as Django's `QueryDict` does.
///
/// # Errors
/// What does not fit, items located by position; no values at all for a scalar are `missing`.
pub fn validate_texts<S: Sink, T: AsRef<str>>(schema: &Schema, texts: &[T], sink: &mut S) -> Outcome<S> {
    values(schema, &schema.root, texts, sink).map_err(outermost_first)
}

/// As [`validate_texts`], for a node of `schema` other than its root.
///
/// # Errors
/// As [`validate_texts`].
pub fn validate_node<S: Sink, T: AsRef<str>>(
    schema: &Schema,
    node: &Node,
    texts: &[T],
    sink: &mut S,
) -> Outcome<S> {
    values(schema, node, texts, sink).map_err(outermost_first)
}

/// Builds the struct that `schema` is of values that `read` finds, field by field: parameters of one model.
///
/// # Errors
/// What `read` and the struct itself reported, under the fields' keys; required fields without a value.
pub fn validate_fields<S: Sink>(
    schema: &Schema,
    sink: &mut S,
    mut read: impl FnMut(usize, &Field, &mut S) -> Result<Option<S::Value>, Vec<Error>>,
) -> Outcome<S> {
    let Some(of) = schema.structure() else { return Err(vec![Code::ModelType.into()]) };
    let mut slots = Vec::with_capacity(of.fields.len());
    let mut all = Vec::new();
    for (index, field) in of.fields.iter().enumerate() {
        let found = match read(index, field, sink) {
            Ok(None) if field.required => Err(vec![Code::Missing.into()]),
            other => other,
        };
        match found {
            Ok(value) => slots.push(value),
            Err(errors) => all.extend(errors.into_iter().map(|mut error| {
                error.loc.insert(0, Step::key(&field.key));
                error
            })),
        }
    }
    if all.is_empty() { sink.structure(of, &mut slots) } else { Err(all) }
}

/// Paths are collected from the inside out; a sink tells them the other way round.
fn outermost_first(mut errors: Vec<Error>) -> Vec<Error> {
    errors.iter_mut().for_each(|error| error.loc.reverse());
    errors
}

fn values<S: Sink, T: AsRef<str>>(schema: &Schema, node: &Node, texts: &[T], sink: &mut S) -> Outcome<S> {
    match node {
        Node::List(list) => sequence(schema, list, texts, sink),
        Node::Tuple { items } => tuple(schema, items, texts, sink),
        Node::Optional { inner } => values(schema, inner, texts, sink),
        Node::Checked { inner, class } => {
            let value = values(schema, inner, texts, sink)?;
            sink.check(*class, value).map_err(outermost_first)
        }
        Node::Reference { index } => values(schema, schema.definition(*index), texts, sink),
        _ => match texts.last() {
            Some(last) => value(schema, node, last.as_ref(), sink),
            None => Err(vec![Code::Missing.into()]),
        },
    }
}

/// One value of type `node`; paths of errors run from the inside out.
pub(crate) fn value<S: Sink>(schema: &Schema, node: &Node, text: &str, sink: &mut S) -> Outcome<S> {
    match node {
        Node::Optional { inner } => value(schema, inner, text, sink),
        Node::Checked { inner, class } => {
            let value = value(schema, inner, text, sink)?;
            sink.check(*class, value).map_err(outermost_first)
        }
        Node::Reference { index } => value(schema, schema.definition(*index), text, sink),
        Node::Union(options) => union(schema, options, text, sink),
        Node::List(list) => sequence(schema, list, &[text], sink),
        Node::Tuple { items } => tuple(schema, items, &[text], sink),
        Node::Foreign { class, .. } => foreign(*class, text, sink),
        scalar => {
            checked(scalar, text, sink).map_err(|problems| problems.into_iter().map(Error::from).collect())
        }
    }
}

fn checked<S: Sink>(node: &Node, text: &str, sink: &mut S) -> Result<S::Value, Problems> {
    if let Some(checked) = leaf::from_text(node, text, sink) {
        return checked;
    }
    match node {
        Node::Any => Ok(sink.str(text)),
        Node::Bool => match number::bool_text(text) {
            Some(value) => Ok(sink.bool(value)),
            None => Err(Code::BoolParsing.into()),
        },
        Node::Int(limits) => leaf::int_text(limits, text, sink),
        Node::Float(limits) => leaf::float(limits, number::float_text(text), sink),
        Node::Enum { values, .. } | Node::Literal { values } => {
            Ok(leaf::choice(node, leaf::choice_from_text(values, text), sink)?)
        }
        Node::Null => Err(Code::NoneRequired.into()),
        Node::Dict { .. } => Err(Code::DictType.into()),
        _ => Err(Code::ModelType.into()),
    }
}

/// The first option that fits, in declared order.
fn union<S: Sink>(schema: &Schema, union: &Union, text: &str, sink: &mut S) -> Outcome<S> {
    let mut all = Vec::new();
    for option in &union.options {
        match value(schema, option, text, sink) {
            Ok(value) => return Ok(value),
            Err(mut errors) => {
                errors.iter_mut().for_each(|error| error.loc.push(Step::Key(schema.label(option).into())));
                all.append(&mut errors);
            }
        }
    }
    Err(all)
}

fn sequence<S: Sink, T: AsRef<str>>(
    schema: &Schema,
    list: &ListNode,
    texts: &[T],
    sink: &mut S,
) -> Outcome<S> {
    if !is_flat(schema, &list.item) {
        return Err(vec![list_type(list.container).into()]);
    }
    let items = items(schema, texts.iter().map(|text| (&*list.item, text.as_ref())), sink);
    check_count(list.length, texts.len()).map_err(|problem| vec![problem.into()])?;
    Ok(sink.list(list.container, items?.into_iter()))
}

fn tuple<S: Sink, T: AsRef<str>>(schema: &Schema, nodes: &[Node], texts: &[T], sink: &mut S) -> Outcome<S> {
    let length = Length { min_length: Some(nodes.len()), max_length: Some(nodes.len()) };
    check_count(length, texts.len()).map_err(|problem| vec![problem.into()])?;
    let items = items(schema, nodes.iter().zip(texts.iter().map(AsRef::as_ref)), sink)?;
    Ok(sink.list(Container::Tuple, items.into_iter()))
}

/// Each text as its node; errors located by position.
fn items<'n, S: Sink>(
    schema: &Schema,
    texts: impl Iterator<Item = (&'n Node, &'n str)>,
    sink: &mut S,
) -> Result<Vec<S::Value>, Vec<Error>> {
    let mut items = Vec::new();
    let mut all = Vec::new();
    for (index, (node, text)) in texts.enumerate() {
        match value(schema, node, text, sink) {
            Ok(value) => items.push(value),
            Err(mut errors) => {
                errors.iter_mut().for_each(|error| error.loc.push(Step::Index(index)));
                all.append(&mut errors);
            }
        }
    }
    if all.is_empty() { Ok(items) } else { Err(all) }
}

/// Whether one text can be one item: sequences in sequences have no text form, and recursion through them would not
/// end.
fn is_flat(schema: &Schema, node: &Node) -> bool {
    match node {
        Node::List(_) | Node::Tuple { .. } => false,
        Node::Optional { inner } | Node::Checked { inner, .. } => is_flat(schema, inner),
        Node::Reference { index } => is_flat(schema, schema.definition(*index)),
        Node::Union(union) => union.options.iter().all(|option| is_flat(schema, option)),
        _ => true,
    }
}

/// The sink validates JSON; text is a JSON string to it.
fn foreign<S: Sink>(class: u32, text: &str, sink: &mut S) -> Outcome<S> {
    let mut raw = Vec::with_capacity(text.len() + 2);
    plectrum_json::text::write(&mut raw, text);
    sink.foreign(class, &raw).map_err(outermost_first)
}

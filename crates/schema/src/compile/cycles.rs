//! References that lead back to themselves without taking a step into the input would never end.

use super::{DefinitionError, Result};
use crate::node::{Node, Schema};

/// Refuses definitions that are reached from themselves through references, optionals and unions alone.
pub(super) fn refuse(schema: &Schema) -> Result<()> {
    let mut states = vec![State::New; schema.definitions.len()];
    (0..states.len()).try_for_each(|index| visit(schema, index, &mut states))
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

fn visit(schema: &Schema, index: usize, states: &mut [State]) -> Result<()> {
    match states[index] {
        State::Done => return Ok(()),
        State::Open => {
            return Err(DefinitionError {
                path: format!("definitions[{index}]"),
                message: "refers to itself without an object or a list between; make it a struct".to_owned(),
            });
        }
        State::New => states[index] = State::Open,
    }
    follow(schema, &schema.definitions[index], states)?;
    states[index] = State::Done;
    Ok(())
}

fn follow(schema: &Schema, node: &Node, states: &mut [State]) -> Result<()> {
    match node {
        Node::Reference { index } => visit(schema, *index, states),
        Node::Optional { inner } | Node::Checked { inner, .. } => follow(schema, inner, states),
        Node::Union(union) => union.options.iter().try_for_each(|option| follow(schema, option, states)),
        _ => Ok(()),
    }
}

//! The rules of validation (section 5 of the specification), in the words and at the places of graphql-js, so that a mistake
//! is told as clients' own tools tell it.
//!
//! * `definitions`: what a document may consist of; `subscriptions`: what theirs may;
//! * `selections`: fields and fragments, with their `directives`, `arguments` and `values`;
//! * `variables`: declared, used, and of the right types;
//! * `merge`: fields of one response key;
//! * `introspection`: how deep it may go;
//! * `suggest`: what may have been meant.

mod arguments;
mod definitions;
mod directives;
mod introspection;
mod merge;
mod selections;
mod subscriptions;
mod suggest;
mod values;
mod variables;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Node, Schema};

use crate::error::{Code, Error};
use crate::graph::Graph;
use crate::place;

/// Errors of one document at most: a flood of mistakes shall not become a flood of words.
const MOST: usize = 50;

/// Checks a document; returns the errors in its order. Comparisons of fields that share a key are `comparisons` at most.
pub(crate) fn check(graph: &Graph, document: &Document, text: &str, comparisons: usize) -> Vec<Error> {
    let context = Context::new(graph, document, text);
    let has_cycles = definitions::check(&context);
    subscriptions::check(&context);
    let uses = selections::check(&context);
    variables::check(&context, &uses);
    introspection::check(&context);
    // Fields of a cycle never end.
    if !has_cycles
        && let Err(error) = merge::check(&context, comparisons)
        && context.found.borrow().is_empty()
    {
        return vec![error];
    }
    context.into_errors()
}

/// What all rules look at, and where they tell what they found.
struct Context<'a> {
    graph: &'a Graph,
    schema: &'a Schema,
    document: &'a Document,
    text: &'a str,
    /// The first of each name.
    fragments: HashMap<&'a str, &'a Node<FragmentDefinition>>,
    found: RefCell<Vec<Found>>,
}

/// What is wrong, and the offsets of what it is about.
struct Found {
    message: String,
    offsets: Vec<usize>,
}

impl<'a> Context<'a> {
    fn new(graph: &'a Graph, document: &'a Document, text: &'a str) -> Self {
        let mut fragments = HashMap::new();
        for definition in &document.definitions {
            if let Definition::FragmentDefinition(fragment) = definition {
                fragments.entry(fragment.name.as_str()).or_insert(fragment);
            }
        }
        Self { graph, schema: &graph.schema, document, text, fragments, found: RefCell::default() }
    }

    fn report(&self, spans: &[Option<SourceSpan>], message: fmt::Arguments<'_>) {
        let offsets = spans.iter().flatten().map(|span| span.offset());
        self.report_at(offsets.collect(), message);
    }

    fn report_at(&self, offsets: Vec<usize>, message: fmt::Arguments<'_>) {
        if !self.is_full() {
            self.found.borrow_mut().push(Found { message: message.to_string(), offsets });
        }
    }

    /// Whether there is no use in finding more.
    fn is_full(&self) -> bool {
        self.found.borrow().len() >= MOST
    }

    fn into_errors(self) -> Vec<Error> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|one| one.offsets.first().copied());
        let text = self.text;
        let error = |Found { message, offsets }| {
            let locations = offsets.iter().filter_map(|offset| place::at(text, *offset)).collect();
            Error { locations, ..Error::new(Code::ValidationFailed, message) }
        };
        found.into_iter().map(error).collect()
    }

    /// Whether a type has fields.
    fn is_composite(&self, name: &str) -> bool {
        self.schema.types.get(name).is_some_and(is_composite)
    }

    /// Whether an object can be of both types.
    fn overlap(&self, one: &str, other: &str) -> bool {
        if one == other {
            return true;
        }
        let others = self.graph.possible_types(other);
        self.graph.possible_types(one).iter().any(|name| others.contains(name))
    }
}

fn is_composite(ty: &ExtendedType) -> bool {
    ty.is_object() || ty.is_interface() || ty.is_union()
}

/// Items of one name together, where there are several.
fn repeated<'i, K: Hash + Eq, T: 'i>(
    items: impl IntoIterator<Item = &'i T>,
    name: impl Fn(&'i T) -> K,
) -> impl Iterator<Item = (K, Vec<&'i T>)> {
    let mut groups: IndexMap<K, Vec<&'i T>> = IndexMap::default();
    for item in items {
        groups.entry(name(item)).or_default().push(item);
    }
    groups.into_iter().filter(|(_, group)| group.len() > 1)
}

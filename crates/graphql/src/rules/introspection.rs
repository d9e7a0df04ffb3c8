//! Lists of introspection within each other: a few levels of them have as many items as the largest schema squared.

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast::{Field, Selection};

use super::Context;

/// Lists within each other that are too many, as graphql-js has it.
const TOO_DEEP: usize = 3;

const LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

pub(super) fn check(context: &Context<'_>) {
    let sets = context.document.definitions.iter().filter_map(super::selections::of_definition);
    sets.for_each(|set| roots(context, set));
}

/// Fields that begin an introspection.
fn roots<'a>(context: &Context<'a>, set: &'a [Selection]) {
    for selection in set {
        match selection {
            Selection::Field(field) if matches!(field.name.as_str(), "__schema" | "__type") => {
                root(context, field)
            }
            Selection::Field(field) => roots(context, &field.selection_set),
            Selection::InlineFragment(inline) => roots(context, &inline.selection_set),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn root<'a>(context: &Context<'a>, field: &'a Node<Field>) {
    let mut depth = Depth { context, visited: HashMap::new() };
    if depth.exceeds(&field.selection_set, 0) {
        context.report(&[field.location()], format_args!("Maximum introspection depth exceeded"));
    }
}

struct Depth<'a, 'c> {
    context: &'c Context<'a>,
    /// Fragments that are known not to exceed it, behind so many lists.
    visited: HashMap<&'a str, usize>,
}

impl<'a> Depth<'a, '_> {
    fn exceeds(&mut self, set: &'a [Selection], lists: usize) -> bool {
        set.iter().any(|selection| match selection {
            Selection::Field(field) => {
                let lists = lists + usize::from(LISTS.contains(&field.name.as_str()));
                lists >= TOO_DEEP || self.exceeds(&field.selection_set, lists)
            }
            Selection::InlineFragment(inline) => self.exceeds(&inline.selection_set, lists),
            Selection::FragmentSpread(spread) => {
                let name = spread.fragment_name.as_str();
                let is_known = self.visited.get(name).is_some_and(|before| *before >= lists);
                let Some(fragment) = self.context.fragments.get(name).filter(|_| !is_known) else {
                    return false;
                };
                self.visited.insert(name, lists);
                self.exceeds(&fragment.selection_set, lists)
            }
        })
    }
}

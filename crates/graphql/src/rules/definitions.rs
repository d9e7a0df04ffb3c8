//! Operations and fragments of a document (sections 5.1, 5.2 and 5.5).

use std::collections::{HashMap, HashSet};

use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, FragmentDefinition, FragmentSpread, OperationDefinition, Selection, Type,
};

use super::{Context, repeated};

/// Returns whether fragments spread themselves.
pub(super) fn check(context: &Context<'_>) -> bool {
    executable(context);
    operations(context);
    type_names(context);
    fragments(context);
    let mut cycles =
        Cycles { context, visited: HashSet::new(), path: Vec::new(), begins: HashMap::new(), found: false };
    context.fragment_definitions().for_each(|fragment| cycles.visit(fragment));
    cycles.found
}

/// All definitions are operations or fragments.
fn executable(context: &Context<'_>) {
    for definition in &context.document.definitions {
        match definition {
            Definition::OperationDefinition(_) | Definition::FragmentDefinition(_) => {}
            Definition::SchemaDefinition(_) | Definition::SchemaExtension(_) => {
                context.report(
                    &[definition.location()],
                    format_args!("The schema definition is not executable."),
                );
            }
            other => {
                let name = other.name().map_or("", |name| name.as_str());
                context.report(
                    &[other.location()],
                    format_args!("The \"{name}\" definition is not executable."),
                );
            }
        }
    }
}

impl<'a> Context<'a> {
    pub(super) fn operations(&self) -> impl Iterator<Item = &'a Node<OperationDefinition>> {
        self.document.definitions.iter().filter_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        })
    }

    fn fragment_definitions(&self) -> impl Iterator<Item = &'a Node<FragmentDefinition>> {
        self.document.definitions.iter().filter_map(|definition| match definition {
            Definition::FragmentDefinition(fragment) => Some(fragment),
            _ => None,
        })
    }
}

/// Names of operations are unique, one without a name is alone, and the schema has their root types.
fn operations(context: &Context<'_>) {
    let names: Vec<_> = context.operations().filter_map(|operation| operation.name.as_ref()).collect();
    for (name, same) in repeated(names.iter().copied(), |name| name.as_str()) {
        for again in same.iter().skip(1) {
            context.report(
                &[same[0].location(), again.location()],
                format_args!("There can be only one operation named \"{name}\"."),
            );
        }
    }
    let is_alone = context.operations().nth(1).is_none();
    for operation in context.operations() {
        let place = [operation.location()];
        if operation.name.is_none() && !is_alone {
            context
                .report(&place, format_args!("This anonymous operation must be the only defined operation."));
        }
        let kind = operation.operation_type;
        if context.schema.root_operation(kind).is_none() {
            context.report(&place, format_args!("The {kind} operation is not supported by the schema."));
        }
    }
}

/// Types of variables are known, and may be those of a value.
fn type_names(context: &Context<'_>) {
    for variable in context.operations().flat_map(|operation| &operation.variables) {
        let name = variable.ty.inner_named_type();
        match context.schema.types.get(name) {
            None => context.unknown_type(name),
            Some(ty) if !ty.is_input_type() => {
                let ty: &Type = &variable.ty;
                context.report(
                    &[variable.ty.location()],
                    format_args!("Variable \"${}\" cannot be non-input type \"{ty}\".", variable.name),
                );
            }
            Some(_) => {}
        }
    }
}

/// Names of fragments are unique, and each is spread.
fn fragments(context: &Context<'_>) {
    for (name, same) in repeated(context.fragment_definitions(), |fragment| fragment.name.as_str()) {
        for again in same.iter().skip(1) {
            context.report(
                &[same[0].name.location(), again.name.location()],
                format_args!("There can be only one fragment named \"{name}\"."),
            );
        }
    }
    let mut spread = HashSet::new();
    let mut waiting = Vec::new();
    context.operations().for_each(|operation| spreads(&operation.selection_set, &mut waiting));
    while let Some(next) = waiting.pop() {
        if spread.insert(next.fragment_name.as_str())
            && let Some(fragment) = context.fragments.get(next.fragment_name.as_str())
        {
            spreads(&fragment.selection_set, &mut waiting);
        }
    }
    for fragment in context.fragment_definitions().filter(|one| !spread.contains(one.name.as_str())) {
        let name = &fragment.name;
        context.report(&[fragment.location()], format_args!("Fragment \"{name}\" is never used."));
    }
}

/// Appends the spreads of a selection set, those of fields within it too.
fn spreads<'a>(set: &'a [Selection], found: &mut Vec<&'a Node<FragmentSpread>>) {
    for selection in set {
        match selection {
            Selection::Field(field) => spreads(&field.selection_set, found),
            Selection::InlineFragment(inline) => spreads(&inline.selection_set, found),
            Selection::FragmentSpread(spread) => found.push(spread),
        }
    }
}

/// Looks for fragments that spread themselves, each cycle once.
struct Cycles<'a, 'c> {
    context: &'c Context<'a>,
    visited: HashSet<&'a str>,
    path: Vec<&'a Node<FragmentSpread>>,
    /// Where in the path a fragment begins.
    begins: HashMap<&'a str, usize>,
    found: bool,
}

impl<'a> Cycles<'a, '_> {
    /// The limits have bounded the depth.
    fn visit(&mut self, fragment: &'a Node<FragmentDefinition>) {
        let name = fragment.name.as_str();
        if !self.visited.insert(name) {
            return;
        }
        let mut found = Vec::new();
        spreads(&fragment.selection_set, &mut found);
        self.begins.insert(name, self.path.len());
        for spread in found {
            let next = spread.fragment_name.as_str();
            self.path.push(spread);
            match self.begins.get(next) {
                Some(begin) => self.report(next, *begin),
                None => {
                    if let Some(fragment) = self.context.fragments.get(next) {
                        self.visit(fragment);
                    }
                }
            }
            self.path.pop();
        }
        self.begins.remove(name);
    }

    fn report(&mut self, name: &str, begin: usize) {
        self.found = true;
        let Some((_, between)) = self.path.get(begin..).and_then(<[_]>::split_last) else { return };
        let via: Vec<String> = between.iter().map(|spread| format!("\"{}\"", spread.fragment_name)).collect();
        let via = if via.is_empty() { String::new() } else { format!(" via {}", via.join(", ")) };
        let places: Vec<_> = self.path.iter().skip(begin).map(|spread| spread.location()).collect();
        self.context.report(&places, format_args!("Cannot spread fragment \"{name}\" within itself{via}."));
    }
}

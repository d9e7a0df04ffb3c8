//! A subscription has one root field, which is none of introspection's, and always (section 5.2.3.1).

use std::collections::HashSet;

use apollo_compiler::ast::{DirectiveList, Field, OperationDefinition, OperationType, Selection};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

use super::Context;

pub(super) fn check(context: &Context<'_>) {
    for operation in context.operations() {
        if operation.operation_type == OperationType::Subscription
            && let Some(root) = context.schema.root_operation(OperationType::Subscription)
        {
            let mut roots = Roots::new(context, root);
            roots.collect(&operation.selection_set);
            roots.report(operation);
        }
    }
}

struct Roots<'a, 'c> {
    context: &'c Context<'a>,
    root: &'a Name,
    fields: IndexMap<&'a Name, Vec<&'a Node<Field>>>,
    spread: HashSet<&'a Name>,
    /// `@skip` and `@include`.
    conditions: Vec<Option<SourceSpan>>,
}

impl<'a, 'c> Roots<'a, 'c> {
    fn new(context: &'c Context<'a>, root: &'a Name) -> Self {
        Self { context, root, fields: IndexMap::default(), spread: HashSet::new(), conditions: Vec::new() }
    }

    fn collect(&mut self, set: &'a [Selection]) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    self.note(&field.directives);
                    self.fields.entry(field.response_name()).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    self.note(&inline.directives);
                    if inline.type_condition.as_ref().is_none_or(|ty| self.fits(ty)) {
                        self.collect(&inline.selection_set);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.note(&spread.directives);
                    let fragment = self.context.fragments.get(spread.fragment_name.as_str());
                    if let Some(fragment) = fragment.filter(|_| self.spread.insert(&spread.fragment_name))
                        && self.fits(&fragment.type_condition)
                    {
                        self.collect(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn fits(&self, condition: &Name) -> bool {
        self.context.graph.is_a(self.root, condition)
    }

    fn note(&mut self, directives: &'a DirectiveList) {
        let conditions = directives.iter().filter(|one| matches!(one.name.as_str(), "skip" | "include"));
        self.conditions.extend(conditions.map(|directive| directive.location()));
    }

    fn report(self, operation: &OperationDefinition) {
        let who = match &operation.name {
            Some(name) => format!("Subscription \"{name}\""),
            None => "Anonymous Subscription".to_owned(),
        };
        if !self.conditions.is_empty() {
            self.context.report(
                &self.conditions,
                format_args!(
                    "{who} must not use `@skip` or `@include` directives in the top level selection."
                ),
            );
            return;
        }
        let places =
            |fields: &[&Node<Field>]| fields.iter().map(|field| field.location()).collect::<Vec<_>>();
        let more: Vec<_> = self.fields.values().skip(1).flat_map(|fields| places(fields)).collect();
        if !more.is_empty() {
            self.context.report(&more, format_args!("{who} must select only one top level field."));
        }
        for fields in self.fields.values() {
            if fields.first().is_some_and(|field| field.name.starts_with("__")) {
                self.context.report(
                    &places(fields),
                    format_args!("{who} must not select an introspection top level field."),
                );
            }
        }
    }
}

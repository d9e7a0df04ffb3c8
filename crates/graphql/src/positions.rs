//! Rules of values in their positions that the compiler does not check: a variable whose default is null is none for a
//! position that must not be null (section 5.8.5), and a OneOf input object has one field (September 2025, section 5.6.5).

use apollo_compiler::ast::{Argument, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::collections::HashSet;
use apollo_compiler::executable::{DirectiveList, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Name, Node};

use crate::error::{Code, Error};
use crate::graph::Graph;
use crate::place;

/// Errors of these rules in a document that is valid otherwise.
pub(crate) fn check(graph: &Graph, document: &ExecutableDocument) -> Vec<Error> {
    let mut errors = Vec::new();
    for operation in document.operations.iter() {
        let defaults_to_null = |variable: &Node<VariableDefinition>| {
            variable.default_value.as_ref().is_some_and(|value| value.is_null())
        };
        if !graph.has_one_of && !operation.variables.iter().any(defaults_to_null) {
            continue;
        }
        let mut checker =
            Checker { graph, document, operation, spread: HashSet::default(), errors: &mut errors };
        checker.selections(&operation.selection_set);
    }
    errors
}

struct Checker<'a, 'e> {
    graph: &'a Graph,
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    spread: HashSet<&'a Name>,
    errors: &'e mut Vec<Error>,
}

impl<'a> Checker<'a, '_> {
    fn selections(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.definition.arguments, &field.arguments);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment.filter(|_| self.spread.insert(&spread.fragment_name)) {
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        for directive in directives.iter() {
            if let Some(definition) = self.graph.schema.directive_definitions.get(&directive.name) {
                self.arguments(&definition.arguments, &directive.arguments);
            }
        }
    }

    fn arguments(&mut self, known: &[Node<InputValueDefinition>], given: &[Node<Argument>]) {
        for argument in given {
            if let Some(definition) = known.iter().find(|known| known.name == argument.name) {
                self.value(&definition.ty, &argument.value, definition.default_value.is_some());
            }
        }
    }

    fn value(&mut self, ty: &Type, value: &Node<Value>, has_default: bool) {
        match (&**value, ty) {
            (Value::Variable(name), _) if ty.is_non_null() && !has_default => self.variable(name, ty, value),
            (Value::List(items), Type::List(item) | Type::NonNullList(item)) => {
                items.iter().for_each(|value| self.value(item, value, false));
            }
            (Value::Object(fields), _) => self.object(ty.inner_named_type(), fields, value),
            _ => {}
        }
    }

    fn variable(&mut self, name: &Name, ty: &Type, usage: &Node<Value>) {
        let variable = self.operation.variables.iter().find(|variable| variable.name == *name);
        let Some(variable) = variable.filter(|variable| !variable.ty.is_non_null()) else { return };
        if variable.default_value.as_ref().is_some_and(|value| value.is_null()) {
            let (message, places) = (
                format!(
                    "Variable \"${name}\" of type \"{}\" used in position expecting type \"{ty}\".",
                    variable.ty
                ),
                [variable.location(), usage.location()],
            );
            self.report(message, &places);
        }
    }

    fn object(&mut self, name: &str, fields: &[(Name, Node<Value>)], object: &Node<Value>) {
        let Some(ExtendedType::InputObject(input)) = self.graph.schema.types.get(name) else { return };
        for (field, value) in fields {
            if let Some(definition) = input.fields.get(field) {
                self.value(&definition.ty, value, definition.default_value.is_some());
            }
        }
        if !input.directives.has("oneOf") {
            return;
        }
        match fields {
            [(field, value)] if !value.is_null() => self.only_field(name, field, value),
            _ => self.report(
                format!(
                    "Within OneOf Input Object type \"{name}\", exactly one field must be specified, and the value for \
                     that field must be non-null."
                ),
                &[object.location()],
            ),
        }
    }

    /// The field of a OneOf input object must not be null, so its variable must not.
    fn only_field(&mut self, name: &str, field: &Name, value: &Node<Value>) {
        let Value::Variable(variable) = &**value else { return };
        let declared = self.operation.variables.iter().find(|declared| declared.name == *variable);
        if let Some(declared) = declared.filter(|declared| !declared.ty.is_non_null()) {
            let message = format!(
                "Variable \"${variable}\" is of type \"{}\" but must be non-nullable to be used for OneOf Input Object \
                 \"{name}\" (field \"{field}\").",
                declared.ty
            );
            self.report(message, &[declared.location(), value.location()]);
        }
    }

    fn report(&mut self, message: String, spans: &[Option<SourceSpan>]) {
        let places = spans.iter().flatten().filter_map(|span| place::of(*span, &self.document.sources));
        let error = Error { locations: places.collect(), ..Error::new(Code::ValidationFailed, message) };
        self.errors.push(error);
    }
}

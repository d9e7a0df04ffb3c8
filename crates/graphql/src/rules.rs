//! Rules of the specification that the compiler does not check: names in an input object are unique (section 5.6.3).

use std::collections::HashSet;

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, DirectiveList, Document, Selection, Value};
use apollo_compiler::parser::{SourceMap, SourceSpan};

use crate::error::{Code, Error};
use crate::place;

/// Errors of these rules in a document, in its order.
pub(crate) fn check(document: &Document) -> Vec<Error> {
    let mut checker = Checker { sources: &document.sources, errors: Vec::new() };
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                for variable in &operation.variables {
                    variable.default_value.iter().for_each(|value| checker.value(value));
                    checker.directives(&variable.directives);
                }
                checker.directives(&operation.directives);
                checker.selections(&operation.selection_set);
            }
            Definition::FragmentDefinition(fragment) => {
                checker.directives(&fragment.directives);
                checker.selections(&fragment.selection_set);
            }
            _ => {}
        }
    }
    checker.errors
}

struct Checker<'a> {
    sources: &'a SourceMap,
    errors: Vec<Error>,
}

impl Checker<'_> {
    /// The parser has bounded how deep selections and values are.
    fn selections(&mut self, selections: &[Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    field.arguments.iter().for_each(|argument| self.value(&argument.value));
                    self.directives(&field.directives);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    self.selections(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => self.directives(&spread.directives),
            }
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            directive.arguments.iter().for_each(|argument| self.value(&argument.value));
        }
    }

    fn value(&mut self, value: &Node<Value>) {
        match &**value {
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                let mut known = HashSet::with_capacity(fields.len());
                for (name, value) in fields {
                    if !known.insert(name) {
                        self.repeated(name, name.location());
                    }
                    self.value(value);
                }
            }
            _ => {}
        }
    }

    fn repeated(&mut self, name: &str, span: Option<SourceSpan>) {
        let place = span.and_then(|span| place::of(span, self.sources));
        self.errors.push(Error {
            locations: place.into_iter().collect(),
            ..Error::new(
                Code::ValidationFailed,
                format!("There can be only one input field named \"{name}\"."),
            )
        });
    }
}

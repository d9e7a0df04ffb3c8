//! Arguments are known, unique, and there where they are required (section 5.4).

use apollo_compiler::ast::{Argument, Directive, Field, InputValueDefinition};
use apollo_compiler::{Name, Node};

use super::repeated;
use super::selections::Walk;
use super::values::Position;

/// What has arguments.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    /// A field of a type.
    Field(&'a Name, &'a Node<Field>),
    Directive(&'a Node<Directive>),
}

impl<'a> Walk<'a, '_> {
    /// Arguments of something; `known` is none where that itself is not known.
    pub(super) fn arguments(
        &mut self,
        owner: Option<Owner<'a>>,
        known: Option<&'a [Node<InputValueDefinition>]>,
        given: &'a [Node<Argument>],
    ) {
        for (name, same) in repeated(given, |argument| &argument.name) {
            let places: Vec<_> = same.iter().map(|argument| argument.name.location()).collect();
            self.context.report(&places, format_args!("There can be only one argument named \"{name}\"."));
        }
        if let (Some(owner), Some(known)) = (owner, known) {
            self.missing(owner, known, given);
        }
        for argument in given {
            let definition =
                known.and_then(|known| known.iter().find(|definition| definition.name == argument.name));
            if let (None, Some(owner), Some(known)) = (definition, owner, known) {
                self.unknown(owner, known, argument);
            }
            self.value(Position::of(definition.map(|definition| &**definition)), &argument.value);
        }
    }

    fn unknown(&self, owner: Owner<'a>, known: &[Node<InputValueDefinition>], argument: &Node<Argument>) {
        let name = &argument.name;
        let meant = self.context.did_you_mean("", name, known.iter().map(|known| known.name.as_str()));
        let whose = match owner {
            Owner::Field(parent, field) => format!("field \"{parent}.{}\"", field.name),
            Owner::Directive(directive) => format!("directive \"@{}\"", directive.name),
        };
        self.context
            .report(&[argument.location()], format_args!("Unknown argument \"{name}\" on {whose}.{meant}"));
    }

    fn missing(&self, owner: Owner<'a>, known: &[Node<InputValueDefinition>], given: &[Node<Argument>]) {
        let is_given = |known: &InputValueDefinition| given.iter().any(|given| given.name == known.name);
        for required in known.iter().filter(|known| known.is_required() && !is_given(known)) {
            let (whose, place) = match owner {
                Owner::Field(_, field) => (format!("Field \"{}\"", field.name), field.location()),
                Owner::Directive(directive) => {
                    (format!("Directive \"@{}\"", directive.name), directive.location())
                }
            };
            let (name, ty) = (&required.name, &required.ty);
            self.context.report(
                &[place],
                format_args!(
                    "{whose} argument \"{name}\" of type \"{ty}\" is required, but it was not provided."
                ),
            );
        }
    }
}

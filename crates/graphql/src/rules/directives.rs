//! Directives are known, where they may be, and as often as they may (section 5.7).

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, DirectiveLocation};

use super::arguments::Owner;
use super::selections::Walk;

impl<'a> Walk<'a, '_> {
    pub(super) fn directives(&mut self, directives: &'a DirectiveList, location: DirectiveLocation) {
        let mut seen: HashMap<&str, &Node<Directive>> = HashMap::new();
        for directive in directives.iter() {
            let (name, context) = (&directive.name, self.context);
            let definition = context.schema.directive_definitions.get(name);
            let place = directive.location();
            match definition {
                None => context.report(&[place], format_args!("Unknown directive \"@{name}\".")),
                Some(known) if !known.locations.contains(&location) => {
                    context.report(
                        &[place],
                        format_args!("Directive \"@{name}\" may not be used on {location}."),
                    );
                }
                Some(_) => {}
            }
            if definition.is_some_and(|known| !known.repeatable)
                && let Some(first) = seen.insert(name, directive)
            {
                seen.insert(name, first);
                context.report(
                    &[first.location(), place],
                    format_args!("The directive \"@{name}\" can only be used once at this location."),
                );
            }
            let known = definition.map(|definition| &*definition.arguments);
            self.arguments(Some(Owner::Directive(directive)), known, &directive.arguments);
        }
    }
}

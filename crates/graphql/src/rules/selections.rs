//! Fields and fragments (sections 5.3.1, 5.3.3 and 5.5).

use apollo_compiler::ast::{
    Definition, DirectiveLocation, Field, FieldDefinition, FragmentDefinition, FragmentSpread,
    InlineFragment, OperationDefinition, OperationType, Selection,
};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node};

use super::Context;
use super::arguments::Owner;
use super::suggest::{natural, offer};
use super::variables::Uses;

/// Checks all definitions; returns what each of them uses.
pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Uses<'a>> {
    let walk = |definition: &'a Definition| {
        let mut walk = Walk { context, uses: Uses::default() };
        match definition {
            Definition::OperationDefinition(operation) => walk.operation(operation),
            Definition::FragmentDefinition(fragment) => walk.fragment(fragment),
            _ => {}
        }
        walk.uses
    };
    context.document.definitions.iter().map(walk).collect()
}

/// What an operation or a fragment selects.
pub(super) fn of_definition(definition: &Definition) -> Option<&[Selection]> {
    match definition {
        Definition::OperationDefinition(operation) => Some(&operation.selection_set),
        Definition::FragmentDefinition(fragment) => Some(&fragment.selection_set),
        _ => None,
    }
}

/// A walk through one definition.
pub(super) struct Walk<'a, 'c> {
    pub(super) context: &'c Context<'a>,
    pub(super) uses: Uses<'a>,
}

impl<'a> Walk<'a, '_> {
    fn operation(&mut self, operation: &'a Node<OperationDefinition>) {
        let location = match operation.operation_type {
            OperationType::Query => DirectiveLocation::Query,
            OperationType::Mutation => DirectiveLocation::Mutation,
            OperationType::Subscription => DirectiveLocation::Subscription,
        };
        for variable in &operation.variables {
            self.constants(variable);
        }
        self.directives(&operation.directives, location);
        let root = self.context.schema.root_operation(operation.operation_type);
        self.selections(root, &operation.selection_set);
    }

    fn fragment(&mut self, fragment: &'a Node<FragmentDefinition>) {
        self.directives(&fragment.directives, DirectiveLocation::FragmentDefinition);
        let condition = &fragment.type_condition;
        let parent = self.condition(condition, Some(&fragment.name));
        self.selections(parent, &fragment.selection_set);
    }

    /// The type of a type condition, where it can have fields.
    fn condition(&self, name: &'a Name, fragment: Option<&Name>) -> Option<&'a Name> {
        match self.context.schema.types.get(name) {
            None => self.context.unknown_type(name),
            Some(ty) if super::is_composite(ty) => return Some(name),
            Some(_) => {
                let which = fragment.map_or_else(String::new, |fragment| format!(" \"{fragment}\""));
                self.context.report(
                    &[name.location()],
                    format_args!("Fragment{which} cannot condition on non composite type \"{name}\"."),
                );
            }
        }
        None
    }

    /// Selections of a type; of none where what is wrong with it has been told. The parser has bounded the depth.
    fn selections(&mut self, parent: Option<&'a Name>, set: &'a [Selection]) {
        for selection in set {
            match selection {
                Selection::Field(field) => self.field(parent, field),
                Selection::InlineFragment(inline) => self.inline(parent, inline),
                Selection::FragmentSpread(spread) => self.spread(parent, spread),
            }
        }
    }

    fn field(&mut self, parent: Option<&'a Name>, field: &'a Node<Field>) {
        let schema = self.context.schema;
        let definition = parent.and_then(|parent| schema.type_field(parent, &field.name).ok());
        let definition: Option<&'a FieldDefinition> = definition.map(|definition| &***definition);
        if let (Some(parent), None) = (parent, definition) {
            self.unknown_field(parent, field);
        }
        let owner = parent.map(|parent| Owner::Field(parent, field));
        self.arguments(owner, definition.map(|definition| &*definition.arguments), &field.arguments);
        self.directives(&field.directives, DirectiveLocation::Field);
        if let Some(definition) = definition {
            self.leaf(definition, field);
        }
        let ty = definition.map(|definition| definition.ty.inner_named_type());
        self.selections(ty.filter(|ty| self.context.is_composite(ty)), &field.selection_set);
    }

    /// A field has a selection where its type has fields, and only there.
    fn leaf(&self, definition: &FieldDefinition, field: &Node<Field>) {
        let (name, ty) = (&field.name, &definition.ty);
        match (self.context.is_composite(ty.inner_named_type()), field.selection_set.is_empty()) {
            (true, true) => self.context.report(
                &[field.location()],
                format_args!(
                    "Field \"{name}\" of type \"{ty}\" must have a selection of subfields. Did you mean \"{name} {{ ... }}\"?"
                ),
            ),
            (false, false) => self.context.report_at(
                self.context.brace(field).into_iter().collect(),
                format_args!("Field \"{name}\" must not have a selection since type \"{ty}\" has no subfields."),
            ),
            _ => {}
        }
    }

    fn inline(&mut self, parent: Option<&'a Name>, inline: &'a Node<InlineFragment>) {
        self.directives(&inline.directives, DirectiveLocation::InlineFragment);
        let Some(condition) = &inline.type_condition else {
            return self.selections(parent, &inline.selection_set);
        };
        let ty = self.condition(condition, None);
        if let (Some(ty), Some(parent)) = (ty, parent)
            && !self.context.overlap(ty, parent)
        {
            self.context.report(
                &[inline.location()],
                format_args!(
                    "Fragment cannot be spread here as objects of type \"{parent}\" can never be of type \"{ty}\"."
                ),
            );
        }
        self.selections(ty, &inline.selection_set);
    }

    fn spread(&mut self, parent: Option<&'a Name>, spread: &'a Node<FragmentSpread>) {
        self.directives(&spread.directives, DirectiveLocation::FragmentSpread);
        let name = &spread.fragment_name;
        self.uses.fragments.push(name);
        let Some(fragment) = self.context.fragments.get(name.as_str()) else {
            self.context.report(&[name.location()], format_args!("Unknown fragment \"{name}\"."));
            return;
        };
        let ty = &fragment.type_condition;
        if let Some(parent) = parent
            && self.context.is_composite(ty)
            && !self.context.overlap(ty, parent)
        {
            self.context.report(
                &[spread.location()],
                format_args!(
                    "Fragment \"{name}\" cannot be spread here as objects of type \"{parent}\" can never be of type \
                     \"{ty}\"."
                ),
            );
        }
    }

    fn unknown_field(&self, parent: &Name, field: &Node<Field>) {
        let name = &field.name;
        let mut meant = self.context.types_with(parent, name);
        if meant.is_empty() {
            let fields = match self.context.schema.types.get(parent) {
                Some(ExtendedType::Object(ty)) => ty.fields.keys().map(Name::as_str).collect(),
                Some(ExtendedType::Interface(ty)) => ty.fields.keys().map(Name::as_str).collect(),
                _ => Vec::new(),
            };
            meant = self.context.did_you_mean("", name, fields);
        }
        self.context.report(
            &[field.location()],
            format_args!("Cannot query field \"{name}\" on type \"{parent}\".{meant}"),
        );
    }
}

impl Context<'_> {
    pub(super) fn unknown_type(&self, name: &Name) {
        let meant = self.did_you_mean("", name, self.schema.types.keys().map(Name::as_str));
        self.report(&[name.location()], format_args!("Unknown type \"{name}\".{meant}"));
    }

    /// Offers the types among those of an abstract one that have a field, the commonest first.
    fn types_with(&self, parent: &Name, field: &str) -> String {
        let is_abstract = self.schema.types.get(parent).is_some_and(|ty| !ty.is_object());
        if !is_abstract || !self.graph.introspection || self.is_full() {
            return String::new();
        }
        let mut usage: Vec<(&str, usize)> = Vec::new();
        let possible = self.graph.possible_types(parent);
        for object in possible.iter().filter_map(|name| self.schema.get_object(name)) {
            if !object.fields.contains_key(field) {
                continue;
            }
            usage.push((&object.name, 1));
            for name in &object.implements_interfaces {
                let interface = self.schema.get_interface(name);
                if interface.is_some_and(|interface| interface.fields.contains_key(field)) {
                    match usage.iter_mut().find(|(known, _)| *known == name.as_str()) {
                        Some((_, count)) => *count += 1,
                        None => usage.push((name, 1)),
                    }
                }
            }
        }
        // Interfaces come before those who implement them.
        let rank = |name: &str| match self.schema.get_interface(name) {
            Some(interface) => (false, interface.implements_interfaces.len()),
            None => (true, 0),
        };
        usage.sort_by(|(one, count), (other, others)| {
            let by_rank = || rank(one).cmp(&rank(other));
            others.cmp(count).then_with(by_rank).then_with(|| natural(one, other))
        });
        offer("to use an inline fragment on ", usage.into_iter().map(|(name, _)| name))
    }

    /// Where the selection of a field begins: behind its name, arguments and directives.
    fn brace(&self, field: &Node<Field>) -> Option<usize> {
        let ends = [
            field.name.location(),
            field.arguments.last().and_then(|argument| argument.location()),
            field.directives.last().and_then(|directive| directive.location()),
        ];
        let end = ends.iter().flatten().map(|span| span.end_offset()).max()?;
        let rest = self.text.as_bytes().get(end..)?;
        let mut is_comment = false;
        rest.iter()
            .position(|byte| {
                is_comment = if is_comment { !matches!(byte, b'\n' | b'\r') } else { *byte == b'#' };
                !is_comment && *byte == b'{'
            })
            .map(|at| end + at)
    }
}

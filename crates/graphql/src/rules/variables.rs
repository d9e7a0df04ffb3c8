//! Variables are declared once, used, and fit their positions (section 5.8).

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Definition, OperationDefinition, Type, VariableDefinition};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

use super::{Context, repeated};

/// What a definition uses.
#[derive(Default)]
pub(super) struct Uses<'a> {
    pub(super) variables: Vec<Use<'a>>,
    /// Names of the fragments it spreads.
    pub(super) fragments: Vec<&'a Name>,
}

/// A variable in a position.
pub(super) struct Use<'a> {
    pub(super) name: &'a Name,
    pub(super) span: Option<SourceSpan>,
    /// What it has to be; none where that is not known.
    pub(super) expected: Option<&'a Type>,
    /// Whether the position has a value where the variable has none.
    pub(super) has_default: bool,
    /// The OneOf input object, and its field, whose value it is.
    pub(super) one_of: Option<(&'a Name, &'a Name)>,
}

/// Checks the operations; `uses` is what the document's definitions use, in its order.
pub(super) fn check<'a>(context: &Context<'a>, uses: &[Uses<'a>]) {
    let mut fragments: HashMap<&str, &Uses<'a>> = HashMap::new();
    for (definition, uses) in context.document.definitions.iter().zip(uses) {
        if let Definition::FragmentDefinition(fragment) = definition {
            fragments.entry(&fragment.name).or_insert(uses);
        }
    }
    for (definition, uses) in context.document.definitions.iter().zip(uses) {
        if let Definition::OperationDefinition(operation) = definition
            && !context.is_full()
        {
            operation_check(context, operation, &reachable(uses, &fragments));
        }
    }
}

/// All uses of an operation, those of its fragments too.
fn reachable<'u, 'a>(uses: &'u Uses<'a>, fragments: &HashMap<&str, &'u Uses<'a>>) -> Vec<&'u Use<'a>> {
    let mut found: Vec<&Use<'a>> = uses.variables.iter().collect();
    let mut spread: HashSet<&str> = HashSet::new();
    let mut waiting: Vec<&Name> = uses.fragments.clone();
    while let Some(name) = waiting.pop() {
        if let Some(uses) = fragments.get(name.as_str()).filter(|_| spread.insert(name)) {
            found.extend(&uses.variables);
            waiting.extend(&uses.fragments);
        }
    }
    found
}

fn operation_check(context: &Context<'_>, operation: &Node<OperationDefinition>, uses: &[&Use<'_>]) {
    for (name, same) in repeated(&operation.variables, |variable| &variable.name) {
        let places: Vec<_> = same.iter().map(|variable| variable.name.location()).collect();
        context.report(&places, format_args!("There can be only one variable named \"${name}\"."));
    }
    let declared: HashMap<&Name, &Node<VariableDefinition>> =
        operation.variables.iter().map(|variable| (&variable.name, variable)).collect();
    let by = |word: &str| match &operation.name {
        Some(name) => format!(" {word} operation \"{name}\""),
        None => String::new(),
    };
    for used in uses {
        match declared.get(used.name) {
            Some(variable) => fits(context, variable, used),
            None => context.report(
                &[used.span, operation.location()],
                format_args!("Variable \"${}\" is not defined{}.", used.name, by("by")),
            ),
        }
    }
    let used: HashSet<&Name> = uses.iter().map(|used| used.name).collect();
    for variable in operation.variables.iter().filter(|variable| !used.contains(&variable.name)) {
        context.report(
            &[variable.location()],
            format_args!("Variable \"${}\" is never used{}.", variable.name, by("in")),
        );
    }
}

fn fits(context: &Context<'_>, variable: &Node<VariableDefinition>, used: &Use<'_>) {
    let (name, ty) = (used.name, &*variable.ty);
    let Some(expected) = used.expected.filter(|_| context.schema.types.contains_key(ty.inner_named_type()))
    else {
        return;
    };
    let places = [variable.location(), used.span];
    if !is_allowed(variable, expected, used.has_default) {
        context.report(
            &places,
            format_args!(
                "Variable \"${name}\" of type \"{ty}\" used in position expecting type \"{expected}\"."
            ),
        );
    }
    if let Some((object, field)) = used.one_of.filter(|_| !ty.is_non_null()) {
        context.report(
            &places,
            format_args!(
                "Variable \"${name}\" is of type \"{ty}\" but must be non-nullable to be used for OneOf Input Object \
                 \"{object}\" (field \"{field}\")."
            ),
        );
    }
}

/// `IsVariableUsageAllowed()` (section 5.8.5).
fn is_allowed(variable: &VariableDefinition, expected: &Type, has_default: bool) -> bool {
    let ty = &variable.ty;
    if !expected.is_non_null() || ty.is_non_null() {
        return ty.is_assignable_to(expected);
    }
    let has_value = variable.default_value.as_ref().is_some_and(|value| !value.is_null());
    (has_value || has_default) && ty.is_assignable_to(&expected.clone().nullable())
}

//! Fields of one response key are one field (section 5.3.2).
//!
//! Fields of a selection set are compared with each other, then with those of its fragments, and those of fragments among
//! themselves; each pair once. What is compared is what graphql-js compares, so that the words are the same.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Field, FieldDefinition, Selection, Type, Value};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::parser::SourceSpan;

use super::Context;
use crate::error::Error;
use crate::limits::refused;

/// Checks all selection sets of a document without cycles; compares `most` pairs of fields at most.
///
/// # Errors
/// There are more to compare.
pub(super) fn check(context: &Context<'_>, most: usize) -> Result<(), Error> {
    let mut merge =
        Merge { context, most, sets: HashMap::new(), spread: HashMap::new(), compared: HashMap::new() };
    for definition in &context.document.definitions {
        let (parent, set) = match definition {
            Definition::OperationDefinition(operation) => {
                let root = context.schema.root_operation(operation.operation_type);
                (root.map(|root| root.as_str()), &operation.selection_set)
            }
            Definition::FragmentDefinition(fragment) => {
                (Some(fragment.type_condition.as_str()), &fragment.selection_set)
            }
            _ => continue,
        };
        merge.all(parent, set)?;
    }
    Ok(())
}

/// A field where it is selected.
#[derive(Clone, Copy)]
struct Selected<'a> {
    parent: Option<&'a str>,
    field: &'a Node<Field>,
    definition: Option<&'a FieldDefinition>,
}

impl Selected<'_> {
    /// Whether this is the very same again, which has nothing new to compare.
    fn is(&self, other: &Self) -> bool {
        self.parent == other.parent && self.field == other.field
    }
}

/// A selection set: its fields by response key, those of inline fragments too, and the fragments it spreads.
#[derive(Default)]
struct Set<'a> {
    fields: IndexMap<&'a str, Vec<Selected<'a>>>,
    fragments: IndexSet<&'a str>,
}

/// Fields that cannot be one.
struct Conflict<'a> {
    key: &'a str,
    why: String,
    one: Vec<Option<SourceSpan>>,
    other: Vec<Option<SourceSpan>>,
}

type Found<'a> = Result<Vec<Conflict<'a>>, Error>;

struct Merge<'a, 'c> {
    context: &'c Context<'a>,
    /// Comparisons left.
    most: usize,
    /// By their first selections.
    sets: HashMap<*const Selection, Rc<Set<'a>>>,
    /// Sets and fragments that were compared, and whether only as if no object had fields of both.
    spread: HashMap<(*const Set<'a>, &'a str), bool>,
    /// Pairs of fragments, likewise.
    compared: HashMap<(&'a str, &'a str), bool>,
}

impl<'a> Merge<'a, '_> {
    fn all(&mut self, parent: Option<&'a str>, set: &'a [Selection]) -> Result<(), Error> {
        for conflict in self.within(parent, set)? {
            let places: Vec<_> = conflict.one.into_iter().chain(conflict.other).collect();
            self.context.report(
                &places,
                format_args!(
                    "Fields \"{}\" conflict because {}. Use different aliases on the fields to fetch both if this was \
                     intentional.",
                    conflict.key, conflict.why
                ),
            );
        }
        for selection in set {
            match selection {
                Selection::Field(field) if !field.selection_set.is_empty() => {
                    let definition = self.definition(parent, field);
                    let ty = definition.map(|definition| definition.ty.inner_named_type().as_str());
                    self.all(ty, &field.selection_set)?;
                }
                Selection::InlineFragment(inline) => {
                    let ty = inline.type_condition.as_ref().map(|ty| ty.as_str()).or(parent);
                    self.all(ty, &inline.selection_set)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn definition(&self, parent: Option<&str>, field: &Field) -> Option<&'a FieldDefinition> {
        let definition = self.context.schema.type_field(parent?, &field.name).ok()?;
        Some(&***definition)
    }

    fn set(&mut self, parent: Option<&'a str>, set: &'a [Selection]) -> Rc<Set<'a>> {
        if let Some(known) = self.sets.get(&set.as_ptr()) {
            return Rc::clone(known);
        }
        let mut collected = Set::default();
        self.collect(parent, set, &mut collected);
        let collected = Rc::new(collected);
        self.sets.insert(set.as_ptr(), Rc::clone(&collected));
        collected
    }

    fn collect(&self, parent: Option<&'a str>, set: &'a [Selection], into: &mut Set<'a>) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    let selected = Selected { parent, field, definition: self.definition(parent, field) };
                    let same = into.fields.entry(field.response_name()).or_default();
                    if !same.iter().any(|known| known.is(&selected)) {
                        same.push(selected);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let ty = inline.type_condition.as_ref().map(|ty| ty.as_str()).or(parent);
                    self.collect(ty, &inline.selection_set, into);
                }
                Selection::FragmentSpread(spread) => {
                    into.fragments.insert(&spread.fragment_name);
                }
            }
        }
    }

    fn fragment(&mut self, name: &str) -> Option<Rc<Set<'a>>> {
        let fragment = self.context.fragments.get(name).copied()?;
        Some(self.set(Some(&fragment.type_condition), &fragment.selection_set))
    }

    fn within(&mut self, parent: Option<&'a str>, set: &'a [Selection]) -> Found<'a> {
        let set = self.set(parent, set);
        let mut found = Vec::new();
        for (key, fields) in &set.fields {
            for (index, one) in fields.iter().enumerate() {
                for other in fields.iter().skip(index + 1) {
                    found.extend(self.compare(key, *one, *other, false)?);
                }
            }
        }
        for (index, name) in set.fragments.iter().enumerate() {
            found.extend(self.fields_and_fragment(&set, name, false)?);
            for other in set.fragments.iter().skip(index + 1) {
                found.extend(self.fragments(name, other, false)?);
            }
        }
        Ok(found)
    }

    fn fields_and_fragment(&mut self, set: &Rc<Set<'a>>, name: &'a str, apart: bool) -> Found<'a> {
        let other = self.fragment(name).filter(|other| !Rc::ptr_eq(set, other));
        let Some(other) = other.filter(|_| is_new(&mut self.spread, (Rc::as_ptr(set), name), apart)) else {
            return Ok(Vec::new());
        };
        let mut found = self.between(set, &other, apart)?;
        for inner in &other.fragments {
            found.extend(self.fields_and_fragment(set, inner, apart)?);
        }
        Ok(found)
    }

    fn fragments(&mut self, one: &'a str, other: &'a str, apart: bool) -> Found<'a> {
        let pair = if one < other { (one, other) } else { (other, one) };
        if one == other || !is_new(&mut self.compared, pair, apart) {
            return Ok(Vec::new());
        }
        let (Some(first), Some(second)) = (self.fragment(one), self.fragment(other)) else {
            return Ok(Vec::new());
        };
        let mut found = self.between(&first, &second, apart)?;
        for inner in &second.fragments {
            found.extend(self.fragments(one, inner, apart)?);
        }
        for inner in &first.fragments {
            found.extend(self.fragments(inner, other, apart)?);
        }
        Ok(found)
    }

    fn between(&mut self, set: &Set<'a>, other: &Set<'a>, apart: bool) -> Found<'a> {
        let mut found = Vec::new();
        for (key, fields) in &set.fields {
            for one in fields {
                for other in other.fields.get(key).into_iter().flatten() {
                    found.extend(self.compare(key, *one, *other, apart)?);
                }
            }
        }
        Ok(found)
    }

    /// Selections of two fields of one key.
    fn selections(&mut self, one: Selected<'a>, other: Selected<'a>, apart: bool) -> Found<'a> {
        let ty = |selected: Selected<'a>| {
            selected.definition.map(|definition| definition.ty.inner_named_type().as_str())
        };
        let first = self.set(ty(one), &one.field.selection_set);
        let second = self.set(ty(other), &other.field.selection_set);
        let mut found = self.between(&first, &second, apart)?;
        for name in &second.fragments {
            found.extend(self.fields_and_fragment(&first, name, apart)?);
        }
        for name in &first.fragments {
            found.extend(self.fields_and_fragment(&second, name, apart)?);
        }
        for name in &first.fragments {
            for other in &second.fragments {
                found.extend(self.fragments(name, other, apart)?);
            }
        }
        Ok(found)
    }

    /// Compares two fields of one key; `apart` where no object has both.
    fn compare(
        &mut self,
        key: &'a str,
        one: Selected<'a>,
        other: Selected<'a>,
        apart: bool,
    ) -> Result<Option<Conflict<'a>>, Error> {
        self.most = self.most.checked_sub(1).ok_or_else(too_many)?;
        if one.is(&other) {
            return Ok(None);
        }
        let apart = apart || self.is_apart(one, other);
        let places = |selected: Selected<'a>| vec![selected.field.location()];
        if let Some(why) = differ(one, other, apart, self.context) {
            return Ok(Some(Conflict { key, why, one: places(one), other: places(other) }));
        }
        if one.field.selection_set.is_empty() || other.field.selection_set.is_empty() {
            return Ok(None);
        }
        let inner = self.selections(one, other, apart)?;
        if inner.is_empty() {
            return Ok(None);
        }
        let mut conflict = Conflict { key, why: String::new(), one: places(one), other: places(other) };
        for (index, inner) in inner.into_iter().enumerate() {
            let and = if index > 0 { " and " } else { "" };
            conflict.why += &format!("{and}subfields \"{}\" conflict because {}", inner.key, inner.why);
            conflict.one.extend(inner.one);
            conflict.other.extend(inner.other);
        }
        Ok(Some(conflict))
    }

    fn is_apart(&self, one: Selected<'_>, other: Selected<'_>) -> bool {
        let is_object =
            |name: Option<&str>| name.is_some_and(|name| self.context.schema.get_object(name).is_some());
        one.parent != other.parent && is_object(one.parent) && is_object(other.parent)
    }
}

/// Whether a pair has yet to be compared. What may be of the same object is compared more strictly.
fn is_new<K: Hash + Eq>(compared: &mut HashMap<K, bool>, pair: K, apart: bool) -> bool {
    match compared.get(&pair) {
        Some(before) if apart || !before => false,
        _ => {
            compared.insert(pair, apart);
            true
        }
    }
}

fn too_many() -> Error {
    refused("The document selects the same fields too often. Select each field once.".to_owned())
}

/// Why two fields of one key are not the same.
fn differ(one: Selected<'_>, other: Selected<'_>, apart: bool, context: &Context<'_>) -> Option<String> {
    let (first, second) = (one.field, other.field);
    if !apart && first.name != second.name {
        return Some(format!("\"{}\" and \"{}\" are different fields", first.name, second.name));
    }
    if !apart && !are_same_arguments(first, second) {
        return Some("they have differing arguments".to_owned());
    }
    let (one, other) = (&one.definition?.ty, &other.definition?.ty);
    do_conflict(one, other, context)
        .then(|| format!("they return conflicting types \"{one}\" and \"{other}\""))
}

fn are_same_arguments(one: &Field, other: &Field) -> bool {
    one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|argument| {
            let same = other.arguments.iter().find(|other| other.name == argument.name);
            same.is_some_and(|other| is_same_value(&argument.value, &other.value))
        })
}

/// Whether two literals are equal; fields of objects have no order.
fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    let same = other.iter().find(|(other, _)| other == name);
                    same.is_some_and(|(_, other)| is_same_value(value, other))
                })
        }
        _ => one == other,
    }
}

/// Whether one key cannot hold values of both types.
fn do_conflict(one: &Type, other: &Type, context: &Context<'_>) -> bool {
    match (one, other) {
        (Type::List(one), Type::List(other)) | (Type::NonNullList(one), Type::NonNullList(other)) => {
            do_conflict(one, other, context)
        }
        (Type::Named(one), Type::Named(other)) | (Type::NonNullNamed(one), Type::NonNullNamed(other)) => {
            one != other && !(context.is_composite(one) && context.is_composite(other))
        }
        _ => true,
    }
}

//! Takes fields out of a root field whose arguments turned out to have wrong values: they are null where they would have
//! been, and everything else is answered.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::lower::RootField;

/// The root field without the fields some values belong to.
///
/// Parameters: numbers of the wrong values, and what is wrong with each.
///
/// # Errors
/// The wrong value is the root field's own.
pub fn without(field: &RootField, failing: Vec<(usize, Error)>) -> Result<RootField, Error> {
    let mut shape: Value = serde_json::from_slice(&field.shape).unwrap_or_default();
    let mut pruning = Pruning { failing, refusals: field.refusals.clone(), values: Vec::new(), given: field };
    let own = shape.get("a").and_then(|arguments| pruning.find(arguments));
    if let Some(index) = own {
        return Err(pruning.failing.swap_remove(index).1);
    }
    pruning.field(&mut shape);
    if pruning.refusals.len() == field.refusals.len() {
        return Err(pruning.failing.swap_remove(0).1);
    }
    Ok(RootField {
        key: field.key.clone(),
        name: field.name.clone(),
        nullable: field.nullable,
        spans: field.spans.clone(),
        shape: shape.to_string().into_bytes(),
        values: pruning.values,
        error: None,
        refusals: pruning.refusals,
    })
}

struct Pruning<'a> {
    failing: Vec<(usize, Error)>,
    refusals: Vec<Error>,
    /// Values of the placeholders that are left.
    values: Vec<Box<[u8]>>,
    given: &'a RootField,
}

impl Pruning<'_> {
    /// Which of the wrong values is among arguments.
    fn find(&self, arguments: &Value) -> Option<usize> {
        match arguments {
            Value::Object(members) => match placeholder(members) {
                Some(number) => self.failing.iter().position(|(failing, _)| *failing == number),
                None => members.values().find_map(|member| self.find(member)),
            },
            Value::Array(items) => items.iter().find_map(|item| self.find(item)),
            _ => None,
        }
    }

    /// Prunes what is selected of a field, and numbers the rest anew. The parser has bounded the depth.
    fn field(&mut self, field: &mut Value) {
        if let Some(arguments) = field.get_mut("a") {
            self.renumber(arguments);
        }
        let Some(Value::Object(types)) = field.get_mut("s") else { return };
        for selected in types.values_mut().filter_map(Value::as_array_mut).flatten() {
            match selected.get("a").and_then(|arguments| self.find(arguments)) {
                Some(index) => self.refuse(selected, index),
                None => self.field(selected),
            }
        }
    }

    fn refuse(&mut self, selected: &mut Value, index: usize) {
        if let Value::Object(members) = selected {
            members.retain(|name, _| name == "k" || name == "f");
            members.insert("e".to_owned(), self.refusals.len().into());
        }
        self.refusals.extend(self.failing.get(index).map(|(_, error)| error.clone()));
    }

    fn renumber(&mut self, arguments: &mut Value) {
        match arguments {
            Value::Object(members) => match placeholder(members) {
                Some(number) => {
                    members.insert("$".to_owned(), self.values.len().into());
                    self.values.extend(self.given.values.get(number).cloned());
                }
                None => members.values_mut().for_each(|member| self.renumber(member)),
            },
            Value::Array(items) => items.iter_mut().for_each(|item| self.renumber(item)),
            _ => {}
        }
    }
}

/// The number of `{"$":number,…}`.
fn placeholder(members: &Map<String, Value>) -> Option<usize> {
    members.get("$")?.as_u64().and_then(|number| usize::try_from(number).ok())
}

//! Errors of fields (section 6.4.4 of the specification): a value that failed is null; where it must not be, the nearest
//! field around it that may be null is.
//!
//! Values that failed, and those that functions give, come as marks in the text of a root field (`plectrum_db::mark`). Only
//! such texts come here.

use std::collections::HashMap;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::executable::{Field, Operation};
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;

use crate::collect::Collector;
use crate::document::Document;
use crate::error::{Code, Error, Step};
use crate::graph::Graph;
use crate::place::Spans;
use crate::scan::{Mark, Scan};

/// What a response is of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The schema.
    pub graph: &'a Graph,
    /// The document.
    pub document: &'a Document,
    /// Its operation.
    pub operation: &'a Operation,
    /// The operation's variables.
    pub variables: &'a Valid<JsonMap>,
}

/// What functions gave, by what they were asked for ([`places`]).
pub type Answers = HashMap<Box<[u8]>, Result<Box<[u8]>, Error>>;

/// What functions have to give in a text, each once: the JSON of their marks.
#[must_use]
pub fn places(text: &[u8]) -> Vec<&[u8]> {
    let mut scan = Scan::new(text);
    let mut found = IndexSet::default();
    while scan.seek_mark() {
        if let Some(Mark::Resolved(place)) = scan.mark() {
            found.insert(place);
        }
    }
    found.into_iter().collect()
}

/// What marks refer to.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Why fields cannot be answered, by number in the shape.
    pub refusals: &'a [Error],
    /// What failed below the top statement, by number.
    pub failures: &'a [Error],
    /// What functions gave.
    pub answers: &'a Answers,
}

/// A root field's value without marks.
#[derive(Debug, Default)]
pub struct Settled {
    /// Its JSON; none where the null belongs further up.
    pub json: Option<Vec<u8>>,
    /// What failed, in the order of the response.
    pub errors: Vec<Error>,
    /// What the log has to know of it.
    pub faults: Vec<String>,
}

/// Takes the marks out of the value of a root field.
///
/// * `key`: its response key;
/// * `known`: what marks refer to;
/// * `text`: the value.
#[must_use]
pub fn settle(source: Source<'_>, key: &str, known: Known<'_>, text: &[u8]) -> Settled {
    let Source { graph, document, operation, variables } = source;
    let collector = Collector { graph, document, variables };
    let root = operation.object_type();
    let collected = collector.collect(root, std::iter::once(&operation.selection_set));
    let Some((_, fields)) = collected.iter().find(|(name, _)| name.as_str() == key) else {
        return Settled::default();
    };
    let mut walk = Walk {
        collector: &collector,
        known,
        input: Scan::new(text),
        path: vec![Step::Key(key.to_owned())],
        settled: Settled { json: Some(Vec::with_capacity(text.len())), ..Settled::default() },
    };
    let place = Place { parent: root, fields };
    if fields.first().is_some_and(|field| walk.position(&field.definition.ty, place).is_err()) {
        walk.settled.json = None;
    }
    walk.settled
}

/// The value has to be null, and must not be.
struct Nulled;

/// The fields of one response key, and the type they are of.
#[derive(Clone, Copy)]
struct Place<'a, 'p> {
    parent: &'p str,
    fields: &'p [&'a Field],
}

struct Walk<'a, 't> {
    collector: &'t Collector<'a>,
    known: Known<'t>,
    input: Scan<'t>,
    path: Vec<Step>,
    settled: Settled,
}

impl<'a> Walk<'a, '_> {
    fn out(&mut self) -> &mut Vec<u8> {
        self.settled.json.get_or_insert_default()
    }

    /// A value of a type; null where it failed and may be.
    fn position(&mut self, ty: &Type, place: Place<'a, '_>) -> Result<(), Nulled> {
        let begin = self.out().len();
        match self.complete(ty, place) {
            Err(Nulled) if !ty.is_non_null() => {
                self.out().truncate(begin);
                plectrum_json::write_null(self.out());
                Ok(())
            }
            completed => completed,
        }
    }

    fn complete(&mut self, ty: &Type, place: Place<'a, '_>) -> Result<(), Nulled> {
        if let Some(mark) = self.input.mark() {
            return self.marked(&mark, ty, place);
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) if self.input.peek() == Some(b'[') => {
                self.list(item, place)
            }
            Type::Named(_) | Type::NonNullNamed(_)
                if self.has_fields(place) && self.input.peek() == Some(b'{') =>
            {
                self.object(place)
            }
            _ => {
                let value = self.input.value();
                self.out().extend_from_slice(value);
                Ok(())
            }
        }
    }

    /// A value that a function gave, or what failed.
    fn marked(&mut self, mark: &Mark<'_>, ty: &Type, place: Place<'a, '_>) -> Result<(), Nulled> {
        let answers = self.known.answers;
        let failed = match mark {
            Mark::Resolved(asked) => match answers.get(*asked) {
                Some(Ok(json)) if &**json != b"null" || !ty.is_non_null() => {
                    self.out().extend_from_slice(json);
                    return Ok(());
                }
                Some(Err(error)) => error.clone(),
                _ => self.error(&Mark::Absent, place),
            },
            mark => self.error(mark, place),
        };
        let locations = self.collector.document.places(&Spans::of(place.fields));
        self.settled.errors.push(Error { path: self.path.clone(), locations, ..failed });
        Err(Nulled)
    }

    fn has_fields(&self, place: Place<'a, '_>) -> bool {
        place.fields.iter().any(|field| !field.selection_set.selections.is_empty())
    }

    fn list(&mut self, item: &Type, place: Place<'a, '_>) -> Result<(), Nulled> {
        self.input.skip(b'[');
        self.out().push(b'[');
        let mut index = 0;
        while !self.input.skip(b']') && !self.input.is_empty() {
            if index > 0 {
                self.input.skip(b',');
                self.out().push(b',');
            }
            self.path.push(Step::Index(index));
            let completed = self.position(item, place);
            self.path.pop();
            if completed.is_err() {
                self.input.leave();
                return Err(Nulled);
            }
            index += 1;
        }
        self.out().push(b']');
        Ok(())
    }

    fn object(&mut self, place: Place<'a, '_>) -> Result<(), Nulled> {
        let selected = self.selected(place.fields);
        self.input.skip(b'{');
        self.out().push(b'{');
        let mut first = true;
        while !self.input.skip(b'}') && !self.input.is_empty() {
            if !std::mem::take(&mut first) {
                self.input.skip(b',');
                self.out().push(b',');
            }
            let quoted = self.input.value();
            self.input.skip(b':');
            self.out().extend_from_slice(quoted);
            self.out().push(b':');
            let key = std::str::from_utf8(quoted).unwrap_or_default().trim_matches('"');
            if self.member(key, &selected).is_err() {
                self.input.leave();
                return Err(Nulled);
            }
        }
        self.out().push(b'}');
        Ok(())
    }

    fn member(&mut self, key: &str, selected: &IndexMap<Name, (Name, Vec<&'a Field>)>) -> Result<(), Nulled> {
        let found = selected.get(key).and_then(|(parent, fields)| Some((parent, fields, fields.first()?)));
        let Some((parent, fields, field)) = found else {
            let value = self.input.value();
            self.out().extend_from_slice(value);
            return Ok(());
        };
        self.path.push(Step::Key(key.to_owned()));
        let completed = self.position(&field.definition.ty, Place { parent, fields });
        self.path.pop();
        completed
    }

    /// What is selected of an object. Fields of one key are of one form, whatever type the object is of (section 5.3.2).
    fn selected(&self, fields: &[&'a Field]) -> IndexMap<Name, (Name, Vec<&'a Field>)> {
        let mut selected = IndexMap::default();
        let Some(field) = fields.first() else { return selected };
        let types = self.collector.graph.possible_types(field.definition.ty.inner_named_type());
        for object in types {
            let sets = fields.iter().map(|field| &field.selection_set);
            for (key, fields) in self.collector.collect(&object, sets) {
                selected.entry(key.clone()).or_insert_with(|| (object.clone(), fields));
            }
        }
        selected
    }

    fn error(&mut self, mark: &Mark<'_>, place: Place<'a, '_>) -> Error {
        let name = place.fields.first().map_or("", |field| field.name.as_str());
        let field = format!("{}.{name}", place.parent);
        match mark {
            Mark::Absent | Mark::Resolved(_) => {
                Error::new(Code::Internal, format!("Cannot return null for non-nullable field {field}."))
            }
            Mark::Unwritable(why) => {
                self.settled.faults.push(format!("{field}: {why}"));
                Error::new(Code::Internal, format!("The stored value of {field} is none of its type's."))
            }
            Mark::Refused(number) => numbered(self.known.refusals, *number),
            Mark::Failed(number) => numbered(self.known.failures, *number),
            Mark::Message(message) => Error::new(Code::BadUserInput, message.clone()),
        }
    }
}

fn numbered(errors: &[Error], number: usize) -> Error {
    let lost = || Error::new(Code::Internal, "Internal server error.");
    errors.get(number).cloned().unwrap_or_else(lost)
}

#[cfg(test)]
mod tests;

//! Which fields of an object are asked for: a tree, in the order of the answer.

use crate::naming::to_camel;
use crate::text;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// The name under which an object's type is asked for.
pub(super) const TYPENAME: &str = "__typename";

/// The fields asked for of one object.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub(super) fields: Vec<Selected>,
    /// Index of each alias: selections come from clients, who may send very long ones.
    aliases: HashMap<Box<str>, usize>,
    /// Index of the first field that reads each name.
    names: HashMap<Box<str>, usize>,
}

/// One field of the answer.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    alias: Box<str>,
    /// The field's camelCase name.
    pub(super) name: Box<str>,
    /// `"alias":`
    pub(super) key: Box<[u8]>,
    /// Index of the first field that reads the same name.
    pub(super) source: usize,
    /// What is asked for inside; everything where that is `None`.
    pub(super) inner: Option<Rc<Selection>>,
}

/// A selection that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectionError {
    /// A path, one of its names or what is selected inside of a field is empty.
    Empty(Box<str>),
    /// One key of the answer is asked to hold two things.
    Conflict(Box<str>),
    /// More levels than rows may have.
    Deep,
}

impl fmt::Display for SelectionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(path) => write!(formatter, "the selection {path:?} names nothing"),
            Self::Conflict(key) => {
                write!(
                    formatter,
                    "{key:?} is selected twice, for different fields; give one of them an alias"
                )
            }
            Self::Deep => {
                write!(formatter, "the selection is nested deeper than {} levels", super::MAX_DEPTH)
            }
        }
    }
}

impl std::error::Error for SelectionError {}

impl Selection {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Adds a path: names from the outside in, separated by dots, each with an alias where GraphQL has one:
    /// `author.name`, `writer: author.label: name`. Names as in the rows or as in GraphQL.
    ///
    /// # Errors
    /// Where a name is empty, or a key would hold two fields.
    pub fn add(&mut self, path: &str) -> Result<(), SelectionError> {
        if path.split('.').nth(super::MAX_DEPTH).is_some() {
            return Err(SelectionError::Deep);
        }
        let (outer, last) = path.rsplit_once('.').unwrap_or(("", path));
        let inside = match outer {
            "" if last.len() == path.len() => self,
            _ => outer.split('.').try_fold(self, Self::descend)?,
        };
        inside.field(last).map(drop)
    }

    /// The selection inside of the field `segment` (`name` or `alias: name`), added where it is new.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    fn descend<'a>(&'a mut self, segment: &str) -> Result<&'a mut Self, SelectionError> {
        let index = self.field(segment)?;
        Ok(Rc::make_mut(self.fields[index].inner.get_or_insert_default()))
    }

    /// Adds the field `segment` (`name` or `alias: name`) with what is asked for inside of it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_inside(&mut self, segment: &str, inner: Self) -> Result<(), SelectionError> {
        if inner.fields.is_empty() {
            return Err(SelectionError::Empty(segment.into()));
        }
        self.descend(segment)?.merge(inner)
    }

    fn merge(&mut self, other: Self) -> Result<(), SelectionError> {
        for field in other.fields {
            let segment = format!("{}: {}", field.alias, field.name);
            match field.inner {
                Some(inner) => self.descend(&segment)?.merge(Rc::unwrap_or_clone(inner))?,
                None => drop(self.field(&segment)?),
            }
        }
        Ok(())
    }

    /// The index of the field `segment`, added where it is new.
    fn field(&mut self, segment: &str) -> Result<usize, SelectionError> {
        let (alias, name) = match segment.split_once(':') {
            Some((alias, name)) => (alias.trim(), to_camel(name.trim())),
            None => (segment.trim(), to_camel(segment.trim())),
        };
        if alias.is_empty() || name.is_empty() {
            return Err(SelectionError::Empty(segment.into()));
        }
        let alias: Box<str> = if segment.contains(':') { alias.into() } else { name.clone().into() };
        if let Some(&index) = self.aliases.get(&alias) {
            let same = *self.fields[index].name == *name;
            return if same { Ok(index) } else { Err(SelectionError::Conflict(alias)) };
        }
        let name: Box<str> = name.into();
        let index = self.fields.len();
        let source = *self.names.entry(name.clone()).or_insert(index);
        self.aliases.insert(alias.clone(), index);
        self.fields.push(Selected { key: text::key(&alias), alias, source, name, inner: None });
        Ok(index)
    }

    /// The field that reads `name` first.
    pub(super) fn reading(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }
}

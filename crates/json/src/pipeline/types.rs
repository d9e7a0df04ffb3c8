//! Types by name, and what their fields hold.

use crate::naming::to_camel;
use std::collections::HashMap;
use std::sync::Arc;

/// What a value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// Objects of no known type: their keys are converted.
    Any,
    /// Objects of the named type, or lists of them.
    Named(Arc<str>),
    /// JSON of the user's own: copied byte for byte, keys and all.
    Json,
}

impl Of {
    /// From GraphQL's notation: `Author`, `[Comment!]!`; `JSON` is [`Of::Json`].
    #[must_use]
    pub fn parse(notation: &str) -> Self {
        match notation.trim_matches(['[', ']', '!', ' ']) {
            "" => Self::Any,
            "JSON" => Self::Json,
            name => Self::Named(name.into()),
        }
    }
}

/// A schema of types; one that is only named has a `__typename` and fields of which nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Types {
    fields: HashMap<Arc<str>, HashMap<Box<str>, Of>>,
}

impl Types {
    /// Adds a type, or replaces it. Fields may be named as in the rows or as in GraphQL; those not named hold
    /// [`Of::Any`].
    pub fn register<'a>(&mut self, name: &str, fields: impl IntoIterator<Item = (&'a str, Of)>) {
        let fields = fields.into_iter().map(|(field, of)| (Box::from(to_camel(field)), of)).collect();
        self.fields.insert(name.into(), fields);
    }

    /// The names of all types, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(AsRef::as_ref)
    }

    /// What a field holds, by its camelCase name.
    pub(super) fn field(&self, of: &Of, name: &str) -> Of {
        match of {
            Of::Named(owner) => {
                self.fields.get(owner).and_then(|fields| fields.get(name)).cloned().unwrap_or(Of::Any)
            }
            _ => Of::Any,
        }
    }
}

//! What the trigger sends.

use plectrum_db::value::Value;
use serde::Deserialize;

/// One change of one row.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    /// What happened.
    #[serde(rename = "o")]
    pub(crate) kind: Kind,
    /// A number that no other change has.
    #[serde(rename = "i")]
    pub(crate) id: u64,
    /// The row's primary key.
    #[serde(rename = "k")]
    pub(crate) key: serde_json::Value,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Insert,
    Update,
    Delete,
}

impl Kind {
    /// The name of the event.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl Change {
    /// The key as a statement takes it.
    pub(crate) fn argument(&self) -> Value {
        match &self.key {
            serde_json::Value::String(text) => Value::Text(text.clone()),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or_else(|| Value::Text(number.to_string()), Value::Int)
            }
            serde_json::Value::Bool(value) => Value::Bool(*value),
            _ => Value::Null,
        }
    }
}

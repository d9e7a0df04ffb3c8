//! Reading the members of one described object, so that none is overlooked.

use super::{DefinitionError, Result};
use serde_json::{Map, Value};

/// The members of an object, each taken once; what nobody took is an error.
pub(super) struct Members<'v> {
    object: &'v Map<String, Value>,
    taken: Vec<String>,
    path: String,
}

impl<'v> Members<'v> {
    pub(super) fn of(value: &'v Value, path: &str) -> Result<Self> {
        let path = path.to_owned();
        match value.as_object() {
            Some(object) => Ok(Self { object, taken: Vec::new(), path }),
            None => {
                Err(DefinitionError { path, message: format!("an object describes a type, found {value}") })
            }
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// A struct's path is its name, so that fields read `Article.price`.
    pub(super) fn set_path(&mut self, path: &str) {
        path.clone_into(&mut self.path);
    }

    pub(super) fn error(&self, message: impl Into<String>) -> DefinitionError {
        DefinitionError { path: self.path.clone(), message: message.into() }
    }

    /// A member, `null` being as good as absent.
    pub(super) fn optional(&mut self, name: &str) -> Option<&'v Value> {
        self.taken.push(name.to_owned());
        self.object.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&mut self, name: &str) -> Result<&'v Value> {
        self.optional(name).ok_or_else(|| self.error(format!("`{name}` is missing")))
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<&'v str>> {
        let Some(value) = self.optional(name) else { return Ok(None) };
        let text =
            value.as_str().ok_or_else(|| self.error(format!("`{name}` must be text, found {value}")))?;
        Ok(Some(text))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<&'v str> {
        self.optional_text(name)?.ok_or_else(|| self.error(format!("`{name}` is missing")))
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<usize>> {
        let Some(value) = self.optional(name) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        let count = count
            .ok_or_else(|| self.error(format!("`{name}` must be a whole number from 0, found {value}")))?;
        Ok(Some(count))
    }

    pub(super) fn small_count(&mut self, name: &str) -> Result<Option<u32>> {
        let Some(count) = self.count(name)? else { return Ok(None) };
        u32::try_from(count).map(Some).map_err(|_| self.error(format!("`{name}` is too large")))
    }

    pub(super) fn class(&mut self) -> Result<u32> {
        self.small_count("class")?.ok_or_else(|| self.error("`class` is missing"))
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> Result<bool> {
        let Some(value) = self.optional(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.error(format!("`{name}` must be true or false, found {value}")))
    }

    pub(super) fn list(&mut self, name: &str) -> Result<&'v [Value]> {
        let Some(value) = self.optional(name) else { return Ok(&[]) };
        let list =
            value.as_array().ok_or_else(|| self.error(format!("`{name}` must be a list, found {value}")))?;
        Ok(list)
    }

    /// Refuses members that nobody took; `constraints` are the ones `kind` knows.
    pub(super) fn done(&self, kind: &str, constraints: &[&str]) -> Result<()> {
        let unknown = self.object.iter().find(|(name, value)| !self.taken.contains(name) && !value.is_null());
        let Some((name, _)) = unknown else { return Ok(()) };
        let known = match constraints {
            [] => "it takes no constraints".to_owned(),
            some => format!("it takes {}", some.join(", ")),
        };
        Err(self.error(format!("`{name}` does not apply to {kind}; {known}")))
    }
}

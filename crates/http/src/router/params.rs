//! The values that a path gave to a pattern's parameters.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::pattern::{Param, Pattern};

/// Decoded values in pattern order; borrowed from the path unless it was percent-encoded.
pub(super) type Values<'p> = SmallVec<[Cow<'p, str>; 4]>;

/// The parameters of a match: decoded once, segment by segment.
#[derive(Clone, Debug)]
pub struct Params<'r, 'p> {
    pub(super) names: &'r [Param],
    pub(super) values: Values<'p>,
}

impl<'r, 'p> Params<'r, 'p> {
    pub(super) fn new(pattern: &'r Pattern, values: Values<'p>) -> Self {
        Self { names: pattern.params(), values }
    }

    /// The value at a position of the pattern.
    #[must_use]
    pub fn nth(&self, index: usize) -> Option<&str> {
        self.values.get(index).map(AsRef::as_ref)
    }

    /// The value of a parameter by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.nth(self.names.iter().position(|param| &*param.name == name)?)
    }

    /// Names and values, in pattern order.
    pub fn iter(&self) -> impl Iterator<Item = (&'r str, &str)> {
        self.names.iter().map(|param| &*param.name).zip(self.values.iter().map(AsRef::as_ref))
    }

    /// The number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the pattern has no parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values alone, in pattern order.
    #[must_use]
    pub fn into_values(self) -> SmallVec<[Cow<'p, str>; 4]> {
        self.values
    }
}

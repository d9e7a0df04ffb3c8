//! Why a row is not JSON, and where.

use std::fmt;

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset in the row.
    pub at: usize,
    /// What was expected there, or found.
    pub what: &'static str,
}

impl Fault {
    pub(crate) const fn new(at: usize, what: &'static str) -> Self {
        Self { at, what }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for Fault {}

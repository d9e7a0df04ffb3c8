//! The one table of validation errors: code, message, parameters.

use std::borrow::Cow;

/// A step of the path to the value at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key or parameter name.
    Key(Cow<'static, str>),
    /// A position in a list.
    Index(usize),
}

/// One thing wrong with one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// Where, outermost first. While errors travel outwards steps are pushed at the end and reversed once.
    pub loc: Vec<Step>,
    /// Stable machine-readable code (`type` on the wire), for example `int_parsing`.
    pub code: Cow<'static, str>,
    /// For people; says what was expected and, where short, what was found.
    pub message: Cow<'static, str>,
}

//! What is wrong with a value, and how it is told: [`Error`] and its JSON form. The table itself is [`table`].

pub mod table;

use plectrum_json::{number, text};
use std::borrow::Cow;
use table::Code;

/// A step of the path to the value at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key or parameter name.
    Key(Cow<'static, str>),
    /// A position in a list.
    Index(usize),
}

impl Step {
    /// A key of any lifetime.
    #[must_use]
    pub fn key(name: &str) -> Self {
        Self::Key(Cow::Owned(name.to_owned()))
    }
}

/// A number or text that a message mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// A count.
    Count(usize),
    /// A bound, a pattern, a name.
    Text(Cow<'static, str>),
}

impl From<usize> for Param {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Param {
    fn from(count: u32) -> Self {
        Self::Count(count as usize)
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl std::fmt::Display for Param {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Named parameters of a message, in the order of the table.
pub type Params = Vec<(&'static str, Param)>;

/// One thing wrong with one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// Where, outermost first.
    pub loc: Vec<Step>,
    /// Stable machine-readable code (`type` on the wire), for example `int_parsing`.
    pub code: Cow<'static, str>,
    /// For people; says what was expected and, where short, what was found.
    pub message: Cow<'static, str>,
    /// What the message was made with, for clients that word it themselves.
    pub params: Params,
}

impl Error {
    /// An error from outside the table: what a user's own check reported.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { loc: Vec::new(), code: code.into(), message: message.into(), params: Vec::new() }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self {
            loc: Vec::new(),
            code: Cow::Borrowed(problem.code.name()),
            message: table::render(problem.code.template(), &problem.params),
            params: problem.params,
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Problem::from(code).into()
    }
}

/// A row of the table with its parameters, not yet worded or placed: what leaf checks return.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    code: Code,
    params: Params,
}

impl Problem {
    /// Adds the value of a parameter the message mentions.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Param>) -> Self {
        self.params.push((name, value.into()));
        self
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, params: Vec::new() }
    }
}

/// Every rule that one value breaks; never none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Those that were found, in the order they are told.
    pub(crate) fn of(found: impl IntoIterator<Item = Problem>) -> Self {
        Self(found.into_iter().collect())
    }
}

impl<P: Into<Problem>> From<P> for Problems {
    fn from(problem: P) -> Self {
        Self(vec![problem.into()])
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Appends the `errors` array of a problem document: `[{"loc":["body","age"],"type":"…","msg":"…"}]`. `prefix` (`body`,
/// or `query` and the name) goes before every `loc`.
pub fn write_errors(out: &mut Vec<u8>, errors: &[Error], prefix: &[Step]) {
    out.push(b'[');
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"loc\":[");
        for (index, step) in prefix.iter().chain(&error.loc).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match step {
                Step::Key(key) => text::write(out, key),
                Step::Index(index) => number::write_u64(out, *index as u64),
            }
        }
        out.extend_from_slice(b"],\"type\":");
        text::write(out, &error.code);
        out.extend_from_slice(b",\"msg\":");
        text::write(out, &error.message);
        out.push(b'}');
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_written_with_their_prefix() {
        let mut missing = Error::from(Code::Missing);
        missing.loc = vec![Step::key("tags"), Step::Index(3), Step::key("na\"me")];
        let own = Error::new("too_cheap", "Price must cover the cost");
        let mut out = Vec::new();
        write_errors(&mut out, &[missing, own], &[Step::Key("body".into())]);
        assert_eq!(
            String::from_utf8_lossy(&out),
            r#"[{"loc":["body","tags",3,"na\"me"],"type":"missing","msg":"Field required"},"#.to_owned()
                + r#"{"loc":["body"],"type":"too_cheap","msg":"Price must cover the cost"}]"#
        );
    }

    #[test]
    fn no_errors_are_an_empty_array() {
        let mut out = Vec::new();
        write_errors(&mut out, &[], &[]);
        assert_eq!(out, b"[]");
    }
}

//! Lines and columns of a document, as graphql-js counts them: both from 1, columns in characters.

use apollo_compiler::executable::Field;
use apollo_compiler::parser::{SourceMap, SourceSpan};
use memchr::memchr2_iter;

/// Where fields of one response key are in their document.
#[derive(Debug, Clone, Default)]
pub struct Spans(Vec<SourceSpan>);

impl Spans {
    /// Of these fields: where their aliases begin, or their names.
    pub(crate) fn of(fields: &[&Field]) -> Self {
        let begin = |field: &&Field| field.alias.as_ref().unwrap_or(&field.name).location();
        Self(fields.iter().filter_map(begin).collect())
    }

    /// Lines and columns.
    pub(crate) fn places(&self, sources: &SourceMap) -> Vec<(usize, usize)> {
        self.0.iter().filter_map(|span| of(*span, sources)).collect()
    }
}

/// Line and column of the beginning of a span.
pub(crate) fn of(span: SourceSpan, sources: &SourceMap) -> Option<(usize, usize)> {
    at(sources.get(&span.file_id())?.source_text(), span.offset())
}

/// Line and column of a byte.
pub(crate) fn at(text: &str, offset: usize) -> Option<(usize, usize)> {
    let before = text.get(..offset)?;
    let bytes = before.as_bytes();
    // `\r\n` is one line break.
    let is_break = |at: &usize| bytes.get(*at) == Some(&b'\n') || bytes.get(*at + 1) != Some(&b'\n');
    let breaks = memchr2_iter(b'\n', b'\r', bytes).filter(is_break);
    let (lines, begin) = breaks.fold((1, 0), |(lines, _), at| (lines + 1, at + 1));
    Some((lines, before.get(begin..)?.chars().count() + 1))
}

//! Rows rewritten, one after the other, into one buffer.

use super::learned::{Ahead, LEFT_OUT, Learned};
use super::select::Selection;
use super::types::{Of, Types};
use super::{Fault, lex};
use crate::append;
use std::rc::Rc;

/// The rows of one field of the response.
pub struct Rows<'t> {
    pub(super) learned: Learned<'t>,
    /// Where the values of the objects being projected are; a stack, so that no object allocates.
    pub(super) spans: Vec<Span>,
}

/// Where a value is in its row; an `end` of 0 where it has not been met.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'t> Rows<'t> {
    /// Rows that hold objects `of` a type, or lists of them.
    ///
    /// Without a selection every field is kept, and every object of a type begins with its `__typename`. With one, the
    /// fields are those selected, in that order, `null` where a row has none; `__typename` is among them where it is
    /// selected, or first where `always` says so.
    #[must_use]
    pub fn new(types: &'t Types, of: Of, select: Option<Selection>, always: bool) -> Self {
        let always = always || select.is_none();
        Self { learned: Learned::new(types, of, select.map(Rc::new), always), spans: Vec::new() }
    }

    /// A row that has come as bytes.
    ///
    /// # Errors
    /// Where it is not UTF-8.
    pub fn text(row: &[u8]) -> Result<&str, Fault> {
        simdutf8::compat::from_utf8(row).map_err(|error| Fault::new(error.valid_up_to(), "invalid UTF-8"))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Where the row is not JSON; `out` is then as it was.
    pub fn write(&mut self, out: &mut Vec<u8>, row: &str) -> Result<(), Fault> {
        let before = out.len();
        let text = row.as_bytes();
        self.spans.clear();
        let mut pass = Pass { rows: self, out, text };
        let written = pass.value(lex::space(text, 0), Learned::ROW, 0);
        let checked = written.and_then(|end| match lex::space(text, end) {
            end if end == text.len() => Ok(()),
            end => Err(Fault::new(end, "more after the value")),
        });
        checked.inspect_err(|_| out.truncate(before))
    }
}

/// One row on its way.
pub(super) struct Pass<'a, 't> {
    pub(super) rows: &'a mut Rows<'t>,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) text: &'a [u8],
}

/// What follows in an object.
pub(super) enum Next {
    /// The object ends before this index.
    End(usize),
    /// A member whose value starts at an index.
    Member { value: usize, index: usize },
}

impl Pass<'_, '_> {
    /// Writes the value at `at`, inside of `depth` containers; returns where it ends.
    #[inline]
    pub(super) fn value(&mut self, at: usize, ahead: Ahead, depth: usize) -> Result<usize, Fault> {
        let end = match self.text.get(at) {
            Some(b'"') => lex::string_end(self.text, at + 1)?,
            Some(b'{') => return self.object(at, ahead, depth),
            Some(b'[') => return self.array(at, ahead, depth),
            _ => lex::scalar_end(self.text, at)?,
        };
        append(self.out, &self.text[at..end]);
        Ok(end)
    }

    fn array(&mut self, start: usize, ahead: Ahead, depth: usize) -> Result<usize, Fault> {
        let depth = lex::deeper(start, depth)?;
        if self.rows.learned.enter(ahead).is_none() {
            return self.copy(start, depth - 1);
        }
        self.out.push(b'[');
        let mut at = lex::space(self.text, start + 1);
        while self.text.get(at) != Some(&b']') {
            at = lex::space(self.text, self.value(at, ahead, depth)?);
            match self.text.get(at) {
                Some(b',') => {
                    self.out.push(b',');
                    at = lex::space(self.text, at + 1);
                    if self.text.get(at) == Some(&b']') {
                        return Err(Fault::new(at, "expected a value"));
                    }
                }
                Some(b']') => {}
                _ => return Err(Fault::new(at, "expected a comma or ]")),
            }
        }
        self.out.push(b']');
        Ok(at + 1)
    }

    fn object(&mut self, start: usize, ahead: Ahead, depth: usize) -> Result<usize, Fault> {
        let inside = lex::deeper(start, depth)?;
        match self.rows.learned.enter(ahead) {
            None => self.copy(start, depth),
            Some(place) if self.rows.learned.place(place).select.is_some() => {
                self.project(start, place, inside)
            }
            Some(place) => self.whole(start, place, inside),
        }
    }

    /// Copies a value as it is.
    fn copy(&mut self, start: usize, depth: usize) -> Result<usize, Fault> {
        let end = lex::value_end(self.text, start, depth)?;
        append(self.out, &self.text[start..end]);
        Ok(end)
    }

    /// Writes an object with all of its members.
    fn whole(&mut self, start: usize, place: usize, depth: usize) -> Result<usize, Fault> {
        let mut at = start;
        let mut expected = 0;
        loop {
            let (value, index) = match self.next(at, at == start, place, &mut expected)? {
                Next::Member { value, index } => (value, index),
                Next::End(end) => {
                    if at == start {
                        append(self.out, &self.rows.learned.place(place).open);
                    }
                    self.out.push(b'}');
                    return Ok(end);
                }
            };
            at = match index {
                LEFT_OUT => lex::value_end(self.text, value, depth)?,
                index => self.value(value, Ahead { place, index }, depth)?,
            };
        }
    }

    /// What follows at `at`, the opening brace or the end of a value. `expected` is the place's member that came after
    /// this one in other objects; it is moved on.
    #[inline]
    pub(super) fn next(
        &mut self,
        at: usize,
        first: bool,
        place: usize,
        expected: &mut usize,
    ) -> Result<Next, Fault> {
        let rest = &self.text[at..];
        let known = self.rows.learned.place(place);
        match (rest.first(), known.members.get(*expected)) {
            (Some(b'}'), _) => return Ok(Next::End(at + 1)),
            // A comma, as the bytes of a first member begin with a brace.
            (Some(&lead), Some(member)) if (first || lead == b',') && starts_with(rest, &member.found) => {
                append(self.out, &member.written);
                *expected += 1;
                // Another row may have more white space.
                let value = lex::space(self.text, at + member.found.len());
                return Ok(Next::Member { value, index: member.index });
            }
            _ => {}
        }
        self.unforeseen(at, first, place, expected)
    }

    #[cold]
    #[inline(never)]
    fn unforeseen(
        &mut self,
        start: usize,
        first: bool,
        place: usize,
        expected: &mut usize,
    ) -> Result<Next, Fault> {
        let mut at = lex::space(self.text, start + usize::from(first));
        if self.text.get(at) == Some(&b'}') {
            return Ok(Next::End(at + 1));
        }
        if !first {
            if self.text.get(at) != Some(&b',') {
                return Err(Fault::new(at, "expected a comma or }"));
            }
            at = lex::space(self.text, at + 1);
        }
        let key = lex::key_end(self.text, at)?;
        let name = str::from_utf8(&self.text[at + 1..key.end - 1]).unwrap_or_default();
        let index = match self.rows.learned.learn(place, &self.text[start..key.value], name, first) {
            Ok(known) => {
                let member = &self.rows.learned.place(place).members[known];
                append(self.out, &member.written);
                *expected = known + 1;
                member.index
            }
            Err(member) => {
                append(self.out, &member.written);
                member.index
            }
        };
        Ok(Next::Member { value: key.value, index })
    }
}

/// `rest.starts_with(prefix)` without a call for the few bytes between two values.
#[inline]
fn starts_with(rest: &[u8], prefix: &[u8]) -> bool {
    let Some(start) = rest.get(..prefix.len()) else { return false };
    match (start.first_chunk::<8>(), prefix.first_chunk::<8>()) {
        (Some(one), Some(other)) if prefix.len() <= 16 => {
            let tails = (start.last_chunk::<8>(), prefix.last_chunk::<8>());
            one == other && tails.0 == tails.1
        }
        _ => start == prefix,
    }
}

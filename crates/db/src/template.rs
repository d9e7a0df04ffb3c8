//! One row as a flat program: fixed bytes, columns, jumps over absent objects, holes for children.
//!
//! Compiled once; writing a row is one pass over the operations, the same for every source of rows ([`Row`]).

mod compile;

pub(crate) use compile::{Scope, compile};

use crate::error::Error;
use crate::key::Key;
use crate::mark;

/// One row of any source: PostgreSQL's wire, SQLite's values, tuples of Django's own connection.
pub trait Row {
    /// Whether a column is NULL.
    fn is_null(&self, column: usize) -> bool;

    /// Appends a column's JSON; `null` for NULL.
    ///
    /// # Errors
    /// [`Error::Column`] where the value has no JSON form.
    fn write(&self, column: usize, out: &mut Vec<u8>) -> Result<(), Error>;

    /// A column's value as the key that relates parents and children; `None` for NULL.
    ///
    /// # Errors
    /// [`Error::Column`] where the value cannot be a key.
    fn key(&self, column: usize) -> Result<Option<Key>, Error>;
}

/// Notes where a child's rows belong while a row is written.
pub(crate) trait Holes {
    /// Child number `child` goes to offset `at` of the output.
    fn child(&mut self, child: usize, row: &impl Row, at: usize) -> Result<(), Error>;
}

/// Bytes copied at once; most keys with their punctuation are shorter.
const BLOCK: usize = 32;

/// A compiled row template.
#[derive(Debug)]
pub(crate) struct Program {
    /// All fixed bytes; operations refer to ranges of it. A block of padding follows them.
    fixed: Box<[u8]>,
    ops: Box<[Op]>,
    /// Bytes a row takes at least: what is reserved before it is written.
    estimate: usize,
}

/// Fixed bytes, then an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Op {
    start: u32,
    end: u32,
    action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Nothing more: the bytes end an object that may be jumped over, or the row.
    None,
    /// The value of a column.
    Column(u32),
    /// The value of a column, or a mark where it has none that can be written.
    Leaf { column: u32, required: bool },
    /// Where the column is NULL: `null`, or a mark where it is required, and on with operation `to`.
    Absent { column: u32, required: bool, to: u32 },
    /// The place of a child's rows.
    Child(u32),
}

impl Program {
    /// Appends `row`.
    #[inline]
    pub(crate) fn write(
        &self,
        row: &impl Row,
        out: &mut Vec<u8>,
        holes: &mut impl Holes,
    ) -> Result<(), Error> {
        out.reserve(self.estimate);
        let mut next = 0;
        while let Some(op) = self.ops.get(next) {
            next += 1;
            self.push_fixed(op, out);
            match op.action {
                Action::Column(column) => row.write(column as usize, out)?,
                Action::None => {}
                Action::Leaf { column, required } => write_leaf(row, column as usize, required, out)?,
                Action::Absent { column, required, to } => {
                    if row.is_null(column as usize) {
                        if required {
                            mark::absent(out)
                        } else {
                            plectrum_json::write_null(out)
                        }
                        next = to as usize;
                    }
                }
                Action::Child(child) => holes.child(child as usize, row, out.len())?,
            }
        }
        Ok(())
    }

    /// Appends an operation's fixed bytes. Most are short: copying a whole block and cutting it back is two moves,
    /// where copying a length known only now is a call.
    #[inline]
    fn push_fixed(&self, op: &Op, out: &mut Vec<u8>) {
        let (start, end) = (op.start as usize, op.end as usize);
        match self.fixed[start..].first_chunk::<BLOCK>() {
            Some(block) if end - start <= BLOCK => {
                let length = out.len() + end - start;
                out.extend_from_slice(block);
                out.truncate(length);
            }
            _ => out.extend_from_slice(&self.fixed[start..end]),
        }
    }
}

/// Appends a column's value; where that fails, a mark.
#[inline]
fn write_leaf(row: &impl Row, column: usize, required: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    if required && row.is_null(column) {
        mark::absent(out);
        return Ok(());
    }
    let begin = out.len();
    match row.write(column, out) {
        Err(Error::Column(_, why)) => {
            out.truncate(begin);
            mark::unwritable(out, &why);
            Ok(())
        }
        written => written,
    }
}

#[cfg(test)]
mod tests;

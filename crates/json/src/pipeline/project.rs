//! Objects of which a selection chooses and renames the fields.

use super::Fault;
use super::learned::{Ahead, LEFT_OUT};
use super::lex;
use super::rows::{Next, Pass, Span};
use super::select::{Selected, Selection, TYPENAME};
use crate::append;
use std::rc::Rc;

impl Pass<'_, '_> {
    /// Writes the selected members of an object in the order of the selection.
    ///
    /// A member that comes when its turn is there is written at once; others are kept as spans until it is.
    pub(super) fn project(&mut self, start: usize, place: usize, depth: usize) -> Result<usize, Fault> {
        let Some(select) = self.rows.learned.place(place).select.clone() else { return Ok(start) };
        let base = self.rows.spans.len();
        self.rows.spans.resize(base + select.fields.len(), Span::default());
        append(self.out, &self.rows.learned.place(place).open);
        let mut object = Projection { select, place, base, depth, turn: 0 };
        self.known(&mut object)?;
        let mut at = start;
        let mut expected = 0;
        let end = loop {
            match self.next(at, at == start, place, &mut expected)? {
                Next::End(end) => break end,
                Next::Member { value, index: LEFT_OUT } => at = lex::value_end(self.text, value, depth)?,
                Next::Member { value, index } => at = self.member(&mut object, value, index)?,
            }
        };
        while object.turn < object.select.fields.len() {
            self.absent(&mut object);
            self.known(&mut object)?;
        }
        self.out.push(b'}');
        self.rows.spans.truncate(base);
        Ok(end)
    }

    /// Takes the value at `start`, read first by the field `index`; returns where it ends.
    fn member(&mut self, object: &mut Projection, start: usize, index: usize) -> Result<usize, Fault> {
        let now = object.turn == index && self.span(object, index).end == 0;
        let end =
            if now { self.selected(object, start)? } else { lex::value_end(self.text, start, object.depth)? };
        self.rows.spans[object.base + index] = Span { start, end };
        if now {
            self.known(object)?;
        }
        Ok(end)
    }

    /// Writes the field whose turn it is from the value at `start`; returns where that ends.
    fn selected(&mut self, object: &mut Projection, start: usize) -> Result<usize, Fault> {
        self.key(object);
        let ahead = Ahead { place: object.place, index: object.turn };
        object.turn += 1;
        self.value(start, ahead, object.depth)
    }

    /// Writes the fields whose turn it is as long as their values are known.
    fn known(&mut self, object: &mut Projection) -> Result<(), Fault> {
        while let Some(field) = object.field() {
            let span = self.span(object, field.source);
            if span.end > 0 {
                self.selected(object, span.start)?;
            } else if &*field.name == TYPENAME && self.rows.learned.place(object.place).typename.is_some() {
                self.key(object);
                append(
                    self.out,
                    self.rows.learned.place(object.place).typename.as_deref().unwrap_or_default(),
                );
                object.turn += 1;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Writes the field whose turn it is as `null`: the row has none of its name.
    fn absent(&mut self, object: &mut Projection) {
        self.key(object);
        append(self.out, b"null");
        object.turn += 1;
    }

    fn key(&mut self, object: &Projection) {
        if object.turn > 0 || self.rows.learned.place(object.place).open.len() > 1 {
            self.out.push(b',');
        }
        if let Some(field) = object.field() {
            append(self.out, &field.key);
        }
    }

    fn span(&self, object: &Projection, index: usize) -> Span {
        self.rows.spans[object.base + index]
    }
}

/// An object being projected.
struct Projection {
    select: Rc<Selection>,
    place: usize,
    /// Index of its first span.
    base: usize,
    depth: usize,
    /// Index of the field to be written next.
    turn: usize,
}

impl Projection {
    /// The field whose turn it is.
    fn field(&self) -> Option<&Selected> {
        self.select.fields.get(self.turn)
    }
}

//! Objects with declared fields: the hot path of every request body.

use super::containers::name_of;
use super::walk::{Outcome, Stop, Walk};
use crate::error::{Error, Step, table::Code};
use crate::node::{Access, Extra, Struct};
use crate::sink::Sink;
use plectrum_json::read::{Peek, Reader};
use std::ops::Range;

/// One object while it is read.
struct Frame {
    /// Where its fields begin on the walk's stack.
    base: usize,
    /// Values that did not fit; allocates only then.
    failures: Vec<Failure>,
    /// No undeclared member was refused.
    fits: bool,
}

/// A value of field number `slot` that did not fit, and its errors.
struct Failure {
    slot: usize,
    errors: Range<usize>,
}

impl<S: Sink> Walk<'_, '_, S> {
    /// An object with declared fields.
    pub(super) fn structure(&mut self, of: &Struct, peek: Peek) -> Outcome<S> {
        if peek != Peek::Object {
            return self.refuse(peek, Code::ModelType);
        }
        self.enter()?;
        let mut frame = Frame { base: self.slots.len(), failures: Vec::new(), fits: true };
        self.slots.resize_with(frame.base + of.fields.len(), || None);
        let mut expected = 0;
        let mut more = self.read(Reader::first_member)?;
        while more {
            let start = self.reader.at();
            match self.find(of, expected)? {
                Some(slot) => {
                    self.field(of, slot, &mut frame)?;
                    expected = slot + 1;
                }
                None => {
                    let raw_name = self.reader.since(start);
                    frame.fits &= self.undeclared(of, raw_name)?;
                }
            }
            more = self.read(Reader::next_member)?;
        }
        self.leave();
        let outcome = self.finish(of, &mut frame);
        self.slots.truncate(frame.base);
        outcome
    }

    /// Reads a key; the number of its field. Keys mostly come in declared order: `expected` is tried first.
    #[inline]
    fn find(&mut self, of: &Struct, expected: usize) -> Result<Option<usize>, Stop> {
        if let Some(field) = of.fields.get(expected)
            && self.read(|reader| reader.take_key(&field.expected))?
        {
            return Ok(Some(expected));
        }
        self.read(|reader| reader.key().map(|key| of.find(key, expected)))
    }

    /// Reads the value of field number `slot`. Of a repeated key the last value counts.
    #[inline]
    fn field(&mut self, of: &Struct, slot: usize, frame: &mut Frame) -> Result<(), Stop> {
        let field = &of.fields[slot];
        let mark = self.errors.len();
        let peek = self.peek()?;
        if field.access == Access::ReadOnly {
            return self.skip(peek);
        }
        let value = match self.value(&field.node, peek) {
            Ok(value) => Some(value),
            Err(Stop) => {
                self.go_on()?;
                self.locate(mark, &Step::key(&field.key));
                frame.failures.push(Failure { slot, errors: mark..self.errors.len() });
                None
            }
        };
        self.slots[frame.base + slot] = value;
        Ok(())
    }

    /// Skips an undeclared member; whether it may be there.
    #[cold]
    fn undeclared(&mut self, of: &Struct, raw_name: &[u8]) -> Result<bool, Stop> {
        let peek = self.peek()?;
        self.skip(peek)?;
        if of.extra == Extra::Ignore {
            return Ok(true);
        }
        let mut error = Error::from(Code::ExtraForbidden);
        error.loc.push(Step::Key(name_of(raw_name).into()));
        self.record(error);
        Ok(false)
    }

    /// Everything is read: what is missing, and what the class itself says.
    #[inline]
    fn finish(&mut self, of: &Struct, frame: &mut Frame) -> Outcome<S> {
        let failed = if frame.failures.is_empty() { Vec::new() } else { self.settle_failures(frame) };
        for (slot, field) in of.fields.iter().enumerate() {
            if self.slots[frame.base + slot].is_none() && field.is_required() && !failed.contains(&slot) {
                let mut error = Error::from(Code::Missing);
                error.loc.push(Step::key(&field.key));
                self.record(error);
                frame.fits = false;
            }
        }
        if !frame.fits || !failed.is_empty() {
            return Err(Stop);
        }
        self.sink.structure(of, &mut self.slots[frame.base..]).map_err(|errors| self.adopt(errors))
    }

    /// Drops the errors of values that a later one of the same key replaced; returns the fields that failed for good.
    #[cold]
    fn settle_failures(&mut self, frame: &mut Frame) -> Vec<usize> {
        let slots = &self.slots[frame.base..];
        let mut settled = vec![false; slots.len()];
        let mut failed = Vec::new();
        let mut replaced = Vec::new();
        for Failure { slot, errors } in frame.failures.drain(..).rev() {
            let already = std::mem::replace(&mut settled[slot], true);
            if already || slots[slot].is_some() {
                replaced.push(errors);
            } else {
                failed.push(slot);
            }
        }
        // From the last to the first, as they were pushed: those before keep their places.
        for errors in replaced {
            self.errors.drain(errors);
        }
        failed
    }
}

//! Objects with declared fields: the hot path of every request body.

use super::containers::name_of;
use super::walk::{Outcome, Stop, Walk};
use crate::error::{Error, Step, table::Code};
use crate::node::{Access, Extra, Struct};
use crate::sink::Sink;
use jiter::Peek;
use std::ops::Range;

/// The fields of one object while it is read.
struct Slots<V> {
    values: Vec<Option<V>>,
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
        let mut slots = Slots { values: Vec::new(), failures: Vec::new(), fits: true };
        slots.values.resize_with(of.fields.len(), || None);
        let mut expected = 0;
        let mut start = self.reader.current_index();
        let mut next = self.reader.known_object();
        loop {
            let slot = match next {
                Ok(Some(key)) => of.find(key, expected),
                Ok(None) => break,
                Err(error) => return Err(self.syntax(&error)),
            };
            match slot {
                Some(slot) => {
                    self.field(of, slot, &mut slots)?;
                    expected = slot + 1;
                }
                None => {
                    let raw_name = self.reader.slice_to_current(start);
                    slots.fits &= self.undeclared(of, raw_name)?;
                }
            }
            start = self.reader.current_index();
            next = self.reader.next_key();
        }
        self.leave();
        self.finish(of, slots)
    }

    /// Reads the value of field number `slot`. Of a repeated key the last value counts.
    #[inline]
    fn field(&mut self, of: &Struct, slot: usize, slots: &mut Slots<S::Value>) -> Result<(), Stop> {
        let field = &of.fields[slot];
        let mark = self.errors.len();
        let peek = self.peek()?;
        if field.access == Access::ReadOnly {
            return self.skip(peek);
        }
        match self.value(&field.node, peek) {
            Ok(value) => slots.values[slot] = Some(value),
            Err(Stop::Fatal) => return Err(Stop::Fatal),
            Err(Stop::Invalid) => {
                self.locate(mark, &Step::key(&field.key));
                slots.values[slot] = None;
                slots.failures.push(Failure { slot, errors: mark..self.errors.len() });
            }
        }
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
    fn finish(&mut self, of: &Struct, mut slots: Slots<S::Value>) -> Outcome<S> {
        let failed = if slots.failures.is_empty() { Vec::new() } else { self.settle_failures(&mut slots) };
        for (slot, field) in of.fields.iter().enumerate() {
            if field.is_required() && slots.values[slot].is_none() && !failed.contains(&slot) {
                let mut error = Error::from(Code::Missing);
                error.loc.push(Step::key(&field.key));
                self.record(error);
                slots.fits = false;
            }
        }
        if !slots.fits || !failed.is_empty() {
            return Err(Stop::Invalid);
        }
        self.sink.structure(of, slots.values).map_err(|errors| self.adopt(errors))
    }

    /// Drops the errors of values that a later one of the same key replaced; returns the fields that failed for good.
    #[cold]
    fn settle_failures(&mut self, slots: &mut Slots<S::Value>) -> Vec<usize> {
        let mut settled = vec![false; slots.values.len()];
        let mut failed = Vec::new();
        let mut replaced = Vec::new();
        for Failure { slot, errors } in slots.failures.drain(..).rev() {
            let already = std::mem::replace(&mut settled[slot], true);
            if already || slots.values[slot].is_some() {
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

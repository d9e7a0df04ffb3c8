//! Mappings with declared fields, and instances of the class itself.

use super::{Input, Invalid, Outcome, View, Walk};
use crate::error::{Error, Step, table::Code};
use crate::node::{Access, Extra, Struct};
use crate::sink::Sink;

impl<S: Sink> Walk<'_, S> {
    pub(super) fn structure<I: Input<S>>(&mut self, of: &Struct, input: &I) -> Outcome<S> {
        let view = input.view();
        if view != View::Object {
            if input.is_instance(self.sink, of.class) {
                return Ok(input.keep());
            }
            return Err(self.refuse_type(Code::ModelType, &view));
        }
        let mut slots: Vec<Option<S::Value>> = Vec::new();
        slots.resize_with(of.fields.len(), || None);
        let mut failed: Vec<usize> = Vec::new();
        let mut fits = true;
        let mut expected = 0;
        for (key, value) in input.entries() {
            let slot = match key.view() {
                View::Str(text) => of.find(text, expected),
                _ => None,
            };
            let Some(slot) = slot else {
                if of.extra == Extra::Forbid {
                    self.forbid(&key);
                    fits = false;
                }
                continue;
            };
            expected = slot + 1;
            let field = &of.fields[slot];
            if field.access == Access::ReadOnly {
                continue;
            }
            let mark = self.errors.len();
            match self.value(&field.node, &value) {
                Ok(value) => slots[slot] = Some(value),
                Err(Invalid) => {
                    self.locate(mark, &Step::key(&field.key));
                    failed.push(slot);
                }
            }
        }
        fits &= self.tell_missing(of, &slots, &failed);
        if !fits || !failed.is_empty() {
            return Err(Invalid);
        }
        self.sink.structure(of, &mut slots).map_err(|errors| self.adopt(errors))
    }

    /// Whether every required field is there, or failed already.
    fn tell_missing(&mut self, of: &Struct, slots: &[Option<S::Value>], failed: &[usize]) -> bool {
        let mut complete = true;
        for (slot, field) in of.fields.iter().enumerate() {
            if field.is_required() && slots[slot].is_none() && !failed.contains(&slot) {
                let mut error = Error::from(Code::Missing);
                error.loc.push(Step::key(&field.key));
                self.record(error);
                complete = false;
            }
        }
        complete
    }
}

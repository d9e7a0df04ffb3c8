//! Alternatives: the option a tag names, else the first that fits.

use super::{Input, Invalid, Outcome, View, Walk};
use crate::error::{Problem, Step, table::Code};
use crate::node::{Node, Scalar, Tagged, Union};
use crate::sink::Sink;

impl<S: Sink> Walk<'_, S> {
    pub(super) fn union<I: Input<S>>(&mut self, union: &Union, input: &I) -> Outcome<S> {
        match &union.tagged {
            Some(tagged) if input.view() == View::Object => self.tagged(union, tagged, input),
            _ => self.untagged(union, input),
        }
    }

    fn untagged<I: Input<S>>(&mut self, union: &Union, input: &I) -> Outcome<S> {
        let order = match input.view() {
            View::Int(_) | View::BigInt(_) => &union.for_int,
            View::Float(_) => &union.for_float,
            _ => &union.declared,
        };
        let (first_error, untold) = (self.errors.len(), self.untold);
        for &index in order {
            let Some(option) = union.options.get(index) else { continue };
            let mark = self.errors.len();
            match self.value(option, input) {
                Ok(value) => {
                    self.errors.truncate(first_error);
                    self.untold = untold;
                    return Ok(value);
                }
                Err(Invalid) => self.label(mark, option),
            }
        }
        Err(Invalid)
    }

    fn tagged<I: Input<S>>(&mut self, union: &Union, tagged: &Tagged, input: &I) -> Outcome<S> {
        let discriminator = tagged.discriminator.as_str();
        let entries = input.entries();
        let found = entries.iter().find(|(key, _)| key.view() == View::Str(discriminator));
        let Some((_, tag)) = found else {
            return Err(
                self.refuse(Problem::from(Code::UnionTagNotFound).with("discriminator", discriminator))
            );
        };
        let tag = scalar_of(&tag.view());
        let chosen =
            tagged.tags.iter().find(|(known, _)| Ok(known) == tag.as_ref()).map(|(_, option)| *option);
        if let Some(option) = chosen.and_then(|option| union.options.get(option)) {
            let mark = self.errors.len();
            let outcome = self.value(option, input);
            if outcome.is_err() {
                self.label(mark, option);
            }
            return outcome;
        }
        let found = tag.map_or_else(str::to_owned, |tag| tag.to_string());
        Err(self.refuse(
            Problem::from(Code::UnionTagInvalid)
                .with("discriminator", discriminator)
                .with("tag", found)
                .with("expected_tags", tagged.expected.as_str()),
        ))
    }

    /// Tells which option the errors since `mark` are of.
    #[cold]
    fn label(&mut self, mark: usize, option: &Node) {
        let label = self.schema.label(option);
        self.locate(mark, &Step::Key(label.into()));
    }
}

/// A tag as a constant, or what it is instead.
fn scalar_of(view: &View<'_>) -> Result<Scalar, &'static str> {
    match view {
        View::Null => Ok(Scalar::Null),
        View::Bool(value) => Ok(Scalar::Bool(*value)),
        View::Int(value) => Ok(Scalar::Int(*value)),
        View::Float(value) => Ok(Scalar::Float(*value)),
        View::Str(text) => Ok(Scalar::Str((*text).to_owned())),
        other => Err(other.name()),
    }
}

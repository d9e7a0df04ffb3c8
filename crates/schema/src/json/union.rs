//! Alternatives: the option a tag names, else the first that fits.

use super::walk::{Outcome, Stop, Walk};
use crate::error::{Problem, Step, table::Code};
use crate::node::{Scalar, Tagged, Union};
use crate::parse::number;
use crate::sink::Sink;
use jiter::Peek;

/// What a discriminating field holds.
enum Tag {
    Option(usize),
    Unknown(String),
    Absent,
}

impl<S: Sink> Walk<'_, '_, S> {
    pub(super) fn union(&mut self, union: &Union, peek: Peek) -> Outcome<S> {
        match &union.tagged {
            Some(tagged) => self.tagged(union, tagged, peek),
            None => self.untagged(union, peek),
        }
    }

    /// Tries the options in order, each from the start; the values of a failed one are dropped. Where none fits, the
    /// errors of all are told, each under its option's name.
    fn untagged(&mut self, union: &Union, peek: Peek) -> Outcome<S> {
        let order = if peek.is_num() { self.number_order(union, peek) } else { &union.declared };
        let start = self.reader.clone();
        let (first_error, untold) = (self.errors.len(), self.untold);
        for (tried, &option) in order.iter().enumerate() {
            if tried > 0 {
                self.spend(self.reader.current_index() - start.current_index())?;
                self.reader = start.clone();
            }
            let mark = self.errors.len();
            match self.value(&union.options[option], peek) {
                Ok(value) => {
                    self.errors.truncate(first_error);
                    self.untold = untold;
                    return Ok(value);
                }
                Err(Stop::Fatal) => return Err(Stop::Fatal),
                Err(Stop::Invalid) => {
                    let label = self.schema.label(&union.options[option]);
                    self.locate(mark, &Step::Key(label.into()));
                }
            }
        }
        Err(Stop::Invalid)
    }

    /// The order for a number: with a point or an exponent it is a float first, else an integer.
    fn number_order<'u>(&self, union: &'u Union, peek: Peek) -> &'u [usize] {
        let mut ahead = self.reader.clone();
        let is_float = ahead
            .known_number_bytes(peek)
            .is_ok_and(|literal| literal.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')));
        if is_float { &union.for_float } else { &union.for_int }
    }

    /// Looks the tag up ahead, then reads the object as the option it names.
    fn tagged(&mut self, union: &Union, tagged: &Tagged, peek: Peek) -> Outcome<S> {
        if peek != Peek::Object {
            return self.refuse(peek, Code::ModelType);
        }
        let start = self.reader.clone();
        let tag = self.find_tag(tagged)?;
        self.spend(self.reader.current_index() - start.current_index())?;
        self.reader = start;
        let discriminator = tagged.discriminator.as_str();
        let problem = match tag {
            Tag::Option(option) => {
                let mark = self.errors.len();
                let outcome = self.value(&union.options[option], peek);
                if outcome.is_err() {
                    let label = self.schema.label(&union.options[option]);
                    self.locate(mark, &Step::Key(label.into()));
                }
                return outcome;
            }
            Tag::Absent => Problem::from(Code::UnionTagNotFound).with("discriminator", discriminator),
            Tag::Unknown(found) => Problem::from(Code::UnionTagInvalid)
                .with("discriminator", discriminator)
                .with("tag", found)
                .with("expected_tags", tagged.expected.as_str()),
        };
        self.refuse(peek, problem)
    }

    /// Reads the object up to its discriminating field.
    fn find_tag(&mut self, tagged: &Tagged) -> Result<Tag, Stop> {
        self.enter()?;
        let mut next = self.reader.known_object();
        let tag = loop {
            let found = match next {
                Ok(Some(key)) => key == tagged.discriminator,
                Ok(None) => break Tag::Absent,
                Err(error) => return Err(self.syntax(&error)),
            };
            let peek = self.peek()?;
            if found {
                break self.read_tag(tagged, peek)?;
            }
            self.skip(peek)?;
            next = self.reader.next_key();
        };
        self.leave();
        Ok(tag)
    }

    fn read_tag(&mut self, tagged: &Tagged, peek: Peek) -> Result<Tag, Stop> {
        let found = match peek {
            Peek::String => self.reader.known_str().map(|text| Scalar::Str(text.to_owned())),
            Peek::True | Peek::False => self.reader.known_bool(peek).map(Scalar::Bool),
            Peek::Null => self.reader.known_null().map(|()| Scalar::Null),
            Peek::Array | Peek::Object => {
                self.skip(peek)?;
                return Ok(Tag::Unknown(
                    if peek == Peek::Array { "an array" } else { "an object" }.to_owned(),
                ));
            }
            _ => self.reader.known_number_bytes(peek).map(number_tag),
        };
        let found = found.map_err(|error| self.syntax(&error))?;
        let option = tagged.tags.iter().find(|(tag, _)| *tag == found).map(|(_, option)| *option);
        Ok(option.map_or_else(|| Tag::Unknown(found.to_string()), Tag::Option))
    }
}

fn number_tag(literal: &[u8]) -> Scalar {
    let text = String::from_utf8_lossy(literal);
    match number::integer(&text) {
        Ok(number::Integer::Small(value)) => Scalar::Int(value),
        _ => text.parse().map_or(Scalar::Null, Scalar::Float),
    }
}

//! Alternatives: the option a tag names, else the first that fits.

use super::walk::{Outcome, Stop, Walk};
use crate::error::{Problem, Step, table::Code};
use crate::node::{Scalar, Tagged, Union};
use crate::parse::number;
use crate::sink::Sink;
use plectrum_json::read::{Number, Peek, Reader};

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
        let order = if peek == Peek::Number { self.number_order(union)? } else { &union.declared };
        let start = self.reader.at();
        let (first_error, untold) = (self.errors.len(), self.untold);
        for (tried, &option) in order.iter().enumerate() {
            if tried > 0 {
                self.spend(self.reader.at() - start)?;
                self.reader.rewind(start);
            }
            let mark = self.errors.len();
            match self.value(&union.options[option], peek) {
                Ok(value) => {
                    self.errors.truncate(first_error);
                    self.untold = untold;
                    return Ok(value);
                }
                Err(Stop) => {
                    self.go_on()?;
                    let label = self.schema.label(&union.options[option]);
                    self.locate(mark, &Step::Key(label.into()));
                }
            }
        }
        Err(Stop)
    }

    /// The order for a number: with a point or an exponent it is a float first, else an integer.
    fn number_order<'u>(&mut self, union: &'u Union) -> Result<&'u [usize], Stop> {
        let start = self.reader.at();
        let number = self.read(Reader::number)?;
        self.reader.rewind(start);
        Ok(if number.is_integer() { &union.for_int } else { &union.for_float })
    }

    /// Looks the tag up ahead, then reads the object as the option it names.
    fn tagged(&mut self, union: &Union, tagged: &Tagged, peek: Peek) -> Outcome<S> {
        if peek != Peek::Object {
            return self.refuse(peek, Code::ModelType);
        }
        let start = self.reader.at();
        let tag = self.find_tag(tagged)?;
        self.spend(self.reader.at() - start)?;
        self.reader.rewind(start);
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
        let mut tag = Tag::Absent;
        let mut more = self.read(Reader::first_member)?;
        while more {
            let found = self.read(|reader| reader.key().map(|key| key == tagged.discriminator))?;
            let peek = self.peek()?;
            if found {
                tag = self.read_tag(tagged, peek)?;
                break;
            }
            self.skip(peek)?;
            more = self.read(Reader::next_member)?;
        }
        self.leave();
        Ok(tag)
    }

    fn read_tag(&mut self, tagged: &Tagged, peek: Peek) -> Result<Tag, Stop> {
        let found = match peek {
            Peek::String => self.read(|reader| reader.text().map(|text| Scalar::Str(text.to_owned())))?,
            Peek::True | Peek::False => Scalar::Bool(self.read(|reader| reader.bool(peek))?),
            Peek::Null => {
                self.read(Reader::null)?;
                Scalar::Null
            }
            Peek::Number => number_tag(self.read(Reader::number)?),
            Peek::Array | Peek::Object => {
                self.skip(peek)?;
                return Ok(Tag::Unknown(
                    if peek == Peek::Array { "an array" } else { "an object" }.to_owned(),
                ));
            }
        };
        let option = tagged.tags.iter().find(|(tag, _)| *tag == found).map(|(_, option)| *option);
        Ok(option.map_or_else(|| Tag::Unknown(found.to_string()), Tag::Option))
    }
}

fn number_tag(found: Number<'_>) -> Scalar {
    match number::integer(found.literal) {
        Ok(number::Integer::Small(value)) => Scalar::Int(value),
        _ => found.literal.parse().map_or(Scalar::Null, Scalar::Float),
    }
}

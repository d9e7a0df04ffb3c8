//! Values without inner structure, values of any type, and skipping.

use super::walk::{Outcome, Stop, Walk};
use crate::error::{Error, Problems, table::Code};
use crate::leaf;
use crate::node::{Choices, Node, Scalar};
use crate::sink::Sink;
use plectrum_json::read::{Broken, Number, Peek, Reader};

/// The error of a scalar that came as another JSON type.
pub(crate) fn wrong_type(node: &Node) -> Code {
    match node {
        Node::Null => Code::NoneRequired,
        Node::Bool => Code::BoolType,
        Node::Int(_) => Code::IntType,
        Node::Float(_) => Code::FloatType,
        Node::Decimal(_) => Code::DecimalType,
        Node::Bytes(_) => Code::BytesType,
        Node::Uuid => Code::UuidType,
        Node::Date => Code::DateType,
        Node::Time => Code::TimeType,
        Node::Datetime => Code::DatetimeType,
        Node::Duration => Code::DurationType,
        _ => Code::StringType,
    }
}

impl<S: Sink> Walk<'_, '_, S> {
    /// A scalar other than those the dispatch handles itself.
    pub(super) fn scalar(&mut self, node: &Node, peek: Peek) -> Outcome<S> {
        match (node, peek) {
            (Node::Enum { values, .. } | Node::Literal { values }, _) => self.choice(node, values, peek),
            (Node::Null, Peek::Null) => self.null(),
            (Node::Bool, Peek::True | Peek::False) => self.bool(peek),
            (Node::Decimal(limits), Peek::Number) => {
                self.number(|number, sink| leaf::decimal(limits, number.literal, sink))
            }
            (Node::Duration, Peek::Number) => self.number(|number, sink| leaf::seconds(number.literal, sink)),
            (_, Peek::String) => self.text(node),
            _ => self.refuse(peek, wrong_type(node)),
        }
    }

    /// A scalar that JSON carries as text.
    fn text(&mut self, node: &Node) -> Outcome<S> {
        let checked = match self.reader.text() {
            Ok(text) => leaf::from_text(node, text, self.sink),
            Err(Broken) => return Err(self.syntax()),
        };
        self.settle(checked.unwrap_or_else(|| Err(wrong_type(node).into())))
    }

    pub(super) fn null(&mut self) -> Outcome<S> {
        self.read(Reader::null)?;
        Ok(self.sink.null())
    }

    fn bool(&mut self, peek: Peek) -> Outcome<S> {
        let value = self.read(|reader| reader.bool(peek))?;
        Ok(self.sink.bool(value))
    }

    /// A number, by its literal.
    #[inline]
    pub(super) fn number(
        &mut self,
        check: impl FnOnce(&Number<'_>, &mut S) -> Result<S::Value, Problems>,
    ) -> Outcome<S> {
        let checked = match self.reader.number() {
            Ok(number) => check(&number, self.sink),
            Err(Broken) => return Err(self.syntax()),
        };
        self.settle(checked)
    }

    /// An enum member or a constant, by value.
    fn choice(&mut self, node: &Node, values: &Choices, peek: Peek) -> Outcome<S> {
        let index = match peek {
            Peek::String => match self.reader.text() {
                Ok(text) => values.position(|value| matches!(value, Scalar::Str(known) if known == text)),
                Err(Broken) => return Err(self.syntax()),
            },
            Peek::True | Peek::False => {
                let found = self.read(|reader| reader.bool(peek))?;
                values.position(|value| *value == Scalar::Bool(found))
            }
            Peek::Null => {
                self.read(Reader::null)?;
                values.position(|value| *value == Scalar::Null)
            }
            Peek::Number => {
                return self.number(|number, sink| {
                    Ok(leaf::choice(node, leaf::choice_from_number(values, number.literal), sink)?)
                });
            }
            Peek::Array | Peek::Object => {
                self.skip(peek)?;
                None
            }
        };
        leaf::choice(node, index, self.sink).map_err(|problem| self.invalid(problem))
    }

    /// A value of any type, as it is.
    pub(super) fn any(&mut self, peek: Peek) -> Outcome<S> {
        match peek {
            Peek::Null => self.null(),
            Peek::True | Peek::False => self.bool(peek),
            Peek::String => match self.reader.text() {
                Ok(text) => Ok(self.sink.str(text)),
                Err(Broken) => Err(self.syntax()),
            },
            Peek::Array => self.any_list(),
            Peek::Object => {
                let entries = self.entries(|sink, key| Ok(sink.str(key)), |walk, peek| walk.any(peek))?;
                Ok(self.sink.dict(entries))
            }
            Peek::Number => self.number(leaf::any_number),
        }
    }

    /// A value that the sink validates by itself, from its raw JSON.
    pub(super) fn foreign(&mut self, class: u32, peek: Peek) -> Outcome<S> {
        let start = self.reader.at();
        self.skip(peek)?;
        let raw = self.reader.since(start);
        self.sink.foreign(class, raw).map_err(|errors| self.adopt(errors))
    }

    /// Records errors that the sink reported for the value that was just read.
    #[cold]
    pub(super) fn adopt(&mut self, errors: Vec<Error>) -> Stop {
        for mut error in errors {
            error.loc.reverse();
            self.record(error);
        }
        Stop
    }

    /// Reads over a value, checking its syntax down to escapes and UTF-8.
    pub(super) fn skip(&mut self, peek: Peek) -> Result<(), Stop> {
        let left = self.levels_left();
        self.read(|reader| reader.skip(peek, left))
    }
}

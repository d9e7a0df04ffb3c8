//! Values without inner structure, values of any type, and skipping.

use super::walk::{Outcome, Stop, Walk};
use crate::error::{Error, table::Code};
use crate::leaf;
use crate::node::{Choices, Container, Node, Scalar};
use crate::sink::Sink;
use jiter::Peek;

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
            (Node::Decimal(limits), _) if peek.is_num() => {
                self.number(peek, |text, sink| leaf::decimal(limits, text, sink))
            }
            (Node::Duration, _) if peek.is_num() => self.number(peek, leaf::seconds),
            (_, Peek::String) => self.text(node),
            _ => self.refuse(peek, wrong_type(node)),
        }
    }

    /// A scalar that JSON carries as text.
    fn text(&mut self, node: &Node) -> Outcome<S> {
        let checked = match self.reader.known_str() {
            Ok(text) => leaf::from_text(node, text, self.sink),
            Err(error) => return Err(self.syntax(&error)),
        };
        self.settle(checked.unwrap_or_else(|| Err(wrong_type(node).into())))
    }

    pub(super) fn null(&mut self) -> Outcome<S> {
        match self.reader.known_null() {
            Ok(()) => Ok(self.sink.null()),
            Err(error) => Err(self.syntax(&error)),
        }
    }

    fn bool(&mut self, peek: Peek) -> Outcome<S> {
        match self.reader.known_bool(peek) {
            Ok(value) => Ok(self.sink.bool(value)),
            Err(error) => Err(self.syntax(&error)),
        }
    }

    /// A number, by its literal.
    #[inline]
    pub(super) fn number(
        &mut self,
        peek: Peek,
        check: impl FnOnce(&str, &mut S) -> Result<S::Value, crate::error::Problem>,
    ) -> Outcome<S> {
        let checked = match self.reader.known_number_bytes(peek) {
            // A number literal is ASCII.
            Ok(literal) => check(std::str::from_utf8(literal).unwrap_or_default(), self.sink),
            Err(error) => return Err(self.syntax(&error)),
        };
        self.settle(checked)
    }

    /// An enum member or a constant, by value.
    fn choice(&mut self, node: &Node, values: &Choices, peek: Peek) -> Outcome<S> {
        let index = match peek {
            Peek::String => match self.reader.known_str() {
                Ok(text) => values.position(|value| matches!(value, Scalar::Str(known) if known == text)),
                Err(error) => return Err(self.syntax(&error)),
            },
            Peek::True | Peek::False => match self.reader.known_bool(peek) {
                Ok(found) => values.position(|value| *value == Scalar::Bool(found)),
                Err(error) => return Err(self.syntax(&error)),
            },
            Peek::Null => match self.reader.known_null() {
                Ok(()) => values.position(|value| *value == Scalar::Null),
                Err(error) => return Err(self.syntax(&error)),
            },
            _ if peek.is_num() => {
                return self.number(peek, |literal, sink| {
                    leaf::choice(node, leaf::choice_from_number(values, literal), sink)
                });
            }
            _ => {
                self.skip(peek)?;
                None
            }
        };
        let checked = leaf::choice(node, index, self.sink);
        self.settle(checked)
    }

    /// A value of any type, as it is.
    pub(super) fn any(&mut self, peek: Peek) -> Outcome<S> {
        match peek {
            Peek::Null => self.null(),
            Peek::True | Peek::False => self.bool(peek),
            Peek::String => match self.reader.known_str() {
                Ok(text) => Ok(self.sink.str(text)),
                Err(error) => Err(self.syntax(&error)),
            },
            Peek::Array => {
                let items = self.items(peek, |walk, peek, _| walk.any(peek))?;
                Ok(self.sink.list(Container::List, items))
            }
            Peek::Object => {
                let entries = self.entries(|sink, key| Ok(sink.str(key)), |walk, peek| walk.any(peek))?;
                Ok(self.sink.dict(entries))
            }
            _ => self.number(peek, leaf::any_number),
        }
    }

    /// A value that the sink validates by itself, from its raw JSON.
    pub(super) fn foreign(&mut self, class: u32, peek: Peek) -> Outcome<S> {
        let start = self.reader.current_index();
        self.skip(peek)?;
        let raw = self.reader.slice_to_current(start);
        self.sink.foreign(class, raw).map_err(|errors| self.adopt(errors))
    }

    /// Records errors that the sink reported for the value that was just read.
    #[cold]
    pub(super) fn adopt(&mut self, errors: Vec<Error>) -> Stop {
        for mut error in errors {
            error.loc.reverse();
            self.record(error);
        }
        Stop::Invalid
    }

    /// Reads over a value, checking its syntax down to escapes and UTF-8.
    pub(super) fn skip(&mut self, peek: Peek) -> Result<(), Stop> {
        let skipped = match peek {
            Peek::Null => self.reader.known_null(),
            Peek::True | Peek::False => self.reader.known_bool(peek).map(drop),
            Peek::String => self.reader.known_str().map(drop),
            Peek::Array => return self.skip_array(),
            Peek::Object => return self.skip_object(),
            _ => self.reader.known_number_bytes(peek).map(drop),
        };
        skipped.map_err(|error| self.syntax(&error))
    }

    fn skip_array(&mut self) -> Result<(), Stop> {
        self.enter()?;
        let mut next = self.reader.known_array();
        loop {
            match next {
                Ok(Some(peek)) => self.skip(peek)?,
                Ok(None) => break,
                Err(error) => return Err(self.syntax(&error)),
            }
            next = self.reader.array_step();
        }
        self.leave();
        Ok(())
    }

    fn skip_object(&mut self) -> Result<(), Stop> {
        self.enter()?;
        let mut more = self.reader.known_object().map(|key| key.is_some());
        loop {
            match more {
                Ok(true) => {
                    let peek = self.peek()?;
                    self.skip(peek)?;
                }
                Ok(false) => break,
                Err(error) => return Err(self.syntax(&error)),
            }
            more = self.reader.next_key().map(|key| key.is_some());
        }
        self.leave();
        Ok(())
    }
}

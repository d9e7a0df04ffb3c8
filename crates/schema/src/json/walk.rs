//! The walk's state, its one dispatch and its ways to fail.

use super::{MAX_DEPTH, MAX_ERRORS};
use crate::error::{Error, Problem, Step, table::Code};
use crate::leaf;
use crate::node::{Node, Schema};
use crate::sink::Sink;
use jiter::{Jiter, JiterError, Peek};

/// One pass over one document.
pub(super) struct Walk<'a, 'j, S: Sink> {
    pub(super) schema: &'a Schema,
    pub(super) reader: Jiter<'j>,
    pub(super) sink: &'a mut S,
    pub(super) errors: Vec<Error>,
    /// There were more than [`MAX_ERRORS`].
    pub(super) untold: bool,
    /// Bytes that unions read more than once.
    pub(super) reread: usize,
    size: usize,
    depth: u32,
    /// What ended the pass early; reported alone.
    fatal: Option<Problem>,
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It does not fit: recorded, and the reader stands behind it.
    Invalid,
    /// The pass is over.
    Fatal,
}

/// A value or why there is none.
pub(super) type Outcome<S> = Result<<S as Sink>::Value, Stop>;

impl<'a, 'j, S: Sink> Walk<'a, 'j, S> {
    pub(super) fn new(schema: &'a Schema, data: &'j [u8], sink: &'a mut S) -> Self {
        Self {
            schema,
            reader: Jiter::new(data),
            sink,
            errors: Vec::new(),
            untold: false,
            reread: 0,
            size: data.len(),
            depth: 0,
            fatal: None,
        }
    }

    /// The whole document.
    pub(super) fn document(mut self) -> Result<S::Value, Vec<Error>> {
        let schema = self.schema;
        let outcome = self.peek().and_then(|peek| self.value(&schema.root, peek));
        let finished = match outcome {
            Err(Stop::Fatal) => Err(Stop::Fatal),
            Ok(_) | Err(Stop::Invalid) => self.reader.finish().map_err(|error| self.syntax(&error)),
        };
        match (outcome, finished, self.fatal) {
            (Ok(value), Ok(()), _) => Ok(value),
            (_, _, Some(problem)) => Err(vec![problem.into()]),
            _ => {
                // Paths were collected from the inside out.
                self.errors.iter_mut().for_each(|error| error.loc.reverse());
                if self.untold {
                    self.errors.push(Code::TooManyErrors.into());
                }
                Err(self.errors)
            }
        }
    }

    /// One value of type `node`, which starts with `peek`.
    pub(super) fn value(&mut self, node: &Node, peek: Peek) -> Outcome<S> {
        match node {
            Node::Struct(of) => self.structure(of, peek),
            Node::Str(rule) if peek == Peek::String => match self.reader.known_str() {
                Ok(text) => {
                    let checked = leaf::string(rule, text, self.sink);
                    self.settle(checked)
                }
                Err(error) => Err(self.syntax(&error)),
            },
            Node::Int(limits) if peek.is_num() => {
                self.number(peek, |text, sink| leaf::int_literal(limits, text, sink))
            }
            Node::Float(limits) if peek.is_num() => {
                self.number(peek, |text, sink| leaf::float(limits, text.parse().ok(), sink))
            }
            Node::List(list) => self.list(list, peek),
            Node::Optional { .. } if peek == Peek::Null => self.null(),
            Node::Optional { inner } => self.value(inner, peek),
            Node::Checked { inner, class } => {
                let value = self.value(inner, peek)?;
                self.sink.check(*class, value).map_err(|errors| self.adopt(errors))
            }
            Node::Dict { key, value, length } => self.dict(key, value, *length, peek),
            Node::Tuple { items } => self.tuple(items, peek),
            Node::Union(union) => self.union(union, peek),
            Node::Reference { index } => {
                let schema = self.schema;
                self.value(schema.definition(*index), peek)
            }
            Node::Any => self.any(peek),
            Node::Foreign { class, .. } => self.foreign(*class, peek),
            scalar => self.scalar(scalar, peek),
        }
    }

    /// What the next value starts with.
    pub(super) fn peek(&mut self) -> Result<Peek, Stop> {
        self.reader.peek().map_err(|error| self.syntax(&error))
    }

    /// A checked leaf: its value, or its problem recorded.
    #[inline]
    pub(super) fn settle(&mut self, checked: Result<S::Value, Problem>) -> Outcome<S> {
        checked.map_err(|problem| self.invalid(problem))
    }

    /// Records a problem of the value that was just read.
    #[cold]
    pub(super) fn invalid(&mut self, problem: Problem) -> Stop {
        self.record(problem.into());
        Stop::Invalid
    }

    /// Records the problem of a value that is yet to be skipped.
    #[cold]
    pub(super) fn refuse(&mut self, peek: Peek, problem: impl Into<Problem>) -> Outcome<S> {
        self.skip(peek)?;
        Err(self.invalid(problem.into().with("found", found(peek))))
    }

    pub(super) fn record(&mut self, error: Error) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        } else {
            self.untold = true;
        }
    }

    /// Adds a step to the path of every error since `mark`.
    #[cold]
    pub(super) fn locate(&mut self, mark: usize, step: &Step) {
        for error in self.errors.iter_mut().skip(mark) {
            error.loc.push(step.clone());
        }
    }

    /// Ends the pass with a syntax error.
    #[cold]
    pub(super) fn syntax(&mut self, error: &JiterError) -> Stop {
        let position = self.reader.error_position(error.index);
        let what = match &error.error_type {
            jiter::JiterErrorType::JsonError(kind) => kind.to_string(),
            other @ jiter::JiterErrorType::WrongType { .. } => other.to_string(),
        };
        let place = format!("{what} at line {} column {}", position.line, position.column);
        self.end(Problem::from(Code::JsonInvalid).with("error", place))
    }

    /// Ends the pass.
    #[cold]
    pub(super) fn end(&mut self, problem: Problem) -> Stop {
        self.fatal = Some(problem);
        Stop::Fatal
    }

    /// Counts a level of nesting in.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), Stop> {
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    /// Counts a level of nesting out.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    #[cold]
    fn too_deep(&mut self) -> Stop {
        let position = self.reader.current_position();
        let place =
            format!("nested deeper than {MAX_DEPTH} at line {} column {}", position.line, position.column);
        self.end(Problem::from(Code::JsonInvalid).with("error", place))
    }

    /// Counts bytes that a union will read again. Alternatives within alternatives may double the work at each level;
    /// honest input stays far below this bound.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Stop> {
        self.reread += bytes;
        if self.reread > 64 * self.size + 65_536 {
            return Err(self.end(Code::UnionTooComplex.into()));
        }
        Ok(())
    }
}

/// What a JSON value is, as error parameters call it.
fn found(peek: Peek) -> &'static str {
    match peek {
        Peek::Null => "null",
        Peek::True | Peek::False => "boolean",
        Peek::String => "string",
        Peek::Array => "array",
        Peek::Object => "object",
        _ => "number",
    }
}

//! The walk's state, its one dispatch and its ways to fail.

use super::{MAX_DEPTH, MAX_ERRORS};
use crate::error::{Error, Problem, Problems, Step, table::Code};
use crate::leaf;
use crate::node::{Node, Schema};
use crate::sink::Sink;
use plectrum_json::read::{Broken, Peek, Reader, What};

/// Room for the values of most documents, so that the stacks rarely grow.
const FIRST_VALUES: usize = 32;

/// One pass over one document.
pub(super) struct Walk<'a, 'j, S: Sink> {
    pub(super) schema: &'a Schema,
    pub(super) reader: Reader<'j>,
    pub(super) sink: &'a mut S,
    /// Items of the sequences that are being read, those of the innermost on top.
    pub(super) items: Vec<S::Value>,
    /// Fields of the structs that are being read, those of the innermost on top.
    pub(super) slots: Vec<Option<S::Value>>,
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

/// There is no value. Either it does not fit, which is recorded, and the reader stands behind it; or the pass is over
/// ([`Walk::go_on`] tells). It carries nothing, so that an outcome fits a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop;

/// A value, or none.
pub(super) type Outcome<S> = Result<<S as Sink>::Value, Stop>;

impl<'a, 'j, S: Sink> Walk<'a, 'j, S> {
    pub(super) fn new(schema: &'a Schema, data: &'j [u8], sink: &'a mut S) -> Self {
        Self {
            schema,
            reader: Reader::new(data),
            sink,
            items: Vec::with_capacity(FIRST_VALUES),
            slots: Vec::with_capacity(FIRST_VALUES),
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
        let finished = self.go_on().and_then(|()| self.read(Reader::finish));
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
            Node::Str(rule) if peek == Peek::String => match self.reader.text() {
                Ok(text) => {
                    let checked = leaf::string(rule, text, self.sink);
                    self.settle(checked)
                }
                Err(Broken) => Err(self.syntax()),
            },
            Node::Int(limits) if peek == Peek::Number => {
                self.number(|number, sink| leaf::int_number(limits, number, sink))
            }
            Node::Float(limits) if peek == Peek::Number => {
                self.number(|number, sink| leaf::float(limits, number.literal.parse().ok(), sink))
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

    /// What the reader gives; a fault ends the pass.
    #[inline]
    pub(super) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'j>) -> Result<T, Broken>,
    ) -> Result<T, Stop> {
        read(&mut self.reader).map_err(|Broken| self.syntax())
    }

    /// What the next value starts with.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<Peek, Stop> {
        self.read(Reader::peek)
    }

    /// A checked leaf: its value, or its problems recorded.
    #[inline]
    pub(super) fn settle(&mut self, checked: Result<S::Value, Problems>) -> Outcome<S> {
        checked.map_err(|problems| self.invalid(problems))
    }

    /// Records what is wrong with the value that was just read.
    #[cold]
    pub(super) fn invalid(&mut self, problems: impl Into<Problems>) -> Stop {
        problems.into().into_iter().for_each(|problem| self.record(problem.into()));
        Stop
    }

    /// Whether what stopped was a value and not the whole pass.
    #[inline]
    pub(super) fn go_on(&self) -> Result<(), Stop> {
        if self.fatal.is_some() { Err(Stop) } else { Ok(()) }
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
    pub(super) fn syntax(&mut self) -> Stop {
        let fault = self.reader.fault();
        self.no_json(fault.what, fault.at)
    }

    #[cold]
    fn no_json(&mut self, what: What, at: usize) -> Stop {
        let (line, column) = self.reader.position(at);
        let place = format!("{what} at line {line} column {column}");
        self.end(Problem::from(Code::JsonInvalid).with("error", place))
    }

    /// Ends the pass.
    #[cold]
    pub(super) fn end(&mut self, problem: Problem) -> Stop {
        self.fatal = Some(problem);
        Stop
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

    /// How much deeper values may be nested here.
    pub(super) fn levels_left(&self) -> u32 {
        MAX_DEPTH - self.depth
    }

    /// Counts a level of nesting out.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    #[cold]
    fn too_deep(&mut self) -> Stop {
        self.no_json(What::TooDeep, self.reader.at())
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
        Peek::Number => "number",
    }
}

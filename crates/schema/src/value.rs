//! Values that are in memory already → sink values, by the rules that JSON is held to, every error reported.
//!
//! The walk follows the schema and asks the [`Input`] what it is. Where a value is what its node builds (a datetime for
//! a datetime, an instance of the struct's class), it is kept as it is.

mod containers;
mod input;
mod scalars;
mod structure;
mod union;

pub use input::{Input, View};

use crate::error::{Error, Problem, Problems, Step, table::Code};
use crate::json::{MAX_DEPTH, MAX_ERRORS};
use crate::node::{Node, Schema};
use crate::sink::Sink;

/// Validates a value.
///
/// # Errors
/// Everything that does not fit, at most [`MAX_ERRORS`]; a value nested deeper than [`MAX_DEPTH`], as one that holds
/// itself is, is told where it becomes too deep.
pub fn validate_value<S: Sink, I: Input<S>>(
    schema: &Schema,
    input: &I,
    sink: &mut S,
) -> Result<S::Value, Vec<Error>> {
    let mut walk = Walk { schema, sink, errors: Vec::new(), untold: false, depth: 0 };
    match walk.value(&schema.root, input) {
        Ok(value) => Ok(value),
        Err(Invalid) => Err(walk.into_errors()),
    }
}

/// The value does not fit; why is recorded.
#[derive(Debug)]
struct Invalid;

type Outcome<S> = Result<<S as Sink>::Value, Invalid>;

/// One pass over one value.
struct Walk<'a, S> {
    schema: &'a Schema,
    sink: &'a mut S,
    errors: Vec<Error>,
    /// There were more than [`MAX_ERRORS`].
    untold: bool,
    depth: u32,
}

impl<S: Sink> Walk<'_, S> {
    /// One value of type `node`.
    fn value<I: Input<S>>(&mut self, node: &Node, input: &I) -> Outcome<S> {
        match node {
            Node::Any => Ok(input.keep()),
            Node::Struct(of) => self.nested(|walk| walk.structure(of, input)),
            Node::List(list) => self.nested(|walk| walk.list(list, input)),
            Node::Tuple { items } => self.nested(|walk| walk.tuple(items, input)),
            Node::Dict { key, value, length } => self.nested(|walk| walk.dict(key, value, *length, input)),
            Node::Optional { .. } if matches!(input.view(), View::Null) => Ok(self.sink.null()),
            Node::Optional { inner } => self.value(inner, input),
            Node::Union(union) => self.union(union, input),
            Node::Reference { index } => {
                let schema = self.schema;
                self.value(schema.definition(*index), input)
            }
            Node::Checked { inner, class } => {
                let value = self.value(inner, input)?;
                self.sink.check(*class, value).map_err(|errors| self.adopt(errors))
            }
            Node::Foreign { class, .. } => {
                input.foreign(self.sink, *class).map_err(|errors| self.adopt(errors))
            }
            scalar => {
                let checked = scalars::scalar(scalar, input, self.sink);
                checked.map_err(|problems| self.refuse(problems))
            }
        }
    }

    /// A level of nesting.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Outcome<S>) -> Outcome<S> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(Problem::from(Code::RecursionLoop).with("depth", MAX_DEPTH)));
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    #[cold]
    fn refuse(&mut self, problems: impl Into<Problems>) -> Invalid {
        problems.into().into_iter().for_each(|problem| self.record(problem.into()));
        Invalid
    }

    /// Records the problem of a value that is of another type.
    #[cold]
    fn refuse_type(&mut self, code: Code, view: &View<'_>) -> Invalid {
        self.refuse(Problem::from(code).with("found", view.name()))
    }

    /// Records errors that the sink reported.
    #[cold]
    fn adopt(&mut self, errors: Vec<Error>) -> Invalid {
        for mut error in errors {
            error.loc.reverse();
            self.record(error);
        }
        Invalid
    }

    fn record(&mut self, error: Error) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        } else {
            self.untold = true;
        }
    }

    /// Adds a step to the path of every error since `mark`.
    #[cold]
    fn locate(&mut self, mark: usize, step: &Step) {
        for error in self.errors.iter_mut().skip(mark) {
            error.loc.push(step.clone());
        }
    }

    /// Paths were collected from the inside out.
    fn into_errors(mut self) -> Vec<Error> {
        self.errors.iter_mut().for_each(|error| error.loc.reverse());
        if self.untold {
            self.errors.push(Code::TooManyErrors.into());
        }
        self.errors
    }
}

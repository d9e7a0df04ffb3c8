//! A request's document: parsed, within its limits, valid.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;

use crate::error::{Code, Error};
use crate::graph::Graph;
use crate::limits::{self, Limits};
use crate::place::Spans;
use crate::{rules, tokens};

/// A valid document.
#[derive(Debug)]
pub struct Document {
    pub(crate) executable: Valid<ExecutableDocument>,
}

/// Steps down the parser may take; more than what [`tokens`] lets pass has.
const RECURSION: usize = 500;

/// Comparisons of fields that share a key, for each field there may be.
const COMPARISONS: usize = 10;

impl Document {
    /// Compiles the text of a document.
    ///
    /// # Errors
    /// Every violation of the specification's rules, the first syntax error, or the limit it exceeds.
    pub fn compile(graph: &Graph, text: &str, limits: &Limits) -> Result<Self, Vec<Error>> {
        if text.len() > limits.bytes {
            let (found, most) = (text.len(), limits.bytes);
            return Err(vec![limits::refused(format!(
                "The document has {found} bytes; at most {most} are allowed."
            ))]);
        }
        tokens::check(text, limits.tokens).map_err(|error| vec![error])?;
        // A mistake makes thousands of others behind it: the first one is told.
        let parsed = Parser::new().recursion_limit(RECURSION).parse_ast(text, "request");
        let tree = parsed.map_err(|error| Error::of_diagnostics(Code::ParseFailed, &error.errors, 1))?;
        if tree.definitions.is_empty() {
            return Err(vec![Error::new(Code::ParseFailed, "Syntax Error: Unexpected <EOF>.")]);
        }
        limits::check(&tree, limits).map_err(|error| vec![error])?;
        let errors = rules::check(graph, &tree, text, limits.fields.saturating_mul(COMPARISONS));
        if !errors.is_empty() {
            return Err(errors);
        }
        match tree.to_executable(&graph.schema) {
            Ok(executable) => Ok(Self { executable: Valid::assume_valid(executable) }),
            Err(error) => Err(Error::of_diagnostics(Code::ValidationFailed, &error.errors, 1)),
        }
    }

    /// The operation a request names; its only one where it names none.
    ///
    /// # Errors
    /// There is no such operation, or more than one.
    pub fn operation(&self, name: Option<&str>) -> Result<&Operation, Error> {
        let named = name.filter(|name| !name.is_empty());
        self.executable.operations.get(named).map(|operation| &**operation).map_err(|_| {
            let message = match named {
                Some(name) => format!("Unknown operation named {name:?}."),
                None if self.executable.operations.is_empty() => "Must provide an operation.".to_owned(),
                None => "Must provide operation name if query contains multiple operations.".to_owned(),
            };
            Error::new(Code::OperationResolution, message)
        })
    }

    /// Whether a request need not name its operation.
    #[must_use]
    pub fn has_one_operation(&self) -> bool {
        self.executable.operations.len() == 1
    }

    /// Lines and columns of fields.
    #[must_use]
    pub fn places(&self, spans: &Spans) -> Vec<(usize, usize)> {
        spans.places(&self.executable.sources)
    }
}

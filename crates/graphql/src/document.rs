//! A request's document: parsed, within its limits, valid.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;

use crate::error::{self, Code, Error};
use crate::graph::Graph;
use crate::limits::{self, Limits};
use crate::place::Spans;
use crate::{positions, rules};

/// A valid document.
#[derive(Debug)]
pub struct Document {
    pub(crate) executable: Valid<ExecutableDocument>,
}

/// Levels of syntax the parser follows: fields, inline fragments, lists and objects within each other.
const NESTING: usize = 200;

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
        let parsed =
            Parser::new().recursion_limit(NESTING).token_limit(limits.tokens).parse_ast(text, "request");
        let tree = parsed.map_err(|error| {
            // A mistake makes thousands of others behind it: the first one is told.
            let mut errors = Error::of_diagnostics(Code::ParseFailed, &error.errors, 1);
            for error in errors.iter_mut().filter(|error| error.message.contains("limit reached")) {
                error.code = Code::LimitExceeded;
            }
            errors
        })?;
        if tree.definitions.is_empty() {
            return Err(vec![Error::new(Code::ParseFailed, "Syntax Error: Unexpected <EOF>.")]);
        }
        limits::check(&tree, limits).map_err(|error| vec![error])?;
        let repeated = rules::check(&tree);
        match tree.to_executable_validate(&graph.schema) {
            Ok(executable) => {
                let mut errors = repeated;
                errors.extend(positions::check(graph, &executable));
                if errors.is_empty() { Ok(Self { executable }) } else { Err(errors) }
            }
            Err(error) => {
                let mut errors = Error::of_diagnostics(Code::ValidationFailed, &error.errors, error::MOST);
                errors.extend(repeated);
                Err(errors)
            }
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

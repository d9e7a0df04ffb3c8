//! `__schema` and `__type`: answered from the schema alone.

use apollo_compiler::executable::Operation;
use apollo_compiler::introspection::{check_max_depth, partial_execute};
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;

use crate::document::Document;
use crate::error::{Code, Error};
use crate::graph::Graph;

/// The introspection part of an operation's response.
#[derive(Debug)]
pub struct Introspected(JsonMap);

impl Introspected {
    /// Executes it.
    ///
    /// # Errors
    /// Lists are nested too deeply.
    pub fn execute(
        graph: &Graph,
        document: &Document,
        operation: &Operation,
        variables: &Valid<JsonMap>,
    ) -> Result<Self, Error> {
        let sources = &document.executable.sources;
        let refused = |error: apollo_compiler::request::RequestError| {
            Error::of(Code::LimitExceeded, error.to_graphql_error(sources))
        };
        check_max_depth(&document.executable, operation).map_err(refused)?;
        let response =
            partial_execute(&graph.schema, &graph.implementers, &document.executable, operation, variables)
                .map_err(refused)?;
        Ok(Self(response.data.unwrap_or_default()))
    }

    /// Appends the value of a root field.
    pub fn write(&self, key: &str, out: &mut Vec<u8>) {
        match self.0.get(key) {
            Some(value) => out.extend_from_slice(value.to_string().as_bytes()),
            None => plectrum_json::write_null(out),
        }
    }
}

//! `CoerceVariableValues()` of the specification (section 6.1.2).

use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;

use crate::document::Document;
use crate::error::{Code, Error};
use crate::graph::Graph;

/// Variables of a request, each of its declared type.
pub type Variables = Valid<JsonMap>;

/// Variables as a request brings them.
pub type Given = JsonMap;

/// Variables as the schema's compiler reads them.
#[must_use]
pub fn given(members: serde_json::Map<String, serde_json::Value>) -> Given {
    members.into_iter().map(|(name, value)| (name.into(), JsonValue::from(value))).collect()
}

/// Coerces variables to the types an operation declares.
///
/// # Errors
/// One is missing, or of another type.
pub fn coerce(
    graph: &Graph,
    document: &Document,
    operation: &Operation,
    given: &JsonMap,
) -> Result<Variables, Error> {
    coerce_variable_values(&graph.schema, operation, given)
        .map_err(|error| Error::of(Code::BadUserInput, error.to_graphql_error(&document.executable.sources)))
}

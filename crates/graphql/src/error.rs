//! GraphQL errors and their JSON (October 2021 specification, section 7.1.2).

use apollo_compiler::diagnostic::{Diagnostic, ToCliReport};
use apollo_compiler::response::GraphQLError;
use apollo_compiler::validation::{DiagnosticData, DiagnosticList};
use plectrum_json::text;

use crate::place;

/// `extensions.code`: what kind of error it is, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The text is not a GraphQL document.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// The document or its values cost more than is allowed.
    LimitExceeded,
    /// No such operation, or not in this way.
    OperationResolution,
    /// A variable or an argument has a value it cannot have.
    BadUserInput,
    /// Who asks is not known.
    Unauthenticated,
    /// Who asks may not.
    Forbidden,
    /// What is asked for is not there.
    NotFound,
    /// The schema is not shown.
    IntrospectionDisabled,
    /// The request must name a document that is known.
    PersistedQueryNotFound,
    /// Only known documents are executed.
    PersistedQueryRequired,
    /// The database did not answer.
    Unavailable,
    /// The statement took too long.
    Timeout,
    /// Ours.
    Internal,
}

impl Code {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::OperationResolution => "OPERATION_RESOLUTION_FAILURE",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::IntrospectionDisabled => "INTROSPECTION_DISABLED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryRequired => "PERSISTED_QUERY_REQUIRED",
            Self::Unavailable => "SERVICE_UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A response key.
    Key(String),
    /// The number of a list's item, from 0.
    Index(usize),
}

/// One error of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// For people.
    pub message: String,
    /// Lines and columns in the document, from 1.
    pub locations: Vec<(usize, usize)>,
    /// The way from the root to the field at fault; empty for a request error.
    pub path: Vec<Step>,
    /// For programs.
    pub code: Code,
}

impl Error {
    /// An error of the request as a whole.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), code }
    }

    /// Of a root field, at its places in the document.
    #[must_use]
    pub fn at(mut self, key: &str, locations: &[(usize, usize)]) -> Self {
        self.path = vec![Step::Key(key.to_owned())];
        self.locations = locations.to_vec();
        self
    }

    pub(crate) fn of(code: Code, error: GraphQLError) -> Self {
        let locations = error.locations.iter().map(|place| (place.line, place.column)).collect();
        Self { message: error.message, locations, path: Vec::new(), code }
    }

    /// The first `most` of what the compiler found, in the words of graphql-js.
    pub(crate) fn of_diagnostics(code: Code, found: &DiagnosticList, most: usize) -> Vec<Self> {
        let error = |one: Diagnostic<'_, DiagnosticData>| {
            let place = one.error.location().and_then(|span| place::of(span, one.sources));
            let message = one.unstable_to_json_compat().message;
            Self { locations: place.into_iter().collect(), ..Self::new(code, message) }
        };
        found.iter().take(most).map(error).collect()
    }

    /// Appends its JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"message\":");
        text::write(out, &self.message);
        if !self.locations.is_empty() {
            out.extend_from_slice(b",\"locations\":[");
            for (index, (line, column)) in self.locations.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                out.extend_from_slice(format!("{comma}{{\"line\":{line},\"column\":{column}}}").as_bytes());
            }
            out.push(b']');
        }
        if !self.path.is_empty() {
            out.extend_from_slice(b",\"path\":[");
            for (index, step) in self.path.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match step {
                    Step::Key(key) => text::write(out, key),
                    Step::Index(number) => out.extend_from_slice(number.to_string().as_bytes()),
                }
            }
            out.push(b']');
        }
        out.extend_from_slice(b",\"extensions\":{\"code\":\"");
        out.extend_from_slice(self.code.as_str().as_bytes());
        out.extend_from_slice(b"\"}}");
    }
}

/// Appends `"errors":[…]`.
pub fn write_errors(out: &mut Vec<u8>, errors: &[Error]) {
    out.extend_from_slice(b"\"errors\":[");
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        error.write(out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_what_the_specification_asks_for() {
        let error = Error::new(Code::BadUserInput, "say \"please\"").at("articles", &[(1, 3)]);
        let mut out = Vec::new();
        write_errors(&mut out, &[error]);
        let expected = concat!(
            r#""errors":[{"message":"say \"please\"","locations":[{"line":1,"column":3}],"#,
            r#""path":["articles"],"extensions":{"code":"BAD_USER_INPUT"}}]"#
        );
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

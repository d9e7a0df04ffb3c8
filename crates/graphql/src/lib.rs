//! GraphQL over models: document + model graph → shapes that are planned once, and the values of each request. No I/O.
//!
//! In the order of a request's journey:
//!
//! * [`graph`]: the schema, compiled from SDL at start-up;
//! * [`limits`]: what a document may cost, counted before it is validated;
//! * `tokens`: a first look at a text, before it is parsed;
//! * [`document`]: text → parsed, bounded, validated; [`cache`] keeps it by its text;
//! * `rules`: what makes a document valid;
//! * [`lower`]: one operation with its variables → root fields: a *shape* (fields, arguments, nesting; the same for every
//!   request that differs only in values) and its values, with [`collect`] and [`input`];
//! * [`variables`]: a request's variables, of their declared types;
//! * [`prune`]: the same without fields whose arguments turn out to be wrong;
//! * [`partial`]: values that failed become null, and errors with their paths; `scan` reads them;
//! * `place`: lines and columns;
//! * [`introspect`]: the fields that the schema itself answers;
//! * [`error`]: the one table of request and field errors.

pub mod cache;
mod collect;
pub mod document;
pub mod error;
pub mod graph;
mod input;
pub mod introspect;
pub mod limits;
pub mod lower;
pub mod partial;
mod place;
pub mod prune;
mod rules;
mod scan;
mod tokens;
pub mod variables;

pub use apollo_compiler::ast::OperationType;

pub use cache::Cache;
pub use document::Document;
pub use error::{Code, Error};
pub use graph::Graph;
pub use input::global_id;
pub use limits::Limits;
pub use lower::{Lowered, Root, RootField, lower};
pub use place::Spans;
pub use variables::Variables;

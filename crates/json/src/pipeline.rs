//! JSON rows as PostgreSQL made them → a GraphQL response, without parsing them into values.
//!
//! Keys become camelCase, objects of a type get their `__typename`, a selection chooses and renames fields; every other
//! byte of a value is copied as it stands, so numbers of any size and escapes survive. Each row is checked to be JSON
//! (RFC 8259) in the same pass.
//!
//! * [`Types`]: what the fields of each type hold;
//! * [`Selection`]: which fields are asked for, in which order, under which alias;
//! * [`Rows`]: one field's rows, rewritten into the caller's buffer;
//! * [`Writer`]: the `{"data":{…}}` around them; [`only_value`] takes it away again.
//!
//! Rows of one query look alike. `Rows` learns the bytes between two values (`,"author_id":`) and what to write for them
//! once, and compares from then on.

mod fault;
mod key;
mod learned;
pub(crate) mod lex;
mod only;
mod project;
mod respond;
mod rows;
mod select;
mod types;

#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use only::only_value;
pub use respond::{List, Writer};
pub use rows::Rows;
pub use select::{Selection, SelectionError};
pub use types::{Of, Types};

/// Objects and arrays inside of one another at most; deeper rows are refused.
pub const MAX_DEPTH: usize = 128;

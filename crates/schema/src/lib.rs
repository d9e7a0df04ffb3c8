//! Compiled types: what a value must look like, where it comes from, what it becomes.
//!
//! * [`node`]: the compiled type tree; [`compile`]: how [`Schema::from_json`](node::Schema::from_json) makes one of
//!   a description, refusing wrong constraints when the process starts;
//! * [`sink`]: the trait a binding implements to receive validated values (the pure crate owns the trait);
//! * [`json`], [`text`], [`value`]: JSON bytes, parameter text or values in, sink values out, every error reported;
//! * [`plain`]: text that every parser reads alike, for bindings whose own parser has the last word;
//! * [`mod@format`]: e-mail addresses, URLs and the like, as Django knows them;
//! * [`mod@describe`]: JSON Schema 2020-12;
//! * [`error`]: the one table of validation errors.
//!
//! Nothing here does I/O, and nothing is compiled on a request.

pub mod compile;
pub mod describe;
pub mod error;
pub mod format;
pub mod json;
mod leaf;
pub mod limits;
pub mod node;
mod parse;
pub mod plain;
pub mod sink;
pub mod text;
pub mod value;

pub use compile::DefinitionError;
pub use describe::{Described, Describer, describe};
pub use error::{Error, Step, write_errors};
pub use json::validate_json;
pub use node::{Node, Schema};
pub use sink::Sink;
pub use text::{validate_fields, validate_node, validate_text, validate_texts};
pub use value::{Input, validate_value};

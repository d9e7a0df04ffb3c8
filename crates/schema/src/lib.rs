//! Compiled types: what a value must look like, where it comes from, what it becomes.
//!
//! * [`node`]: the compiled type tree;
//! * [`sink`]: the trait a binding implements to receive validated values (the pure crate owns the trait);
//! * `validate`: JSON bytes or text in, sink values out, every error reported;
//! * `describe`: JSON Schema 2020-12;
//! * [`error`]: the one table of validation errors.

pub mod error;
pub mod node;
pub mod sink;

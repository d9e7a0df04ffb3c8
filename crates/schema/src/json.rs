//! JSON bytes → sink values, in one pass and without an intermediate tree.
//!
//! The walk follows the schema and the input together. A value that does not fit is recorded with its path and
//! skipped (its syntax still checked), so that one pass reports everything; a syntax error ends the pass and is the
//! only error reported.

pub(crate) mod containers;
pub(crate) mod scalars;
mod structure;
mod union;
mod walk;

use crate::error::Error;
use crate::node::Schema;
use crate::sink::Sink;
use walk::Walk;

pub use plectrum_json::read::MAX_DEPTH;

/// Errors beyond this many are told by a last `too_many_errors`: a small body must not make a huge answer.
pub const MAX_ERRORS: usize = 1000;

/// Validates a JSON document and builds its value.
///
/// # Errors
/// Everything that does not fit, in order of appearance (at most [`MAX_ERRORS`]), or the one `json_invalid` where
/// `data` is not JSON: malformed, not UTF-8, nested deeper than [`MAX_DEPTH`], followed by other data.
pub fn validate_json<S: Sink>(schema: &Schema, data: &[u8], sink: &mut S) -> Result<S::Value, Vec<Error>> {
    Walk::new(schema, data, sink).document()
}

//! Values ↔ JSON bytes: the append-only writer with its text, number, time, decimal and uuid forms, and the reader.
//!
//! Knows no I/O, no Tokio and no Python. What writes appends to a `Vec<u8>` the caller owns, so one buffer can serve a
//! whole response. A function that fails leaves the buffer as it found it.
//!
//! * [`read`]: JSON bytes → tokens, for whoever walks a document;
//! * [`text`]: strings and object keys;
//! * [`number`]: integers and floats;
//! * [`decimal`]: PostgreSQL's binary `numeric`, and decimal literals rounded to a fixed scale;
//! * [`time`]: dates, times, datetimes and durations as Django REST framework spells them;
//! * [`uuid`], [`base64`]: identifiers and bytes;
//! * [`naming`]: snake_case and camelCase; [`pipeline`]: JSON rows → a GraphQL response;
//! * [`compact`]: JSON as Python would write it again; [`export`]: JSON rows → a JSON, NDJSON or CSV file;
//! * [`append()`]: bytes that are JSON already, quickly where they are few.

mod append;
pub mod base64;
pub mod compact;
pub mod decimal;
mod digits;
pub mod export;
pub mod naming;
pub mod number;
pub mod pipeline;
pub mod read;
mod scan;
pub mod text;
pub mod time;
pub mod uuid;

pub use append::append;

/// Appends `null`.
#[inline]
pub fn write_null(out: &mut Vec<u8>) {
    append(out, b"null");
}

/// Appends `true` or `false`.
#[inline]
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    append(out, if value { b"true" } else { b"false" });
}

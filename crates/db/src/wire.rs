//! PostgreSQL's binary values → JSON. The reader of a column is chosen once, from its [`Kind`] and its type's OID.
//!
//! * [`oid`]: the types we know by number;
//! * `reader`: one variant per pair that works, and why the others do not;
//! * `number`, `time`, `text`, `network`, `array`, `range`, `hstore`: the formats;
//! * `row`: a row of cells as a [`crate::template::Row`].

mod array;
mod cursor;
mod hstore;
mod network;
mod number;
pub mod oid;
mod range;
mod reader;
mod resolve;
mod row;
mod sink;
mod text;
mod time;

pub(crate) use number::write_f64_as_int;
pub(crate) use reader::Reader;
pub(crate) use sink::Resolved;
pub use sink::WireSink;
pub use text::write_file_url;
pub(crate) use text::{check_utf8, utf8, write_file, write_json_text};

use std::borrow::Cow;

/// Why a value has no JSON form. The row adds which column it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unwritable(pub(crate) Cow<'static, str>);

impl From<&'static str> for Unwritable {
    fn from(reason: &'static str) -> Self {
        Self(Cow::Borrowed(reason))
    }
}

impl From<String> for Unwritable {
    fn from(reason: String) -> Self {
        Self(Cow::Owned(reason))
    }
}

/// The reasons of the writer crate, in its own words.
macro_rules! from_display {
    ($($error:ty),*) => {$(
        impl From<$error> for Unwritable {
            fn from(error: $error) -> Self {
                Self(Cow::Owned(error.to_string()))
            }
        }
    )*};
}
from_display!(
    plectrum_json::decimal::DecimalError,
    plectrum_json::number::NonFinite,
    plectrum_json::time::OutOfRange,
    std::str::Utf8Error
);

#[cfg(test)]
mod tests;

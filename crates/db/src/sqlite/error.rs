//! What SQLite's errors mean.

use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::Error;

/// SQLSTATE for errors that have no other.
const GENERAL_ERROR: &str = "HY000";

/// The row of the error table a failure belongs to.
pub(super) fn classify(error: rusqlite::Error, waited: Duration) -> Error {
    let message = match &error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    // Functions and collations that Django registers on its own connections.
    if message.starts_with("no such function") || message.starts_with("no such collation") {
        return Error::Unsupported(message);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Exhausted(waited),
        Some(ErrorCode::OperationInterrupted) => Error::Cancelled,
        Some(ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure) => {
            Error::Unavailable(message)
        }
        _ => Error::Server {
            code: GENERAL_ERROR.to_owned(),
            detail: error.sqlite_error().map(|error| format!("SQLite error {}", error.extended_code)),
            position: position(&error),
            message,
        },
    }
}

/// Character position in the SQL, from 1.
fn position(error: &rusqlite::Error) -> Option<u32> {
    match error {
        rusqlite::Error::SqlInputError { sql, offset, .. } => {
            let before = sql.get(..usize::try_from(*offset).ok()?)?;
            u32::try_from(before.chars().count() + 1).ok()
        }
        _ => None,
    }
}

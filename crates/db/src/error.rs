//! The one table of database errors, as the engine sees them.

use std::time::Duration;

/// What went wrong with an execution. `Display` says its own level only.
#[derive(Debug)]
pub enum Error {
    /// No connection could be had (refused, restarting, authentication, TLS): 503.
    Unavailable(String),
    /// Every connection stayed busy for the whole wait: 503 + `Retry-After`.
    Exhausted(Duration),
    /// The statement ran into `statement_timeout` or its budget: 504.
    Timeout,
    /// The connection broke while this statement was in flight: 503 (retried by the caller where safe).
    Broken(String),
    /// The server refused the statement.
    Server {
        /// SQLSTATE, five characters.
        code: String,
        /// Server's message.
        message: String,
        /// Server's detail, where given.
        detail: Option<String>,
        /// Character position in the SQL, where given.
        position: Option<u32>,
    },
    /// An argument does not fit its placeholder (index of the argument, reason).
    Bind(usize, String),
    /// A result column cannot be written as its plan says (column, reason).
    Column(usize, String),
    /// The client went away.
    Cancelled,
    /// More than one row where the plan allows one.
    MultipleObjects,
    /// The engine lacks a function or collation that the statement uses; Django's own connection has it.
    Unsupported(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "database unavailable: {why}"),
            Self::Exhausted(waited) => write!(f, "no database connection became free within {waited:?}"),
            Self::Timeout => write!(f, "statement timed out"),
            Self::Broken(why) => write!(f, "connection lost during the statement: {why}"),
            Self::Server { code, message, .. } => {
                write!(f, "database refused the statement ({code}): {message}")
            }
            Self::Bind(index, why) => write!(f, "argument {index} cannot be bound: {why}"),
            Self::Column(index, why) => write!(f, "column {index} cannot be written: {why}"),
            Self::Cancelled => write!(f, "client went away"),
            Self::MultipleObjects => write!(f, "the query returned more than one row"),
            Self::Unsupported(what) => write!(f, "only Django's connection can run the statement: {what}"),
        }
    }
}

impl std::error::Error for Error {}

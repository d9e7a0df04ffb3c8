//! Engines that run statements: what [`crate::execute`] needs of them.

mod postgres;

use std::borrow::Cow;
use std::future::Future;

use crate::error::Error;
use crate::statement::Statement;
use crate::value::Value;
use crate::writer::RowWriter;

/// An engine that runs statements: PostgreSQL, SQLite, Django's own connection.
pub trait Backend {
    /// What the statements of one execution run on.
    type Session<'a>: Session
    where
        Self: 'a;

    /// Prepares to run the statements of one execution: chooses the connection they travel on together.
    fn session(&self) -> impl Future<Output = Result<Self::Session<'_>, Error>>;
}

/// Runs the statements of one execution.
pub trait Session {
    /// Runs `statement` with its placeholders' values in order and gives every row to `writer`, which comes back when
    /// all are written. Calls made together should answer in order where that costs nothing: the response is then
    /// written in one go. Dropping the future cancels the statement.
    fn fetch(
        &self,
        statement: &Statement,
        values: Cow<'_, [Value]>,
        writer: RowWriter,
    ) -> impl Future<Output = Result<RowWriter, Error>>;
}

//! [`Backend`] over the worker's PostgreSQL pool.

use std::borrow::Cow;

use super::{Backend, Session};
use crate::error::Error;
use crate::pool::{Lease, Pool};
use crate::statement::Statement;
use crate::value::Value;
use crate::wire::WireSink;
use crate::writer::RowWriter;

impl Backend for Pool {
    type Session<'a> = Lease;

    async fn session(&self) -> Result<Lease, Error> {
        self.lease().await
    }
}

/// Statements of one execution travel on one connection, shared with other executions.
impl Session for Lease {
    async fn fetch(
        &self,
        statement: &Statement,
        values: Cow<'_, [Value]>,
        writer: RowWriter,
    ) -> Result<RowWriter, Error> {
        Ok(self.send(statement, &values, WireSink::new(writer)).await?.into_writer())
    }
}

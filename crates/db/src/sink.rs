//! Where a driver delivers rows: straight from its read buffer, nothing kept.

use std::rc::Rc;

use crate::error::Error;

/// A result column as the server described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in the result.
    pub name: String,
    /// PostgreSQL type OID.
    pub oid: u32,
}

/// Receives one statement's rows.
pub trait RowSink {
    /// Called before the first row of every execution; the same `Rc` as long as the prepared statement lives, so a sink
    /// can resolve its readers once and recognise them by pointer.
    ///
    /// # Errors
    /// When a column cannot be written as planned; the execution fails with it.
    fn columns(&mut self, columns: &Rc<[Column]>) -> Result<(), Error>;

    /// One row; `None` is NULL, the bytes are PostgreSQL's binary format.
    ///
    /// # Errors
    /// When a value cannot be written (NaN, out of range); the execution fails with it.
    fn row(&mut self, cells: &[Option<&[u8]>]) -> Result<(), Error>;

    /// After the last row of a statement that succeeded, before the next pipelined statement's `columns`: the sink
    /// hands the response on to the statement behind it.
    fn complete(&mut self) {}

    /// Forgets every row so far, because the statement is executed again; `false` where that is impossible. Asked only
    /// after an execution that failed through no fault of its own.
    fn rewind(&mut self) -> bool {
        false
    }
}

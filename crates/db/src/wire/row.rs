//! A row of binary cells.

use super::{Reader, Unwritable};
use crate::error::Error;
use crate::key::Key;
use crate::template::Row;
use crate::zone::Clock;

/// Cells with the readers of their columns; as many of the one as of the other.
pub(super) struct WireRow<'a> {
    pub(super) cells: &'a [Option<&'a [u8]>],
    pub(super) readers: &'a [Reader],
    pub(super) clock: &'a Clock,
}

impl Row for WireRow<'_> {
    #[inline]
    fn is_null(&self, column: usize) -> bool {
        self.cells.get(column).is_none_or(Option::is_none)
    }

    #[inline]
    fn write(&self, column: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        match self.cells[column] {
            Some(cell) => self.readers[column].write(cell, self.clock, out).map_err(|why| at(column, why)),
            None => {
                plectrum_json::write_null(out);
                Ok(())
            }
        }
    }

    fn key(&self, column: usize) -> Result<Option<Key>, Error> {
        match self.cells[column] {
            Some(cell) => self.readers[column].key(cell, self.clock).map(Some).map_err(|why| at(column, why)),
            None => Ok(None),
        }
    }
}

#[cold]
fn at(column: usize, Unwritable(why): Unwritable) -> Error {
    Error::Column(column, why.into_owned())
}

//! What stands around the rows: `{"data":{"articles":[…],"author":…}}`.

use super::{Fault, Rows};
use crate::{text, write_null};

/// A response being written: fields one after the other, each a list, a single value or `null`.
pub struct Writer {
    out: Vec<u8>,
    empty: bool,
}

impl Writer {
    /// A response of about `capacity` bytes, what stands around the rows included.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(b"{\"data\":{");
        Self { out, empty: true }
    }

    fn key(&mut self, name: &str) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        text::write(&mut self.out, name);
        self.out.push(b':');
    }

    /// A field that is `null`.
    pub fn null(&mut self, name: &str) {
        self.key(name);
        write_null(&mut self.out);
    }

    /// A field that is one row.
    ///
    /// # Errors
    /// Where the row is not JSON; the response is then of no use.
    pub fn single(&mut self, name: &str, rows: &mut Rows<'_>, row: &str) -> Result<(), Fault> {
        self.key(name);
        rows.write(&mut self.out, row)
    }

    /// A field that is a list of rows.
    pub fn list(&mut self, name: &str) -> List<'_> {
        self.key(name);
        self.out.push(b'[');
        List { out: &mut self.out, empty: true }
    }

    /// The whole response.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"}}");
        self.out
    }
}

/// A list being written; [`end`](Self::end) closes it.
pub struct List<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl List<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Where the row is not JSON; the response is then of no use.
    #[inline]
    pub fn row(&mut self, rows: &mut Rows<'_>, row: &str) -> Result<(), Fault> {
        self.separate();
        rows.write(self.out, row)
    }

    /// Appends a row that is SQL's NULL.
    pub fn null(&mut self) {
        self.separate();
        write_null(self.out);
    }

    /// Closes the list.
    pub fn end(self) {
        self.out.push(b']');
    }
}

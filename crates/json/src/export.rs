//! JSON rows → a file: one JSON array, a row per line (NDJSON), or CSV (RFC 4180).
//!
//! Rows come in batches, each a JSON array of our own making; a batch becomes the bytes that continue the file. A file
//! that breaks off never looks complete: [`Export::broken`] leaves it where no reader of its format takes it for whole.
//!
//! * [`Export`]: the file; [`Format`] says which kind;
//! * [`Shape`]: which columns a CSV has; `csv` writes their cells.

mod csv;

use crate::pipeline::Fault;
use crate::pipeline::lex;

pub use csv::Shape;

/// What kind of file.
#[derive(Debug)]
pub enum Format {
    /// One JSON array.
    Json,
    /// A row per line: <https://github.com/ndjson/ndjson-spec>.
    Ndjson,
    /// RFC 4180, with a header.
    Csv {
        /// What a row looks like.
        shape: Shape,
        /// Put an apostrophe before text that a spreadsheet would take for a formula.
        guard: bool,
    },
}

/// A file under way.
#[derive(Debug)]
pub struct Export {
    format: Format,
    rows: u64,
}

impl Export {
    /// A file without rows yet.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, rows: 0 }
    }

    /// How many rows were written.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends what stands before the first row.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match &self.format {
            Format::Json => out.push(b'['),
            Format::Ndjson => {}
            Format::Csv { shape, .. } => csv::header(shape, out),
        }
    }

    /// Appends a batch, a JSON array; returns how many rows it had.
    ///
    /// # Errors
    /// [`Fault`] where the batch is no JSON array, or a row not of the shape; `out` then holds the rows before it.
    pub fn batch(&mut self, batch: &[u8], out: &mut Vec<u8>) -> Result<u64, Fault> {
        let before = self.rows;
        let mut at = lex::space(batch, 0);
        if batch.get(at) != Some(&b'[') {
            return Err(Fault::new(at, "expected an array"));
        }
        at = lex::space(batch, at + 1);
        while batch.get(at) != Some(&b']') {
            let end = lex::value_end(batch, at, 0)?;
            self.row(&batch[at..end], out)?;
            at = lex::space(batch, end);
            match batch.get(at) {
                Some(b',') => at = lex::space(batch, at + 1),
                Some(b']') => {}
                _ => return Err(Fault::new(at, "expected a comma or ]")),
            }
        }
        Ok(self.rows - before)
    }

    fn row(&mut self, row: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        match &self.format {
            Format::Json => {
                if self.rows > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(row);
            }
            Format::Ndjson => line(row, out),
            Format::Csv { shape, guard } => csv::record(shape, *guard, row, out)?,
        }
        self.rows += 1;
        Ok(())
    }

    /// Appends what stands behind the last row.
    pub fn end(&self, out: &mut Vec<u8>) {
        if matches!(self.format, Format::Json) {
            out.push(b']');
        }
    }

    /// Appends what makes a broken-off file unreadable: a JSON array stays open, a line is no JSON, a quote stays open.
    pub fn broken(&self, out: &mut Vec<u8>) {
        match self.format {
            Format::Json => {}
            Format::Ndjson => out.extend_from_slice(b"!export failed, the file is incomplete\n"),
            Format::Csv { .. } => out.extend_from_slice(b"\"!export failed, the file is incomplete\r\n"),
        }
    }
}

/// JSON columns are copied as they are stored; line breaks between their tokens would end the line.
fn line(row: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(row);
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests;

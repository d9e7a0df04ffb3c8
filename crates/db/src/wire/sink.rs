//! PostgreSQL's rows into a [`RowWriter`].

use std::rc::Rc;

use super::row::WireRow;
use super::{Reader, resolve};
use crate::error::Error;
use crate::plan::Kind;
use crate::sink::{Column, RowSink};
use crate::writer::RowWriter;

/// The readers of a statement's columns, with the types they are for.
#[derive(Debug)]
pub(crate) struct Resolved {
    oids: Box<[u32]>,
    readers: Box<[Reader]>,
}

impl Resolved {
    fn new(kinds: &[Kind], columns: &[Column]) -> Result<Self, Error> {
        if kinds.len() != columns.len() {
            let (planned, found) = (kinds.len(), columns.len());
            let why = format!("the plan has {planned} columns, the statement returns {found}");
            return Err(Error::Column(planned.min(found), why));
        }
        let readers = kinds.iter().zip(columns).enumerate().map(|(index, (kind, column))| {
            resolve::resolve(kind, column.oid)
                .map_err(|why| Error::Column(index, format!("{:?}: {why}", column.name)))
        });
        let readers = readers.collect::<Result<_, _>>()?;
        Ok(Self { oids: columns.iter().map(|column| column.oid).collect(), readers })
    }

    fn fits(&self, columns: &[Column]) -> bool {
        self.oids.len() == columns.len()
            && self.oids.iter().zip(columns).all(|(oid, column)| *oid == column.oid)
    }
}

/// Writes one statement's rows as they come off the wire.
#[derive(Debug)]
pub struct WireSink {
    writer: RowWriter,
    /// Readers of this execution only: the types have changed since the statement's own were resolved.
    changed: Option<Resolved>,
}

impl WireSink {
    /// A sink that writes with `writer`.
    #[must_use]
    pub fn new(writer: RowWriter) -> Self {
        Self { writer, changed: None }
    }

    /// The writer with its rows.
    #[must_use]
    pub fn into_writer(self) -> RowWriter {
        self.writer
    }
}

impl RowSink for WireSink {
    fn columns(&mut self, columns: &Rc<[Column]>) -> Result<(), Error> {
        let node = &self.writer.node;
        self.changed = match node.readers.get() {
            Some(resolved) if resolved.fits(columns) => None,
            Some(_) => Some(Resolved::new(&node.kinds, columns)?),
            None => {
                // Another thread may have been first; its readers are checked as any others.
                let resolved = Resolved::new(&node.kinds, columns)?;
                node.readers.set(resolved).err()
            }
        };
        self.writer.begin();
        Ok(())
    }

    #[inline]
    fn row(&mut self, cells: &[Option<&[u8]>]) -> Result<(), Error> {
        let RowWriter { node, clock, rows, limit, .. } = &mut self.writer;
        let resolved = match &self.changed {
            Some(changed) => changed,
            None => node.readers.get().ok_or_else(undescribed)?,
        };
        if cells.len() != resolved.readers.len() {
            return Err(Error::Column(cells.len(), "the row has another number of columns".to_owned()));
        }
        if !limit.admits(rows)? {
            return Ok(());
        }
        rows.push(node, &WireRow { cells, readers: &resolved.readers, clock })
    }

    fn complete(&mut self) {
        self.writer.complete();
    }

    fn rewind(&mut self) -> bool {
        self.writer.rewind()
    }
}

#[cold]
fn undescribed() -> Error {
    Error::Column(0, "rows came before their description".to_owned())
}

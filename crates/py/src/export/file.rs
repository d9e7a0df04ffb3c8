//! The bytes of a file, of rows from anywhere.

use std::pin::pin;
use std::task::{Context as Task, Poll, Waker};

use plectrum_db::error::Error;
use plectrum_db::zone::Zone;
use plectrum_db::{Context, Operation, Outcome, buffer, execute};
use plectrum_json::export::Export;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{Options, wrong};
use crate::django::DjangoRows;

/// A file under way, and what its values depend on.
pub(super) struct File {
    export: Export,
    pub(super) context: Context,
}

impl File {
    pub(super) fn new(options: &Options) -> PyResult<Self> {
        let zone = |name: &str| Zone::named(name).map_err(|error| wrong(&error));
        let context = Context {
            zone: zone(&options.zone)?,
            session: zone(&options.session)?,
            url: String::new(),
            signer: None,
            failures: None,
        };
        Ok(Self { export: Export::new(options.format()?), context })
    }

    pub(super) fn rows(&self) -> u64 {
        self.export.rows()
    }

    pub(super) fn begin(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.export.begin(&mut out);
        out
    }

    /// Continues the file; returns how many rows the batch had.
    pub(super) fn batch(&mut self, json: Vec<u8>, out: &mut Vec<u8>) -> Result<u64, Error> {
        out.reserve(json.len());
        let count = self.export.batch(&json, out).map_err(|fault| Error::Column(0, fault.to_string()))?;
        buffer::give(json);
        Ok(count)
    }

    /// Continues the file with rows of Django's connection.
    pub(super) fn rows_of_django(
        &mut self,
        operation: &Operation,
        rows: Py<PyList>,
    ) -> Result<Vec<u8>, Error> {
        let rows = DjangoRows::new(operation, rows)?;
        let mut out = Vec::new();
        if let Outcome::Found(json) = at_once(execute(&rows, operation, &[], &self.context, buffer::take()))?
        {
            self.batch(json, &mut out)?;
        }
        Ok(out)
    }

    pub(super) fn end(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.export.end(&mut out);
        out
    }

    pub(super) fn broken(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.export.broken(&mut out);
        out
    }
}

/// Runs what has nothing to wait for: the rows are there.
fn at_once(execution: impl Future<Output = Result<Outcome, Error>>) -> Result<Outcome, Error> {
    match pin!(execution).poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::Broken("rows that are there were waited for".to_owned())),
    }
}

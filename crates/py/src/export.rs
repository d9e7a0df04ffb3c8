//! Streaming exports: rows in, the bytes of a file out, batch by batch.
//!
//! * [`ExportFile`]: what a file is made of, whoever brings the rows; Django's connection is one;
//! * [`ExportCursor`]: rows of a connection of its own, on a thread of its own: [`reader`].

mod file;
mod reader;

use std::sync::{Mutex, PoisonError};

use plectrum_db::Operation;
use plectrum_db::error::Error;
use plectrum_json::export::Format;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::detached::detached;
use crate::values;
use file::File;
use reader::{Job, Reader};

/// How a file is written, as Python says it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Options {
    /// The operation, as `plectrum.orm.Operation.to_json` describes it.
    operation: String,
    /// `json`, `ndjson` or `csv`.
    format: String,
    /// Keep spreadsheets from reading cells as formulas.
    guard: bool,
    /// IANA names: of the answers, and of the database's session.
    zone: String,
    session: String,
}

impl Options {
    fn format(&self) -> PyResult<Format> {
        Ok(match self.format.as_str() {
            "json" => Format::Json,
            "ndjson" => Format::Ndjson,
            "csv" => {
                let shape = plectrum_db::export_shape(&self.operation).map_err(|error| wrong(&error))?;
                Format::Csv { shape, guard: self.guard }
            }
            other => return Err(PyValueError::new_err(format!("there is no export format {other:?}"))),
        })
    }
}

fn wrong(error: &dyn std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn failed(error: &Error) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// A file whose rows Python brings.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct ExportFile {
    operation: Operation,
    file: Mutex<File>,
}

#[pymethods]
impl ExportFile {
    #[new]
    fn new(options: Options) -> PyResult<Self> {
        let operation = Operation::from_json(&options.operation).map_err(|error| wrong(&error))?;
        Ok(Self { operation, file: Mutex::new(File::new(&options)?) })
    }

    /// What stands before the first row.
    fn begin<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lock().begin())
    }

    /// A batch: a list of tuples for each statement. Bytes, and the number of rows so far.
    fn rows<'py>(&self, rows: &Bound<'py, PyList>) -> PyResult<(Bound<'py, PyBytes>, u64)> {
        let mut file = self.lock();
        let bytes = file.rows_of_django(&self.operation, rows.clone().unbind()).map_err(|e| failed(&e))?;
        Ok((PyBytes::new(rows.py(), &bytes), file.rows()))
    }

    /// What stands behind the last row.
    fn end<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lock().end())
    }

    /// What makes a file that broke off unreadable.
    fn broken<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lock().broken())
    }
}

impl ExportFile {
    fn lock(&self) -> std::sync::MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file whose rows Rust reads from PostgreSQL. The connection is opened with the first call of `next`.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct ExportCursor {
    reader: Reader,
}

#[pymethods]
impl ExportCursor {
    /// `config`: of the connection, as `plectrum.orm.connection_config` describes it.
    #[new]
    fn new(options: Options, args: &Bound<'_, PyList>, config: &str, batch: u32) -> PyResult<Self> {
        let cursor =
            plectrum_db::Cursor::compile(&options.operation, batch).map_err(|error| wrong(&error))?;
        let args = args.iter().map(|arg| values::from_python(&arg)).collect::<PyResult<_>>()?;
        let config = reader::alone(config).map_err(|error| wrong(&error))?;
        let file = File::new(&options)?;
        Ok(Self { reader: Reader::new(Job { cursor, args, config, file }) })
    }

    /// The next bytes and the number of rows so far; `None` after the last ones. Blocks without the interpreter.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyBytes>, u64)>> {
        match detached(py, || self.reader.next()) {
            Ok(next) => Ok(next.map(|(bytes, rows)| (PyBytes::new(py, &bytes), rows))),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Stops the query, from any thread; nothing happens where it has ended.
    fn close(&self) {
        self.reader.close();
    }
}

//! Rows as Django's drivers hold them: read where they are, before Python makes objects of PostgreSQL's values.

mod libpq;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use plectrum_db::error::Error;
use plectrum_db::given::{Cells, Columns, Given, GivenRow};
use plectrum_db::value::Value;
use plectrum_db::{Backend, Operation, RowWriter, Session, Statement};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyFloat, PyInt, PyIterator, PyList, PyString, PyTuple};

pub(crate) use libpq::Libpq;

/// What a statement gave, and the most digits of each column's decimals.
struct Fetched {
    rows: Rows,
    digits: Vec<Option<u32>>,
}

enum Rows {
    /// `sqlite3`'s tuples: each is written and dropped before the next is made.
    Tuples(Py<PyIterator>),
    /// psycopg's result.
    Result(libpq::Result),
}

/// Rows that Django's connection gives, by statement.
pub(crate) struct GivenRows {
    fetched: HashMap<u64, Fetched>,
    /// The statement at the top, and how many rows of it were written.
    top: Option<u64>,
    written: AtomicUsize,
}

impl GivenRows {
    /// `fetched`: for each statement, in the operation's order, tuples or `(Libpq, result)`, and digits.
    pub(crate) fn new(operation: &Operation, fetched: &Bound<'_, PyList>) -> PyResult<Self> {
        let fetched = fetched.iter().map(|fetched| {
            let (rows, digits): (Bound<'_, PyAny>, Vec<Option<u32>>) = fetched.extract()?;
            Ok(Fetched { rows: Rows::new(&rows)?, digits })
        });
        let fetched = fetched.collect::<PyResult<Vec<_>>>()?;
        let fetched = operation.statement_ids().zip(fetched).collect();
        Ok(Self { fetched, top: operation.statement_ids().next(), written: AtomicUsize::new(0) })
    }

    /// How many rows of the first statement were written.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}

impl Rows {
    fn new(rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !rows.is_exact_instance_of::<PyTuple>() {
            return Ok(Self::Tuples(rows.try_iter()?.unbind()));
        }
        let (functions, result): (Bound<'_, Libpq>, Bound<'_, PyAny>) = rows.extract()?;
        Ok(Self::Result(functions.get().read(&result)?))
    }
}

impl Backend for GivenRows {
    type Session<'a> = &'a Self;

    async fn session(&self) -> Result<&Self, Error> {
        Ok(self)
    }
}

impl Session for &GivenRows {
    async fn fetch(
        &self,
        statement: &Statement,
        _values: Cow<'_, [Value]>,
        mut writer: RowWriter,
    ) -> Result<RowWriter, Error> {
        let Some(Fetched { rows, digits }) = self.fetched.get(&statement.id()) else { return Ok(writer) };
        let mut count = 0;
        let writer = Python::attach(|py| {
            match rows {
                Rows::Tuples(rows) => {
                    for row in rows.bind(py).clone() {
                        let row = row.map_err(|error| Error::Broken(error.to_string()))?;
                        let row = row.cast_into_exact().map_err(|_| unknown(0))?;
                        write(&mut writer, digits, Tuple { row })?;
                        count += 1;
                    }
                }
                Rows::Result(result) => {
                    for row in result.rows(py) {
                        write(&mut writer, digits, row)?;
                        count += 1;
                    }
                }
            }
            Ok(writer)
        });
        if self.top == Some(statement.id()) {
            self.written.store(count, Ordering::Relaxed);
        }
        writer
    }
}

fn write(writer: &mut RowWriter, digits: &[Option<u32>], cells: impl Cells) -> Result<(), Error> {
    writer.row(|kinds, clock| GivenRow { cells, columns: Columns { kinds, digits }, clock })
}

/// A row of `sqlite3`'s, whose text is a `str`, or a `bytearray` to be told from a blob.
struct Tuple<'py> {
    row: Bound<'py, PyTuple>,
}

impl Cells for Tuple<'_> {
    fn cell<R>(&self, column: usize, read: impl FnOnce(Given<'_>) -> R) -> Result<R, Error> {
        let cell = self.row.get_borrowed_item(column).map_err(|_| unknown(column))?;
        if let Ok(text) = cell.cast_exact::<PyByteArray>() {
            // SAFETY: the interpreter is held while `read` runs no Python, so nobody changes the array meanwhile.
            return Ok(read(Given::Text(unsafe { text.as_bytes() })));
        }
        if let Ok(text) = cell.cast_exact::<PyString>() {
            return Ok(read(Given::Text(text.to_str().map_err(|_| unknown(column))?.as_bytes())));
        }
        Ok(read(if let Ok(integer) = cell.cast_exact::<PyInt>() {
            Given::Integer(integer.extract().map_err(|_| unknown(column))?)
        } else if let Ok(real) = cell.cast_exact::<PyFloat>() {
            Given::Real(real.value())
        } else if cell.is_none() {
            Given::Null
        } else {
            return Err(unknown(column));
        }))
    }
}

#[cold]
fn unknown(column: usize) -> Error {
    Error::Column(column, "the driver gave what no driver is known to give".to_owned())
}

//! Django's own connection as a database: Python runs the statements, Rust writes the rows.

use std::borrow::Cow;
use std::collections::HashMap;

use plectrum_db::error::Error;
use plectrum_db::key::Key;
use plectrum_db::plan::Kind;
use plectrum_db::value::Value;
use plectrum_db::zone::Clock;
use plectrum_db::{Backend, Operation, Row, RowWriter, Session, Statement};
use plectrum_json::{base64, text};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime, PyInt, PyList, PyString, PyTuple};

use crate::encode::{encode, instant_of, out_of_range};

/// Rows that Django's connection has given already, by statement.
pub(crate) struct DjangoRows {
    rows: HashMap<u64, Py<PyList>>,
}

impl DjangoRows {
    /// `rows`: a list of tuples for each statement, in the operation's order.
    pub(crate) fn new(operation: &Operation, rows: Py<PyList>) -> Result<Self, Error> {
        Python::attach(|py| {
            let lists = rows.bind(py).iter().map(|list| list.cast_into::<PyList>().map(Bound::unbind));
            let lists = lists
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| Error::Column(0, "rows are not a list".to_owned()))?;
            Ok(Self { rows: operation.statement_ids().zip(lists).collect() })
        })
    }
}

impl Backend for DjangoRows {
    type Session<'a> = &'a Self;

    async fn session(&self) -> Result<&Self, Error> {
        Ok(self)
    }
}

impl Session for &DjangoRows {
    async fn fetch(
        &self,
        statement: &Statement,
        _values: Cow<'_, [Value]>,
        mut writer: RowWriter,
    ) -> Result<RowWriter, Error> {
        Python::attach(|py| {
            let rows = self.rows.get(&statement.id()).map(|rows| rows.bind(py));
            for row in rows.into_iter().flat_map(|rows| rows.iter()) {
                let row = row
                    .cast_into::<PyTuple>()
                    .map_err(|_| Error::Column(0, "a row is not a tuple".to_owned()))?;
                writer.row(|kinds, clock| Tuple { row, kinds, clock })?;
            }
            Ok(writer)
        })
    }
}

/// A row as Django's converters left it.
struct Tuple<'py, 'a> {
    row: Bound<'py, PyTuple>,
    kinds: &'a [Kind],
    clock: &'a Clock,
}

impl<'py> Tuple<'py, '_> {
    fn cell(&self, column: usize) -> Result<Bound<'py, PyAny>, Error> {
        self.row.get_item(column).map_err(|error| failed(column, &error))
    }
}

fn failed(column: usize, error: &PyErr) -> Error {
    Error::Column(column, error.to_string())
}

impl Row for Tuple<'_, '_> {
    fn is_null(&self, column: usize) -> bool {
        self.cell(column).is_ok_and(|cell| cell.is_none())
    }

    fn write(&self, column: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let cell = self.cell(column)?;
        let kind = self.kinds.get(column).unwrap_or(&Kind::Json);
        write_cell(&cell, kind, self.clock, out).map_err(|error| failed(column, &error))
    }

    fn key(&self, column: usize) -> Result<Option<Key>, Error> {
        let cell = self.cell(column)?;
        if cell.is_none() {
            return Ok(None);
        }
        if let Some(int) = cell.cast::<PyInt>().ok().and_then(|int| int.extract::<i64>().ok()) {
            return Ok(Some(Key::Int(int)));
        }
        let text = cell.str().map_err(|error| failed(column, &error))?;
        Ok(Some(Key::Text(text.to_string().into())))
    }
}

fn write_cell(cell: &Bound<'_, PyAny>, kind: &Kind, clock: &Clock, out: &mut Vec<u8>) -> PyResult<()> {
    if cell.is_none() {
        plectrum_json::write_null(out);
        return Ok(());
    }
    match kind {
        // JSON columns, and those that Python renders itself, arrive as JSON text.
        Kind::Json => out.extend_from_slice(cell.cast::<PyString>()?.to_str()?.as_bytes()),
        Kind::Array { item } => {
            return write_items(&cell.try_iter()?.collect::<PyResult<Vec<_>>>()?, item, clock, out);
        }
        Kind::Datetime { aware: true } => match cell.cast::<PyDateTime>() {
            Ok(moment) => match instant_of(moment)? {
                Some(instant) => clock.write_instant(out, instant).map_err(|_| out_of_range())?,
                None => return encode(cell, out),
            },
            Err(_) => return encode(cell, out),
        },
        Kind::Decimal { string: false, .. } => {
            out.extend_from_slice(
                cell.call_method1("__format__", ("f",))?.cast::<PyString>()?.to_str()?.as_bytes(),
            );
        }
        Kind::Decimal { string: true, .. } if !cell.is_instance_of::<PyString>() => {
            text::write(out, cell.call_method1("__format__", ("f",))?.cast::<PyString>()?.to_str()?);
        }
        Kind::Bytes => {
            base64::write(out, cell.py().get_type::<PyBytes>().call1((cell,))?.cast::<PyBytes>()?.as_bytes())
        }
        Kind::Enum { values } => plectrum_db::write_choice(values, cell.str()?.to_str()?, out)
            .map_err(pyo3::exceptions::PyValueError::new_err)?,
        Kind::File { base } => {
            let name = cell.str()?;
            plectrum_db::wire::write_file_url(base, name.to_str()?, out);
        }
        Kind::Ip | Kind::Text | Kind::Digits | Kind::Range { .. } => text::write(out, cell.str()?.to_str()?),
        _ => return encode(cell, out),
    }
    Ok(())
}

/// An array of arrays, of any depth, down to items of one kind.
fn write_items(items: &[Bound<'_, PyAny>], kind: &Kind, clock: &Clock, out: &mut Vec<u8>) -> PyResult<()> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match item.cast::<PyList>() {
            Ok(inner) => write_items(&inner.iter().collect::<Vec<_>>(), kind, clock, out)?,
            Err(_) => write_cell(item, kind, clock, out)?,
        }
    }
    out.push(b']');
    Ok(())
}

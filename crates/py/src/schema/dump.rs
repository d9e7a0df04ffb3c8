//! Values of a compiled type → JSON bytes.

use pyo3::exceptions::{PyKeyError, PyRecursionError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use std::cell::Cell;

use super::shape::{Record, Shape, Shapes, Slot};
use crate::encode;

/// A buffer is kept for the next document unless it has grown past this.
const KEPT_BYTES: usize = 1 << 20;

thread_local! {
    /// What the last document was written into. Growing and fresh memory cost more than writing does.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Nesting past this is refused: it is a cycle or an attack.
const MAX_DEPTH: usize = 200;

/// One document being written.
pub(super) struct Dump<'a, 'py> {
    py: Python<'py>,
    shapes: &'a Shapes,
    out: Vec<u8>,
    depth: usize,
}

impl<'a, 'py> Dump<'a, 'py> {
    pub(super) fn new(py: Python<'py>, shapes: &'a Shapes) -> Self {
        Self { py, shapes, out: BUFFER.take(), depth: 0 }
    }

    /// What was written.
    pub(super) fn finish(mut self) -> Bound<'py, PyBytes> {
        let bytes = PyBytes::new(self.py, &self.out);
        if self.out.capacity() <= KEPT_BYTES {
            self.out.clear();
            BUFFER.set(self.out);
        }
        bytes
    }

    /// One value of the type.
    pub(super) fn root(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let shapes = self.shapes;
        self.write(&shapes.root, value)
    }

    /// An array of values of the type.
    pub(super) fn many(&mut self, values: &Bound<'py, PyAny>) -> PyResult<()> {
        let shapes = self.shapes;
        self.items(&shapes.root, values)
    }

    /// An array of records whose fields stand in `rows` by position.
    pub(super) fn rows(&mut self, rows: &Bound<'py, PyAny>, columns: &Bound<'py, PyTuple>) -> PyResult<()> {
        let (record, slots) = self.columns(columns)?;
        let start = self.out.len();
        for row in rows.try_iter()? {
            let row = row?;
            self.out.push(b',');
            let first = self.out.len();
            for (slot, value) in slots.iter().zip(row.try_iter()?) {
                self.slot(record, slot, &value?)?;
            }
            self.enclose(first, *b"{}");
        }
        self.enclose(start, *b"[]");
        Ok(())
    }

    /// The root's fields that `columns` names, in that order.
    fn columns(&self, columns: &Bound<'py, PyTuple>) -> PyResult<(&'a Record, Vec<&'a Slot>)> {
        let shapes = self.shapes;
        let record = match shapes.resolve(&shapes.root) {
            Shape::Record(record) => record,
            _ => return Err(PyValueError::new_err("Rows are written as objects; the schema is no object.")),
        };
        let find = |column: Bound<'py, PyAny>| {
            let found = record
                .slots
                .iter()
                .find(|slot| slot.name.bind(self.py).as_any().eq(&column).unwrap_or(false));
            found.ok_or_else(|| PyKeyError::new_err(column.unbind()))
        };
        Ok((record, columns.iter().map(find).collect::<PyResult<_>>()?))
    }

    fn write(&mut self, shape: &'a Shape, value: &Bound<'py, PyAny>) -> PyResult<()> {
        match shape {
            Shape::Scalar(guess) => guess.encode(value, &mut self.out),
            Shape::Plain => encode::encode(value, &mut self.out),
            Shape::Optional(_) if value.is_none() => {
                plectrum_json::write_null(&mut self.out);
                Ok(())
            }
            Shape::Optional(inner) => self.write(inner, value),
            // What is no list says by its class what it is.
            Shape::List(item)
                if matches!(**item, Shape::Scalar(_)) && !value.is_exact_instance_of::<PyList>() =>
            {
                encode::encode(value, &mut self.out)
            }
            Shape::List(item) => self.nested(|dump| dump.items(item, value)),
            Shape::Dict(inner) => self.nested(|dump| dump.dict(inner, value)),
            Shape::Record(record) => self.nested(|dump| dump.record(record, value)),
            Shape::Reference(_) => {
                let shapes = self.shapes;
                match shapes.resolve(shape) {
                    Shape::Reference(_) => encode::encode(value, &mut self.out),
                    shape => self.write(shape, value),
                }
            }
        }
    }

    fn nested(&mut self, write: impl FnOnce(&mut Self) -> PyResult<()>) -> PyResult<()> {
        if self.depth == MAX_DEPTH {
            return Err(PyRecursionError::new_err(format!(
                "The value is nested deeper than {MAX_DEPTH} levels; JSON cannot express a cycle."
            )));
        }
        self.depth += 1;
        write(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn items(&mut self, item: &'a Shape, values: &Bound<'py, PyAny>) -> PyResult<()> {
        let start = self.out.len();
        if let Ok(list) = values.cast_exact::<PyList>() {
            for value in list.iter() {
                self.out.push(b',');
                self.write(item, &value)?;
            }
        } else {
            for value in rows_of(values)?.try_iter()? {
                self.out.push(b',');
                self.write(item, &value?)?;
            }
        }
        self.enclose(start, *b"[]");
        Ok(())
    }

    fn dict(&mut self, inner: &'a Shape, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let Ok(dict) = value.cast::<PyDict>() else { return encode::encode(value, &mut self.out) };
        let start = self.out.len();
        for (key, value) in dict.iter() {
            self.out.push(b',');
            encode::encode_key(&key, &mut self.out)?;
            self.out.push(b':');
            self.write(inner, &value)?;
        }
        self.enclose(start, *b"{}");
        Ok(())
    }

    fn record(&mut self, record: &'a Record, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let start = self.out.len();
        if let Some(values) = record.members.as_ref().and_then(|members| members.values(value)) {
            for (slot, found) in record.slots.iter().zip(values.each()) {
                match found {
                    Some(found) => self.slot(record, slot, &found)?,
                    None => self.attribute(record, slot, value)?,
                }
            }
        } else if let Ok(dict) = value.cast::<PyDict>() {
            for slot in &record.slots {
                match dict.get_item(slot.name.bind(self.py))? {
                    Some(value) => self.slot(record, slot, &value)?,
                    None if slot.optional => {}
                    None => return Err(PyKeyError::new_err(slot.name.clone_ref(self.py))),
                }
            }
        } else {
            for slot in &record.slots {
                self.attribute(record, slot, value)?;
            }
        }
        self.enclose(start, *b"{}");
        Ok(())
    }

    fn attribute(&mut self, record: &'a Record, slot: &'a Slot, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let found = value.getattr(slot.name.bind(self.py))?;
        self.slot(record, slot, &found)
    }

    /// `,"key":value` unless there is no value.
    #[inline(always)]
    fn slot(&mut self, record: &'a Record, slot: &'a Slot, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if value.is(&record.unset) {
            return Ok(());
        }
        plectrum_json::append(&mut self.out, &slot.key);
        match (&slot.output, &slot.shape) {
            (None, Shape::Scalar(guess)) => guess.encode(value, &mut self.out),
            (None, shape) => self.write(shape, value),
            (Some(output), _) => encode::encode(&output.bind(self.py).call1((value,))?, &mut self.out),
        }
    }

    /// Brackets around what stands from `start` on: the first in place of its leading comma.
    #[inline]
    fn enclose(&mut self, start: usize, [open, close]: [u8; 2]) {
        match self.out.get_mut(start) {
            Some(comma) => *comma = open,
            None => self.out.push(open),
        }
        self.out.push(close);
    }
}

impl Shapes {
    /// What a reference leads to. Compilation made sure that references end.
    fn resolve<'s>(&'s self, shape: &'s Shape) -> &'s Shape {
        let mut shape = shape;
        for _ in 0..=self.definitions.len() {
            match shape {
                Shape::Reference(index) => match self.definitions.get(*index) {
                    Some(definition) => shape = definition,
                    None => break,
                },
                _ => break,
            }
        }
        shape
    }
}

/// What a Django manager stands for; anything else as it is.
fn rows_of<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match values.getattr_opt(intern!(values.py(), "all"))? {
        Some(all) if all.is_callable() => all.call0(),
        _ => Ok(values.clone()),
    }
}

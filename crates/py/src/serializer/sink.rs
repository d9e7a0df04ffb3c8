//! Where representations go: Python objects as `.data` holds them, or their JSON text.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::dump::Dump;
use super::step::Step;

/// Room for a few records, so that a short answer is allocated once.
const FIRST_BYTES: usize = 4096;

/// Takes values in the order of the document.
pub(super) trait Sink<'py> {
    /// What is left to hold of a value that was written.
    type Value;
    /// A record being written.
    type Record;
    /// A list being written.
    type List;

    /// A Python object as it is.
    fn object(&mut self, value: Bound<'py, PyAny>) -> PyResult<Self::Value>;
    /// ASCII text without anything to escape; `None` where `write` cannot write it.
    fn text(
        &mut self,
        py: Python<'py>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<Self::Value>;

    /// `empty` has every key already, so that the dict is as large as it will be.
    fn begin_record(&mut self, empty: &Bound<'py, PyDict>) -> PyResult<Self::Record>;
    /// Before a field's value; the mark is for [`Self::skip`].
    fn key(&mut self, step: &Step) -> usize;
    fn set(&mut self, record: &mut Self::Record, step: &Step, value: Self::Value) -> PyResult<()>;
    /// The field has no value after all.
    fn skip(&mut self, record: &Self::Record, step: &Step, mark: usize) -> PyResult<()>;
    fn end_record(&mut self, record: Self::Record) -> Self::Value;

    fn begin_list(&mut self, py: Python<'py>) -> Self::List;
    fn push(&mut self, list: &mut Self::List, value: Self::Value) -> PyResult<()>;
    fn end_list(&mut self, list: Self::List) -> Self::Value;
}

/// Python objects.
#[derive(Default)]
pub(super) struct Objects {
    scratch: Vec<u8>,
}

impl<'py> Sink<'py> for Objects {
    type Value = Bound<'py, PyAny>;
    type Record = Bound<'py, PyDict>;
    type List = Bound<'py, PyList>;

    fn object(&mut self, value: Bound<'py, PyAny>) -> PyResult<Self::Value> {
        Ok(value)
    }

    fn text(
        &mut self,
        py: Python<'py>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<Self::Value> {
        self.scratch.clear();
        write(&mut self.scratch)?;
        let text = std::str::from_utf8(&self.scratch).ok()?;
        Some(PyString::new(py, text).into_any())
    }

    fn begin_record(&mut self, empty: &Bound<'py, PyDict>) -> PyResult<Self::Record> {
        empty.copy()
    }

    fn key(&mut self, _step: &Step) -> usize {
        0
    }

    fn set(&mut self, record: &mut Self::Record, step: &Step, value: Self::Value) -> PyResult<()> {
        record.set_item(&step.name, value)
    }

    fn skip(&mut self, record: &Self::Record, step: &Step, _mark: usize) -> PyResult<()> {
        record.del_item(&step.name)
    }

    fn end_record(&mut self, record: Self::Record) -> Self::Value {
        record.into_any()
    }

    fn begin_list(&mut self, py: Python<'py>) -> Self::List {
        PyList::empty(py)
    }

    fn push(&mut self, list: &mut Self::List, value: Self::Value) -> PyResult<()> {
        list.append(value)
    }

    fn end_list(&mut self, list: Self::List) -> Self::Value {
        list.into_any()
    }
}

/// JSON text. Every value ends with a comma; what closes a record or a list takes the last one away.
pub(super) struct Json<'a, 'py> {
    dump: Dump<'a, 'py>,
    out: Vec<u8>,
}

impl<'a, 'py> Json<'a, 'py> {
    pub(super) fn new(dump: Dump<'a, 'py>) -> Self {
        Self { dump, out: Vec::with_capacity(FIRST_BYTES) }
    }

    /// The text of the one value written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    fn close(&mut self, bracket: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = bracket,
            _ => self.out.push(bracket),
        }
    }
}

impl<'py> Sink<'py> for Json<'_, 'py> {
    type Value = ();
    type Record = ();
    type List = ();

    fn object(&mut self, value: Bound<'py, PyAny>) -> PyResult<()> {
        self.dump.write(&value, &mut self.out)
    }

    fn text(&mut self, _py: Python<'py>, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
        let start = self.out.len();
        self.out.push(b'"');
        if write(&mut self.out).is_none() {
            self.out.truncate(start);
            return None;
        }
        self.out.push(b'"');
        Some(())
    }

    fn begin_record(&mut self, _empty: &Bound<'py, PyDict>) -> PyResult<()> {
        self.out.push(b'{');
        Ok(())
    }

    fn key(&mut self, step: &Step) -> usize {
        let mark = self.out.len();
        plectrum_json::append(&mut self.out, &step.key);
        mark
    }

    fn set(&mut self, (): &mut (), _step: &Step, (): ()) -> PyResult<()> {
        self.out.push(b',');
        Ok(())
    }

    fn skip(&mut self, (): &(), _step: &Step, mark: usize) -> PyResult<()> {
        self.out.truncate(mark);
        Ok(())
    }

    fn end_record(&mut self, (): ()) {
        self.close(b'}');
    }

    fn begin_list(&mut self, _py: Python<'py>) {
        self.out.push(b'[');
    }

    fn push(&mut self, (): &mut (), (): ()) -> PyResult<()> {
        self.out.push(b',');
        Ok(())
    }

    fn end_list(&mut self, (): ()) {
        self.close(b']');
    }
}

//! Values inside of a result of libpq's (`PGresult`), the one that psycopg itself has loaded.

use std::ffi::{c_char, c_int, c_void};

use plectrum_db::error::Error;
use plectrum_db::given::{Cells, Given};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

type CountRows = unsafe extern "C" fn(*const c_void) -> c_int;
type Measure = unsafe extern "C" fn(*const c_void, c_int, c_int) -> c_int;
type Value = unsafe extern "C" fn(*const c_void, c_int, c_int) -> *const c_char;

/// Functions of psycopg's libpq.
///
/// Source: <https://www.postgresql.org/docs/current/libpq-exec.html#LIBPQ-EXEC-SELECT-INFO>
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Libpq {
    functions: Functions,
}

#[derive(Clone, Copy)]
struct Functions {
    count_rows: CountRows,
    count_columns: CountRows,
    is_null: Measure,
    length: Measure,
    value: Value,
}

#[pymethods]
impl Libpq {
    /// From the addresses of `PQntuples`, `PQnfields`, `PQgetisnull`, `PQgetlength` and `PQgetvalue`, which must be
    /// those of the library that makes the results.
    #[new]
    fn new(addresses: [usize; 5]) -> PyResult<Self> {
        if addresses.contains(&0) {
            return Err(PyValueError::new_err("a function of libpq is nowhere"));
        }
        let [count_rows, count_columns, is_null, length, value] =
            addresses.map(|address| address as *const ());
        // SAFETY: `plectrum.drf.drivers`, the one caller, looks these functions up by name in psycopg's own library,
        // which is never unloaded; their signatures are libpq's documented ones.
        let functions = unsafe {
            Functions {
                count_rows: std::mem::transmute::<*const (), CountRows>(count_rows),
                count_columns: std::mem::transmute::<*const (), CountRows>(count_columns),
                is_null: std::mem::transmute::<*const (), Measure>(is_null),
                length: std::mem::transmute::<*const (), Measure>(length),
                value: std::mem::transmute::<*const (), Value>(value),
            }
        };
        Ok(Self { functions })
    }
}

impl Libpq {
    /// Reads a `psycopg.pq.PGresult`.
    pub(super) fn read(&self, result: &Bound<'_, PyAny>) -> PyResult<Result> {
        let pointer: Option<usize> = result.getattr(intern!(result.py(), "pgresult_ptr"))?.extract()?;
        let pointer = pointer.filter(|pointer| *pointer != 0);
        let pointer = pointer.ok_or_else(|| PyValueError::new_err("the result was cleared"))?;
        Ok(Result { pointer, functions: self.functions, _owner: result.clone().unbind() })
    }
}

/// A result, kept alive by psycopg's object.
pub(super) struct Result {
    pointer: usize,
    functions: Functions,
    /// Whoever clears it must hold the interpreter, and does not while rows are read.
    _owner: Py<PyAny>,
}

impl Result {
    /// Its rows.
    pub(super) fn rows<'py>(&self, py: Python<'py>) -> impl Iterator<Item = Row<'_, 'py>> {
        let pointer = self.pointer as *const c_void;
        // SAFETY: psycopg's object owns the result and is owned by `self`; results do not change once they are made.
        let (rows, columns) =
            unsafe { ((self.functions.count_rows)(pointer), (self.functions.count_columns)(pointer)) };
        (0..rows).map(move |row| Row { result: self, row, columns, _py: py })
    }
}

/// A row, read while the interpreter is held: psycopg may clear a result only from Python.
pub(super) struct Row<'a, 'py> {
    result: &'a Result,
    row: c_int,
    columns: c_int,
    _py: Python<'py>,
}

impl Cells for Row<'_, '_> {
    fn cell<R>(&self, column: usize, read: impl FnOnce(Given<'_>) -> R) -> std::result::Result<R, Error> {
        let column = c_int::try_from(column).ok().filter(|column| *column < self.columns);
        let column = column.ok_or_else(|| super::unknown(0))?;
        let (pointer, functions) = (self.result.pointer as *const c_void, self.result.functions);
        // SAFETY: as in `Result::rows`; row and column are within the result. `PQgetvalue` points at `PQgetlength` bytes
        // that live as long as the result, which outlives `read`.
        let value = unsafe {
            let length = (functions.length)(pointer, self.row, column);
            if length == 0 && (functions.is_null)(pointer, self.row, column) != 0 {
                return Ok(read(Given::Null));
            }
            let start = (functions.value)(pointer, self.row, column).cast::<u8>();
            let length = usize::try_from(length).map_err(|_| super::unknown(0))?;
            std::slice::from_raw_parts(start, length)
        };
        Ok(read(Given::Printed(value)))
    }
}

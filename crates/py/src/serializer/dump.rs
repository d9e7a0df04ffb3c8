//! Any value of `.data` as JSON: `json.dumps` of the standard library with DRF's compact separators, then U+2028 and
//! U+2029 escaped. What the standard encoder does not know goes to the encoder class's own `default`.

use plectrum_json::{number, text, write_bool, write_null};
use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Nesting past this is left to Python, which tells a cycle from a deep value.
const MAX_DEPTH: usize = 200;

/// How values are dumped.
pub(super) struct Dump<'a, 'py> {
    default: &'a Bound<'py, PyAny>,
    allow_nan: bool,
}

impl<'a, 'py> Dump<'a, 'py> {
    /// Parameters are those of `json.dumps`.
    pub(super) fn new(default: &'a Bound<'py, PyAny>, allow_nan: bool) -> Self {
        Self { default, allow_nan }
    }

    /// Appends `value`.
    ///
    /// # Errors
    /// Where Python's encoder would fail, though not in its words; and past 200 levels. `out` is of no use then.
    pub(super) fn write(&self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        self.write_at(value, out, 0)
    }

    fn write_at(&self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
        if let Ok(string) = value.cast_exact::<PyString>() {
            text::write(out, string.to_str()?);
        } else if let Ok(int) = value.cast_exact::<PyInt>() {
            return write_int(int, out);
        } else if value.is_none() {
            write_null(out);
        } else if let Ok(bool) = value.cast_exact::<PyBool>() {
            write_bool(out, bool.is_true());
        } else if let Ok(float) = value.cast::<PyFloat>() {
            return self.write_float(float.value(), out);
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.write_members(dict.iter().map(Ok), out, deeper(depth)?);
        } else if let Ok(list) = value.cast::<PyList>() {
            return self.write_items(list.iter(), out, deeper(depth)?);
        } else {
            return self.write_unusual(value, out, deeper(depth)?);
        }
        Ok(())
    }

    /// Subclasses of the built-in types, by the type; the rest by the encoder's `default`.
    fn write_unusual(&self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
        if let Ok(string) = value.cast::<PyString>() {
            text::write(out, string.to_str()?);
            Ok(())
        } else if let Ok(int) = value.cast::<PyInt>() {
            write_int(int, out)
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.write_items(tuple.iter(), out, depth)
        } else if value.is_instance_of::<PyDict>() {
            // A subclass has an order of its own.
            let items = value.call_method0("items")?;
            self.write_members(items.try_iter()?.map(|item| item?.extract()), out, depth)
        } else {
            self.write_at(&self.default.call1((value,))?, out, depth)
        }
    }

    fn write_items(
        &self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> PyResult<()> {
        out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.write_at(&item, out, depth)?;
        }
        out.push(b']');
        Ok(())
    }

    fn write_members(
        &self,
        members: impl Iterator<Item = PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)>>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> PyResult<()> {
        out.push(b'{');
        for (index, member) in members.enumerate() {
            let (key, value) = member?;
            if index > 0 {
                out.push(b',');
            }
            self.write_key(&key, out)?;
            out.push(b':');
            self.write_at(&value, out, depth)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// Numbers, booleans and `None` are their own JSON in quotes.
    fn write_key(&self, key: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        if let Ok(string) = key.cast::<PyString>() {
            text::write(out, string.to_str()?);
            return Ok(());
        }
        if !(key.is_none() || key.is_instance_of::<PyInt>() || key.is_instance_of::<PyFloat>()) {
            return Err(PyTypeError::new_err("keys must be str, int, float, bool or None"));
        }
        out.push(b'"');
        self.write_at(key, out, 0)?;
        out.push(b'"');
        Ok(())
    }

    fn write_float(&self, value: f64, out: &mut Vec<u8>) -> PyResult<()> {
        if value.is_finite() {
            return number::write_f64(out, value).map_err(|error| PyValueError::new_err(error.to_string()));
        }
        if !self.allow_nan {
            return Err(PyValueError::new_err("Out of range float values are not JSON compliant"));
        }
        out.extend_from_slice(match value {
            f64::INFINITY => b"Infinity",
            f64::NEG_INFINITY => b"-Infinity",
            _ => b"NaN",
        });
        Ok(())
    }
}

fn deeper(depth: usize) -> PyResult<usize> {
    if depth == MAX_DEPTH {
        return Err(PyRecursionError::new_err("nested deeper than 200 levels"));
    }
    Ok(depth + 1)
}

fn write_int(int: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match int.extract::<i64>() {
        Ok(small) => number::write_i64(out, small),
        // An enum's `repr` names the member.
        Err(_) => out.extend_from_slice(
            int.py().get_type::<PyInt>().call_method1("__repr__", (int,))?.str()?.to_str()?.as_bytes(),
        ),
    }
    Ok(())
}

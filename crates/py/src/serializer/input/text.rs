//! Questions to a string in the width it is stored in, so that no UTF-8 copy is made of it.

use plectrum_schema::plain;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::types::string::PyStringData;

/// What a `CharField` wants to know.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    /// White space before the text or after it.
    pub(super) untidy: bool,
    pub(super) empty: bool,
}

/// Looks at both ends.
pub(super) fn edges(text: &Bound<'_, PyString>) -> PyResult<Edges> {
    fn of<T: Copy + Into<u32>>(units: &[T]) -> Edges {
        let is_space = |unit: Option<&T>| unit.is_some_and(|unit| plain::is_python_space((*unit).into()));
        Edges { untidy: is_space(units.first()) || is_space(units.last()), empty: units.is_empty() }
    }
    with_units(text, of, of, of)
}

/// Whether there is no NUL and no surrogate, which DRF prohibits.
pub(super) fn is_clean(text: &Bound<'_, PyString>) -> PyResult<bool> {
    // Without a way out early, so that the compiler compares many units at once.
    fn is_wide_clean<T: Copy + Into<u32>>(units: &[T]) -> bool {
        !units.iter().fold(false, |found, unit| {
            let unit: u32 = (*unit).into();
            found | (unit == 0) | (unit & 0xFFFF_F800 == 0xD800)
        })
    }
    with_units(text, |units| !units.contains(&0), is_wide_clean, is_wide_clean)
}

/// ASCII text as Rust has it, without a copy; `None` for any other.
pub(super) fn ascii<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    // SAFETY: `text` is a string and alive. Compact ASCII is what UTF-8 would be: `to_str` copies nothing then.
    let is_ascii = unsafe { ffi::PyUnicode_IS_COMPACT_ASCII(text.as_ptr()) } != 0;
    if is_ascii { text.to_str().ok() } else { None }
}

fn with_units<R>(
    text: &Bound<'_, PyString>,
    narrow: impl FnOnce(&[u8]) -> R,
    medium: impl FnOnce(&[u16]) -> R,
    wide: impl FnOnce(&[u32]) -> R,
) -> PyResult<R> {
    // SAFETY: strings are immutable and `text` is alive; the units are looked at here and nowhere else.
    Ok(match unsafe { text.data() }? {
        PyStringData::Ucs1(units) => narrow(units),
        PyStringData::Ucs2(units) => medium(units),
        PyStringData::Ucs4(units) => wide(units),
    })
}

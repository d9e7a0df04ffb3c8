//! Objects from their parts, by the shortest way CPython has.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyDict, PyString, PyTuple, PyType, PyTzInfo};

use super::class::Default;
use crate::members::{Members, bare};

/// Text; ASCII, as most is, is copied as it stands.
#[inline]
pub(super) fn text<'py>(py: Python<'py>, value: &str) -> Bound<'py, PyAny> {
    // Shorter texts are objects that exist already.
    if value.len() < 2 || !value.is_ascii() {
        return PyString::new(py, value).into_any();
    }
    let length = value.len().cast_signed();
    // SAFETY: the new object has room for `length` bytes of ASCII, all of which are written before anyone sees it.
    unsafe {
        let text = ffi::PyUnicode_New(length, 0x7F);
        if text.is_null() {
            return PyString::new(py, value).into_any(); // out of memory: fails as all text does
        }
        ffi::PyUnicode_1BYTE_DATA(text).copy_from_nonoverlapping(value.as_ptr(), value.len());
        Bound::from_owned_ptr(py, text)
    }
}

/// `datetime.timezone` for an offset.
pub(super) fn zone(py: Python<'_>, seconds: i32) -> PyResult<Bound<'_, PyTzInfo>> {
    if seconds == 0 {
        return PyTzInfo::utc(py).map(|utc| utc.to_owned());
    }
    PyTzInfo::fixed_offset(py, PyDelta::new(py, 0, seconds, 0, true)?)
}

/// `target(**{name: slot})` for the slots that are present.
pub(super) fn call<'py>(
    target: &Bound<'py, PyAny>,
    names: &Bound<'py, PyTuple>,
    slots: &[Option<Bound<'py, PyAny>>],
) -> PyResult<Bound<'py, PyAny>> {
    let arguments: Vec<*mut ffi::PyObject> = slots.iter().flatten().map(Bound::as_ptr).collect();
    let present = if arguments.len() == slots.len() {
        names.clone()
    } else {
        let present = slots.iter().zip(names.iter()).filter(|(slot, _)| slot.is_some());
        PyTuple::new(target.py(), present.map(|(_, name)| name).collect::<Vec<_>>())?
    };
    vectorcall(target, &arguments, 0, Some(&present))
}

/// Calls `target` with `arguments`, of which the first `positional` are positional and the rest named by `keywords`.
pub(crate) fn vectorcall<'py>(
    target: &Bound<'py, PyAny>,
    arguments: &[*mut ffi::PyObject],
    positional: usize,
    keywords: Option<&Bound<'py, PyTuple>>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = keywords.map_or(std::ptr::null_mut(), |names| names.as_ptr());
    // SAFETY: the caller holds references to every argument for the duration of the call; their number is
    // `positional` plus the length of `names`; the result is a new reference or null with an exception set.
    unsafe {
        let result = ffi::PyObject_Vectorcall(target.as_ptr(), arguments.as_ptr(), positional, names);
        Bound::from_owned_ptr_or_err(target.py(), result)
    }
}

pub(super) fn record<'py>(
    target: &Bound<'py, PyType>,
    fields: &[(Py<PyString>, Option<Default>)],
    members: Option<&Members>,
    slots: &mut [Option<Bound<'py, PyAny>>],
) -> PyResult<Bound<'py, PyAny>> {
    let py = target.py();
    let instance = bare(target)?;
    for (index, ((name, default), slot)) in fields.iter().zip(slots).enumerate() {
        let value = match (slot.take(), default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.get(py)?,
            (None, None) => continue,
        };
        match members {
            Some(members) => members.set_new(&instance, index, value),
            None => instance.setattr(name.bind(py), value)?,
        }
    }
    Ok(instance)
}

pub(super) fn dict<'py>(
    py: Python<'py>,
    fields: &[(Py<PyString>, Option<Default>)],
    slots: &mut [Option<Bound<'py, PyAny>>],
) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for ((name, default), slot) in fields.iter().zip(slots) {
        match (slot.take(), default) {
            (Some(value), _) => dict.set_item(name, value)?,
            (None, Some(default)) => dict.set_item(name, default.get(py)?)?,
            (None, None) => {}
        }
    }
    Ok(dict.into_any())
}

//! `contextvars.Context` by the C API: entering one costs nothing, and whether it was written to can be seen.

use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;

/// A copy of the calling thread's current context.
pub(super) fn copy_current(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: returns a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }
}

/// A copy of `context`, sharing its variables until either is written to.
pub(super) fn copy<'py>(context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: `context` is alive; returns a new reference, or null with an exception set (when it is not a Context).
    unsafe { Bound::from_owned_ptr_or_err(context.py(), ffi::PyContext_Copy(context.as_ptr())) }
}

/// The context that is current while this lives.
pub(crate) struct Entered<'a, 'py>(&'a Bound<'py, PyAny>);

impl<'a, 'py> Entered<'a, 'py> {
    pub(crate) fn new(context: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        // SAFETY: `context` is alive and this thread is attached.
        if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
            return Err(PyErr::fetch(context.py()));
        }
        Ok(Self(context))
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: entered by `new` on this thread, which is attached for `'py`.
        if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } < 0 {
            PyErr::fetch(self.0.py()).write_unraisable(self.0.py(), Some(self.0));
        }
    }
}

/// A number that changes when `object` refers to other objects than before: `gc.get_referents` without the list.
///
/// For a context that nobody has entered this is the identity of its immutable map of variables, which two contexts share
/// only until one of them is written to; for a task it covers name, callbacks, attributes and awaited future.
pub(super) fn referents(object: &Bound<'_, PyAny>) -> u64 {
    unsafe extern "C" fn visit(object: *mut ffi::PyObject, hash: *mut c_void) -> c_int {
        // SAFETY: `hash` is the local below, handed through by `tp_traverse`.
        let hash = unsafe { &mut *hash.cast::<u64>() };
        *hash = (hash.rotate_left(5) ^ object as u64).wrapping_mul(0x517c_c1b7_2722_0a95);
        0
    }
    let mut hash = 0_u64;
    // SAFETY: `object` is alive, so is its type; a traverse function only reads and calls `visit`.
    unsafe {
        if let Some(traverse) = (*ffi::Py_TYPE(object.as_ptr())).tp_traverse {
            traverse(object.as_ptr(), visit, (&raw mut hash).cast());
        }
    }
    hash
}

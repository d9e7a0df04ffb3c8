//! Driving whatever may stand after `await`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{PyStopIteration, PySystemError, PyTypeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

/// What one step of an awaitable came to.
pub(super) enum Sent<'py> {
    Returned(Bound<'py, PyAny>),
    Yielded(Bound<'py, PyAny>),
}

/// What to drive for `awaitable`: a coroutine is driven as it is, anything else (Cython's coroutines, futures, objects with
/// `__await__`) through the iterator that `await` would use.
pub(super) fn iterate<'py>(awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: only the object's type is read.
    unsafe {
        if ffi::PyCoro_CheckExact(awaitable.as_ptr()) != 0 {
            return Ok(awaitable);
        }
        let methods = (*ffi::Py_TYPE(awaitable.as_ptr())).tp_as_async;
        if let Some(get_iterator) = methods.as_ref().and_then(|methods| methods.am_await) {
            return Bound::from_owned_ptr_or_err(awaitable.py(), get_iterator(awaitable.as_ptr()));
        }
    }
    if awaitable.is_instance_of::<pyo3::types::PyIterator>() {
        // A generator decorated with `types.coroutine`.
        return Ok(awaitable);
    }
    Err(PyTypeError::new_err(format!("object of type {} cannot be awaited", awaitable.get_type().name()?)))
}

/// Sends `None`, without an exception object for the return value.
pub(super) fn send<'py>(iterator: &Bound<'py, PyAny>) -> PyResult<Sent<'py>> {
    let py = iterator.py();
    contained(|| {
        let mut value = std::ptr::null_mut();
        // SAFETY: both arguments are alive; on NEXT and RETURN `value` is a new reference, on ERROR an exception is set.
        unsafe {
            match ffi::PyIter_Send(iterator.as_ptr(), ffi::Py_None(), &raw mut value) {
                ffi::PySendResult::PYGEN_RETURN => Ok(Sent::Returned(Bound::from_owned_ptr(py, value))),
                ffi::PySendResult::PYGEN_NEXT => Ok(Sent::Yielded(Bound::from_owned_ptr(py, value))),
                ffi::PySendResult::PYGEN_ERROR => Err(PyErr::fetch(py)),
            }
        }
    })
}

/// Throws `error` in; an iterator that has no `throw` lets it pass, as `yield from` does.
pub(super) fn throw<'py>(iterator: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Sent<'py>> {
    let py = iterator.py();
    let Some(throw) = iterator.getattr_opt(intern!(py, "throw"))? else {
        return Err(error);
    };
    match contained(|| throw.call1((error.into_value(py),))) {
        Ok(value) => Ok(Sent::Yielded(value)),
        Err(stop) if stop.is_instance_of::<PyStopIteration>(py) => {
            Ok(Sent::Returned(stop.value(py).getattr(intern!(py, "value"))?))
        }
        Err(error) => Err(error),
    }
}

/// Makes an exception of a panic. `PyErr::fetch` raises panics again that crossed Python; here they are a handler's failure.
fn contained<T>(run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(PySystemError::new_err(format!("native code panicked: {message}")))
    })
}

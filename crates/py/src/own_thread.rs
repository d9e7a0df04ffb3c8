//! A value that belongs to its worker's thread, in a Python object that any thread may hold and drop.

use std::mem::ManuallyDrop;
use std::thread::{self, ThreadId};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Gives its value out on the thread that made it only. Dropped elsewhere the value is leaked: it is shared with what runs
/// there. Unlike [`crate::thread_bound::ThreadBound`], it holds no runtime and may be dropped inside of one.
pub(crate) struct OwnThread<T> {
    owner: ThreadId,
    value: ManuallyDrop<T>,
}

// SAFETY: the value is reached through `get` and dropped through `drop` alone, and both check the thread first.
unsafe impl<T> Send for OwnThread<T> {}
// SAFETY: as above; no other thread ever gets a reference.
unsafe impl<T> Sync for OwnThread<T> {}

impl<T> OwnThread<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { owner: thread::current().id(), value: ManuallyDrop::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    /// `RuntimeError` on another thread than the one that made it.
    pub(crate) fn get(&self) -> PyResult<&T> {
        if thread::current().id() == self.owner {
            return Ok(&self.value);
        }
        Err(PyRuntimeError::new_err(
            "This belongs to its worker's thread. From another thread, call asyncio.run_coroutine_threadsafe().",
        ))
    }
}

impl<T> Drop for OwnThread<T> {
    fn drop(&mut self) {
        if thread::current().id() == self.owner {
            // SAFETY: this is the only place that drops the value, and nothing can reach it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}

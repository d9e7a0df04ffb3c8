//! A value that belongs to the thread that made it, in an object that Python may drop on any thread.

use std::mem::ManuallyDrop;
use std::thread::{self, ThreadId};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::Handle;

/// Gives its value out on the thread that made it only. Dropped elsewhere the value is leaked: what it holds is not shared
/// between threads. One that holds a runtime is also leaked while a runtime runs there (by a garbage collection that happens
/// to run then): a runtime cannot be dropped inside of another.
pub(crate) struct ThreadBound<T> {
    owner: ThreadId,
    holds_runtime: bool,
    value: ManuallyDrop<T>,
}

// SAFETY: the value is reached through `get` and dropped through `drop` alone, and both check the thread first.
unsafe impl<T> Send for ThreadBound<T> {}
// SAFETY: as above; no other thread ever gets a reference.
unsafe impl<T> Sync for ThreadBound<T> {}

impl<T> ThreadBound<T> {
    /// For a value with a runtime in it.
    pub(crate) fn new(value: T) -> Self {
        Self { owner: thread::current().id(), holds_runtime: true, value: ManuallyDrop::new(value) }
    }

    /// For any other value, which lives in a worker.
    pub(crate) fn plain(value: T) -> Self {
        Self { owner: thread::current().id(), holds_runtime: false, value: ManuallyDrop::new(value) }
    }

    fn is_here(&self) -> bool {
        thread::current().id() == self.owner
    }

    /// The value.
    ///
    /// # Errors
    /// `RuntimeError` on another thread than the one that made it.
    pub(crate) fn get(&self) -> PyResult<&T> {
        if self.is_here() {
            return Ok(&self.value);
        }
        Err(PyRuntimeError::new_err(if self.holds_runtime {
            "This belongs to the thread that made it and is used on another one. Make one per thread."
        } else {
            "This belongs to its worker's thread. From another thread, call asyncio.run_coroutine_threadsafe()."
        }))
    }
}

impl<T> Drop for ThreadBound<T> {
    fn drop(&mut self) {
        if self.is_here() && !(self.holds_runtime && Handle::try_current().is_ok()) {
            // SAFETY: this is the only place that drops the value, and nothing can reach it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}

//! Running Rust without holding the interpreter, for work that stays on its thread.

use pyo3::prelude::*;

/// A value that is only ever touched on the thread that made it.
struct OnThisThread<T>(T);

// SAFETY: `detached` passes its closure to `Python::detach`, which runs it on the calling thread before it returns; the
// value crosses no thread, although the type system of `detach` asks that it could.
unsafe impl<T> Send for OnThisThread<T> {}

impl<T> OnThisThread<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// `work()` with the interpreter released; other Python threads run meanwhile.
pub(crate) fn detached<T>(py: Python<'_>, work: impl FnOnce() -> T) -> T {
    let work = OnThisThread(work);
    py.detach(move || OnThisThread(work.into_inner()())).into_inner()
}

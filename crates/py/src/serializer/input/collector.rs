//! Python's cyclic garbage collector, at rest while only Rust runs: records that are made and kept are no garbage, and
//! to look at all objects again for every few hundred of them is a quarter of the time.

use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The collector does not run while this lives.
pub(super) struct Rest<'py>(PhantomData<Python<'py>>);

impl<'py> Rest<'py> {
    /// `None` where it does not run anyway, or where other threads may do so at the same time.
    pub(super) fn begin(py: Python<'py>) -> Option<Self> {
        static IS_ALONE: PyOnceLock<bool> = PyOnceLock::new();
        let is_alone = IS_ALONE.get_or_try_init(py, || {
            let free = py.import("sysconfig")?.call_method1("get_config_var", ("Py_GIL_DISABLED",))?;
            free.is_truthy().map(|free| !free)
        });
        if !is_alone.is_ok_and(|alone| *alone) {
            return None;
        }
        // SAFETY: `py` proves that this thread is attached. Gives what was before.
        let was_enabled = unsafe { ffi::PyGC_Disable() } != 0;
        was_enabled.then_some(Self(PhantomData))
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        // SAFETY: as it lives no longer than `py`, this thread is attached.
        unsafe { ffi::PyGC_Enable() };
    }
}

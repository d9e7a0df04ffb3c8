//! How the pump is asked for a turn, from its own thread or any other.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use pyo3::prelude::*;

/// A request for a turn: a flag, and the pump's waker.
#[derive(Default)]
pub(super) struct Signal {
    raised: AtomicBool,
    // The waker of a spawned Tokio task never changes, so that it is stored once.
    waker: OnceLock<Waker>,
}

impl Signal {
    /// Tells who is to be woken; the first call counts.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.get_or_init(|| waker.clone());
    }

    /// Asks for a turn. Requests that come before the turn does are one request.
    pub(super) fn raise(&self) {
        if !self.raised.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// Lets the pump look at its timer again.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Whether a turn was asked for since the last call.
    pub(super) fn take(&self) -> bool {
        // The common answer is no, and then nothing needs to be written.
        self.raised.load(Ordering::Relaxed) && self.raised.swap(false, Ordering::AcqRel)
    }
}

/// The callable that `WorkerEventLoop` wakes the runtime with.
#[pyclass(frozen, module = "plectrum._core", name = "Wake")]
pub(super) struct PyWake(pub(super) std::sync::Arc<Signal>);

#[pymethods]
impl PyWake {
    fn __call__(&self) {
        self.0.raise();
    }
}

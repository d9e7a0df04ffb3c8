//! What is to be called later, in the order of its time.
//!
//! asyncio keeps timers in a heap whose comparisons are Python calls: with 10,000 of them each costs more than what it
//! wakes. Here a comparison is one of numbers.

use std::cmp::Ordering as Order;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::handle::Handle;

/// As in asyncio: once there are more timers than this, and more than half of them are cancelled, those are swept out.
const SWEEP_ABOVE: usize = 100;

/// The timers of a loop.
#[derive(Default)]
pub(super) struct Timers {
    heap: Mutex<BinaryHeap<Timer>>,
    cancelled: AtomicUsize,
    /// Of equal times the first made is the first called.
    next: AtomicUsize,
}

struct Timer {
    when: f64,
    number: usize,
    handle: Py<Handle>,
}

impl Timers {
    /// Adds one that was made with these timers.
    pub(super) fn add(&self, when: f64, handle: Py<Handle>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().push(Timer { when, number, handle });
    }

    /// When the next one is due; cancelled ones count.
    pub(super) fn next_due(&self) -> Option<f64> {
        self.lock().peek().map(|first| first.when)
    }

    /// Takes one that is due by `now`.
    pub(super) fn take_due(&self, now: f64) -> Option<Py<Handle>> {
        let mut heap = self.lock();
        if heap.peek()?.when > now {
            return None;
        }
        let Timer { handle, .. } = heap.pop()?;
        handle.get().waits_no_more();
        if handle.get().is_cancelled() {
            self.cancelled.fetch_sub(1, Ordering::Relaxed);
        }
        Some(handle)
    }

    /// One that is waiting was cancelled.
    pub(super) fn cancelled_one(&self) {
        let cancelled = self.cancelled.fetch_add(1, Ordering::Relaxed) + 1;
        let mut heap = self.lock();
        if heap.len() <= SWEEP_ABOVE || cancelled * 2 <= heap.len() {
            return;
        }
        let (kept, swept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut *heap).into_iter().partition(|timer| !timer.handle.get().is_cancelled());
        *heap = kept.into();
        self.cancelled.fetch_sub(swept.len(), Ordering::Relaxed);
        drop(heap);
    }

    /// How many there are, cancelled ones included.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        let timers = std::mem::take(&mut *self.lock());
        for timer in &timers {
            timer.handle.get().cancel();
        }
        self.cancelled.store(0, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Timer>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The greatest is the first to be called.
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Order {
        other.when.total_cmp(&self.when).then_with(|| other.number.cmp(&self.number))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Timer {}

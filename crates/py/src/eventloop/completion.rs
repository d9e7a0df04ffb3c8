//! A result that one side of the same process delivers once and the other awaits.

use std::mem::replace;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pyo3::prelude::*;

/// What a handler came to.
pub(super) type Outcome = PyResult<Py<PyAny>>;

/// The place where an [`Outcome`] is left.
#[derive(Default)]
pub(super) struct Completion(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Unwatched,
    Watched(Waker),
    Delivered(Outcome),
    Taken,
}

impl Completion {
    /// Leaves the outcome and wakes who waits for it. Nothing happens the second time.
    pub(super) fn deliver(&self, outcome: Outcome) {
        let mut state = self.lock();
        if matches!(*state, State::Unwatched | State::Watched(_))
            && let State::Watched(waker) = replace(&mut *state, State::Delivered(outcome))
        {
            drop(state);
            waker.wake();
        }
    }

    /// The outcome, once.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.lock();
        match &mut *state {
            State::Delivered(_) => {
                if let State::Delivered(outcome) = replace(&mut *state, State::Taken) {
                    return Poll::Ready(outcome);
                }
            }
            State::Watched(waker) => waker.clone_from(cx.waker()),
            unwatched => *unwatched = State::Watched(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Says that nobody waits any more, so that the outcome is dropped when it comes. Whether it had not come yet.
    pub(super) fn abandon(&self) -> bool {
        matches!(replace(&mut *self.lock(), State::Taken), State::Unwatched | State::Watched(_))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

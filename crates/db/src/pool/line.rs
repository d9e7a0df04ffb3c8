//! Executions that wait for a connection stand in line: only the first one looks for room, and whoever leaves calls up
//! the next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

/// First come, first served.
#[derive(Default)]
pub(super) struct Line {
    places: RefCell<VecDeque<(u64, Option<Waker>)>>,
    next: Cell<u64>,
}

impl Line {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.places.borrow().is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.places.borrow().len()
    }

    /// Takes the last place.
    pub(super) fn join(&self) -> Place<'_> {
        let ticket = self.next.replace(self.next.get() + 1);
        self.places.borrow_mut().push_back((ticket, None));
        Place { line: self, ticket }
    }

    /// Something changed: the first one shall look again.
    #[inline]
    pub(super) fn call(&self) {
        if let Some((_, Some(waker))) = self.places.borrow().front() {
            waker.wake_by_ref();
        }
    }
}

/// A place in line, given up by dropping it.
pub(super) struct Place<'a> {
    line: &'a Line,
    ticket: u64,
}

impl Place<'_> {
    /// Whether it is this one's turn; `waker` is called when it may be.
    pub(super) fn is_first(&self, waker: &Waker) -> bool {
        let mut places = self.line.places.borrow_mut();
        let is_first = places.front().is_some_and(|(ticket, _)| *ticket == self.ticket);
        if let Ok(index) = places.binary_search_by_key(&self.ticket, |(ticket, _)| *ticket) {
            match &mut places[index].1 {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
        is_first
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.places.borrow_mut().retain(|(ticket, _)| *ticket != self.ticket);
        self.line.call();
    }
}

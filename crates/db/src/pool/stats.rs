//! Numbers to watch.

use std::cell::Cell;
use std::ops::AddAssign;

use super::Inner;

/// A pool at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Connections that take requests.
    pub open: usize,
    /// Of these, with nothing in flight.
    pub idle: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// Executions that wait for a connection.
    pub waiting: usize,
    /// Connections opened since the start.
    pub opened: u64,
    /// Connections that ended without being asked to.
    pub broken: u64,
}

impl AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.open += other.open;
        self.idle += other.idle;
        self.in_flight += other.in_flight;
        self.waiting += other.waiting;
        self.opened += other.opened;
        self.broken += other.broken;
    }
}

/// What is counted since the start.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) opened: Cell<u64>,
    pub(super) broken: Cell<u64>,
}

impl Inner {
    pub(super) fn stats(&self) -> Stats {
        let mut stats = Stats {
            waiting: self.line.len(),
            opened: self.counters.opened.get(),
            broken: self.counters.broken.get(),
            ..Stats::default()
        };
        for member in &*self.members.borrow() {
            let depth = member.connection.depth();
            stats.in_flight += depth;
            stats.open += usize::from(member.connection.is_open());
            stats.idle += usize::from(member.connection.is_open() && depth == 0);
        }
        stats
    }
}

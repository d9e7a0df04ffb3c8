//! What every worker of a host counts, where all of them see it: a row of numbers for each, in shared memory.
//!
//! A worker takes a row when it starts, and only it writes there; whoever is asked for metrics adds all rows up. The row of
//! a worker that is gone, however it went, is taken by the next one, which goes on counting from where it is: sums never
//! fall. A row that counted other routes (the code was replaced) begins anew.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::buckets::{self, BUCKETS};
use super::notes::{self, Notes};
use crate::memory::Words;

/// Slots of routes; what is beyond counts as the last one.
pub(crate) const ROUTES: usize = 1024;
/// 1xx to 5xx, and given up by the client.
pub(crate) const CLASSES: usize = 6;
/// Who gave up before there was an answer.
pub(crate) const ABANDONED: usize = 5;
/// By class, the sum of durations, and durations by bucket.
const NUMBERS: usize = CLASSES + 1 + BUCKETS;
/// Who has the row, what it counts, and gauges.
const HEAD: usize = 32;
const PRINT: usize = 1;
const GAUGES: usize = 2;
const ROW: usize = HEAD + ROUTES * NUMBERS + notes::WORDS;

/// Numbers of a whole worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Gauge {
    /// When it started, in seconds since 1970.
    Started,
    /// Requests being answered.
    InFlight,
    /// Bytes of memory that are the worker's.
    Memory,
    /// Database connections that are open.
    Connections,
    /// Of these, with nothing to do.
    Idle,
    /// Statements under way.
    Statements,
    /// Executions that wait for a connection.
    Waiting,
    /// Connections opened, of all times.
    Opened,
    /// Connections that broke, of all times.
    Broken,
    /// Statements over the limit, of all times.
    Slow,
    /// Lines of the log that could not be written, of all times.
    LinesDropped,
    /// Spans that could not be sent, of all times.
    SpansDropped,
    /// Requests turned away before collapse, of all times.
    Shed,
    /// Answers from the cache, of all times.
    CacheHits,
    /// Answers that the cache did not have, of all times.
    CacheMisses,
}

impl Gauge {
    /// Those that only grow, and so outlive their worker.
    const LASTING: [Self; 8] = [
        Self::Opened,
        Self::Broken,
        Self::Slow,
        Self::LinesDropped,
        Self::SpansDropped,
        Self::Shed,
        Self::CacheHits,
        Self::CacheMisses,
    ];

    fn is_lasting(self) -> bool {
        Self::LASTING.contains(&self)
    }
}

/// The rows, and the one that is ours.
pub(crate) struct Board {
    words: Words,
    own: usize,
    print: u64,
}

impl Board {
    /// Takes a row of the supervisor's file, or has one alone. `print` tells one list of routes from another, which has
    /// `routes` slots.
    pub(crate) fn open(path: Option<&Path>, print: u64, routes: usize) -> io::Result<Self> {
        if let Some(path) = path {
            let words = Words::shared(path)?;
            let mut board = Self { words, own: 0, print };
            if let Some(row) = (0..board.rows()).find(|row| board.claim(*row)) {
                board.own = row;
                board.begin(routes);
                return Ok(board);
            }
            tracing::warn!("more workers than rows to count in: one counts alone");
        }
        let board = Self { words: Words::private(ROW)?, own: 0, print };
        board.claim(0);
        board.begin(routes);
        Ok(board)
    }

    fn rows(&self) -> usize {
        self.words.len() / ROW
    }

    fn head(&self, row: usize, index: usize) -> &AtomicU64 {
        self.words.word(row * ROW + index)
    }

    fn route(&self, row: usize, slot: usize, index: usize) -> &AtomicU64 {
        self.words.word(row * ROW + HEAD + slot.min(ROUTES - 1) * NUMBERS + index)
    }

    /// Takes a row that nobody alive has. Workers may be threads of one process: each is somebody of its own.
    fn claim(&self, row: usize) -> bool {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let owner = self.head(row, 0).load(Ordering::Acquire);
        let own = NEXT.fetch_add(1, Ordering::Relaxed) << 32 | u64::from(std::process::id());
        (owner == 0 || !is_alive(owner))
            && self.head(row, 0).compare_exchange(owner, own, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn begin(&self, routes: usize) {
        let same = self.head(self.own, PRINT).load(Ordering::Acquire) == self.print;
        for index in GAUGES..HEAD {
            let lasts = Gauge::LASTING.iter().any(|gauge| *gauge as usize + GAUGES == index);
            if !(same && lasts) {
                self.head(self.own, index).store(0, Ordering::Relaxed);
            }
        }
        if !same {
            for slot in 0..routes.min(ROUTES) {
                (0..NUMBERS).for_each(|index| self.route(self.own, slot, index).store(0, Ordering::Relaxed));
            }
        }
        self.head(self.own, PRINT).store(self.print, Ordering::Release);
        self.set(Gauge::Started, super::clock::seconds());
    }

    /// One request of a route.
    pub(crate) fn count(&self, slot: usize, class: usize, nanos: u64) {
        // This worker alone writes here; an addition of two processes that draw on one row would still not be lost.
        self.route(self.own, slot, class.min(ABANDONED)).fetch_add(1, Ordering::Relaxed);
        if class != ABANDONED {
            self.route(self.own, slot, CLASSES).fetch_add(nanos, Ordering::Relaxed);
            self.route(self.own, slot, CLASSES + 1 + buckets::of(nanos)).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sets a number of this worker.
    pub(crate) fn set(&self, gauge: Gauge, value: u64) {
        self.head(self.own, GAUGES + gauge as usize).store(value, Ordering::Relaxed);
    }

    /// Adds to a number of this worker.
    pub(crate) fn add(&self, gauge: Gauge, value: u64) {
        self.head(self.own, GAUGES + gauge as usize).fetch_add(value, Ordering::Relaxed);
    }

    /// Rows that count the same routes.
    fn alike(&self) -> impl Iterator<Item = usize> {
        (0..self.rows()).filter(|row| self.head(*row, PRINT).load(Ordering::Acquire) == self.print)
    }

    /// Rows of workers that live, with the ids of their processes.
    pub(crate) fn living(&self) -> impl Iterator<Item = (usize, u64)> {
        let owners = self.alike().map(|row| (row, self.head(row, 0).load(Ordering::Acquire)));
        owners.filter(|(_, owner)| is_alive(*owner)).map(|(row, owner)| (row, process_of(owner)))
    }

    /// A number of one row.
    pub(crate) fn gauge(&self, row: usize, gauge: Gauge) -> u64 {
        self.head(row, GAUGES + gauge as usize).load(Ordering::Relaxed)
    }

    /// Requests that one row counts, of the first so many slots.
    pub(crate) fn requests(&self, row: usize, routes: usize) -> u64 {
        let classes = |slot| (0..CLASSES).map(move |class| (slot, class));
        let counts = (0..routes.min(ROUTES)).flat_map(classes);
        counts.map(|(slot, class)| self.route(row, slot, class).load(Ordering::Relaxed)).sum()
    }

    /// A number of all workers; of those that are gone too where it only grows.
    pub(crate) fn sum(&self, gauge: Gauge) -> u64 {
        if gauge.is_lasting() {
            return self.alike().map(|row| self.gauge(row, gauge)).sum();
        }
        self.living().map(|(row, _)| self.gauge(row, gauge)).sum()
    }

    /// What all workers counted of a route.
    pub(crate) fn total(&self, slot: usize) -> Total {
        let mut total = Total::default();
        for row in self.alike() {
            let number = |index| self.route(row, slot, index).load(Ordering::Relaxed);
            total.nanos += number(CLASSES);
            total.classes.iter_mut().enumerate().for_each(|(index, sum)| *sum += number(index));
            let buckets = total.buckets.iter_mut().enumerate();
            buckets.for_each(|(index, sum)| *sum += number(CLASSES + 1 + index));
        }
        total
    }

    fn notes(&self, row: usize) -> Notes<'_> {
        Notes { words: &self.words, first: row * ROW + HEAD + ROUTES * NUMBERS }
    }

    /// Leaves a note for whoever asks any worker.
    pub(crate) fn note(&self, text: &str) {
        self.notes(self.own).leave(text);
    }

    /// All workers' notes.
    pub(crate) fn noted(&self) -> Vec<String> {
        self.alike().flat_map(|row| self.notes(row).read()).collect()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.head(self.own, 0).store(0, Ordering::Release);
    }
}

/// A route's numbers.
pub(crate) struct Total {
    /// By class of status, then those that were given up.
    pub(crate) classes: [u64; CLASSES],
    /// All durations together.
    pub(crate) nanos: u64,
    /// How many of each duration.
    pub(crate) buckets: [u64; BUCKETS],
}

impl Default for Total {
    fn default() -> Self {
        Self { classes: [0; CLASSES], nanos: 0, buckets: [0; BUCKETS] }
    }
}

impl Total {
    /// Requests that were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Whether there was none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.classes.iter().all(|count| *count == 0)
    }
}

fn process_of(owner: u64) -> u64 {
    owner & u64::from(u32::MAX)
}

fn is_alive(owner: u64) -> bool {
    let Ok(process) = libc::pid_t::try_from(process_of(owner)) else { return false };
    if process == 0 {
        return false;
    }
    // SAFETY: signal 0 is sent to nobody; it only asks.
    let asked = unsafe { libc::kill(process, 0) };
    asked == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;

    use super::*;

    fn file(rows: usize) -> (tempdir::Guard, std::path::PathBuf) {
        let guard = tempdir::Guard::new();
        let path = guard.0.join("board");
        File::create(&path).unwrap().set_len((rows * ROW * size_of::<u64>()) as u64).unwrap();
        (guard, path)
    }

    /// A directory of the test's own.
    mod tempdir {
        pub(super) struct Guard(pub(super) std::path::PathBuf);

        impl Guard {
            pub(super) fn new() -> Self {
                use std::sync::atomic::{AtomicU32, Ordering};
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let path =
                    std::env::temp_dir().join(format!("plectrum-board-{}-{number}", std::process::id()));
                std::fs::create_dir_all(&path).unwrap();
                Self(path)
            }
        }

        impl Drop for Guard {
            fn drop(&mut self) {
                let _ = std::fs::remove_dir_all(&self.0);
            }
        }
    }

    #[test]
    fn the_next_worker_goes_on_where_the_last_one_was() {
        let (_guard, path) = file(2);
        let first = Board::open(Some(&path), 7, 4).unwrap();
        first.count(3, 1, 5_000_000);
        first.add(Gauge::Slow, 2);
        first.set(Gauge::InFlight, 9);
        drop(first);
        let second = Board::open(Some(&path), 7, 4).unwrap();
        second.count(3, 4, 1);
        let total = second.total(3);
        assert_eq!((total.classes, total.nanos, total.answered()), ([0, 1, 0, 0, 1, 0], 5_000_001, 2));
        assert_eq!((second.sum(Gauge::Slow), second.sum(Gauge::InFlight)), (2, 0));
    }

    #[test]
    fn threads_of_a_process_have_rows_of_their_own() {
        let (_guard, path) = file(2);
        let one = Board::open(Some(&path), 7, 4).unwrap();
        let other = Board::open(Some(&path), 7, 4).unwrap();
        one.set(Gauge::InFlight, 2);
        other.set(Gauge::InFlight, 3);
        assert_eq!((one.sum(Gauge::InFlight), other.living().count()), (5, 2));
    }

    #[test]
    fn other_routes_are_counted_anew() {
        let (_guard, path) = file(1);
        let before = Board::open(Some(&path), 1, 4).unwrap();
        before.count(2, 1, 1);
        drop(before);
        let after = Board::open(Some(&path), 2, 4).unwrap();
        assert!(after.total(2).is_empty());
    }

    #[test]
    fn who_gives_up_has_no_duration() {
        let board = Board::open(None, 1, 4).unwrap();
        board.count(0, ABANDONED, 1);
        let total = board.total(0);
        assert_eq!((total.classes[ABANDONED], total.answered()), (1, 0));
    }

    #[test]
    fn a_route_too_many_counts_as_the_last_one() {
        let board = Board::open(None, 1, 4).unwrap();
        board.count(ROUTES + 5, 1, 1);
        assert_eq!(board.total(ROUTES - 1).answered(), 1);
    }
}

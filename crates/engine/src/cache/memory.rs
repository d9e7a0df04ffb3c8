//! Answers in the worker's own memory, of bounded size.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::entry::Entry;
use super::key::Key;

/// The numbers of an answer's tags.
pub(super) type Numbers = SmallVec<[u64; 4]>;

/// Outcomes of requests that are remembered at most.
const MOST_OUTCOMES: usize = 50_000;

struct Kept {
    entry: Entry,
    numbers: Numbers,
    until: Instant,
    /// Asked for since it was last passed over.
    wanted: Cell<bool>,
}

/// Answers by key. Where they are too many, those go first that nobody asked for lately (the CLOCK algorithm).
pub(super) struct Memory {
    kept: RefCell<HashMap<Key, Kept>>,
    order: RefCell<VecDeque<Key>>,
    size: Cell<usize>,
    most: usize,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { kept: RefCell::default(), order: RefCell::default(), size: Cell::new(0), most }
    }

    pub(super) fn get(&self, key: &Key, numbers: &Numbers) -> Option<Entry> {
        let kept = self.kept.borrow();
        let found =
            kept.get(key).filter(|found| found.numbers == *numbers && Instant::now() < found.until)?;
        found.wanted.set(true);
        Some(found.entry.clone())
    }

    pub(super) fn put(&self, key: Key, entry: Entry, numbers: Numbers, lifetime: Duration) {
        let size = entry.size();
        // One answer is not to drive out all others.
        if size > self.most / 8 {
            return;
        }
        let Some(until) = Instant::now().checked_add(lifetime) else { return };
        let kept = Kept { entry, numbers, until, wanted: Cell::new(false) };
        let before = self.kept.borrow_mut().insert(key, kept);
        match before {
            Some(before) => self.size.set(self.size.get() - before.entry.size()),
            None => self.order.borrow_mut().push_back(key),
        }
        self.size.set(self.size.get() + size);
        while self.size.get() > self.most && self.forget_one() {}
    }

    fn forget_one(&self) -> bool {
        let (mut order, mut kept) = (self.order.borrow_mut(), self.kept.borrow_mut());
        let Some(key) = order.pop_front() else { return false };
        let now = Instant::now();
        if kept.get(&key).is_some_and(|found| found.wanted.replace(false) && now < found.until) {
            order.push_back(key);
        } else if let Some(gone) = kept.remove(&key) {
            self.size.set(self.size.get() - gone.entry.size());
        }
        true
    }
}

/// How far a request with an idempotency key has come. The digest is that of the request.
#[derive(Clone)]
pub(super) enum Outcome {
    Running(Key),
    Done(Key, Entry),
}

/// Outcomes by key.
#[derive(Default)]
pub(super) struct Outcomes {
    known: RefCell<HashMap<Key, (Outcome, Option<Instant>)>>,
    order: RefCell<VecDeque<Key>>,
}

impl Outcomes {
    /// Begins a request, or tells how far the one before has come.
    pub(super) fn begin(&self, key: Key, digest: Key) -> Option<Outcome> {
        let mut known = self.known.borrow_mut();
        if let Some((outcome, until)) = known.get(&key)
            && until.is_none_or(|until| Instant::now() < until)
        {
            return Some(outcome.clone());
        }
        if known.insert(key, (Outcome::Running(digest), None)).is_none() {
            self.order.borrow_mut().push_back(key);
        }
        drop(known);
        self.make_room();
        None
    }

    pub(super) fn finish(&self, key: Key, digest: Key, entry: Option<Entry>, lifetime: Duration) {
        let mut known = self.known.borrow_mut();
        match entry {
            Some(entry) => {
                known.insert(key, (Outcome::Done(digest, entry), Instant::now().checked_add(lifetime)));
            }
            None => drop(known.remove(&key)),
        }
    }

    /// Forgets the oldest that are over, where there are too many.
    fn make_room(&self) {
        let (mut known, mut order) = (self.known.borrow_mut(), self.order.borrow_mut());
        while order.len() > MOST_OUTCOMES {
            let Some(key) = order.pop_front() else { return };
            if matches!(known.get(&key), Some((Outcome::Running(_), _))) {
                order.push_back(key);
                return;
            }
            known.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use plectrum_http::{Body, Response};

    use super::*;

    fn entry(size: usize) -> Option<Entry> {
        Entry::of(&Response::new(Body::from(vec![b'x'; size])))
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn other_numbers_and_time_make_it_unknown() {
        let memory = Memory::new(1 << 20);
        let numbers = Numbers::from_slice(&[1, 2]);
        entry(10).into_iter().for_each(|entry| memory.put([1; 32], entry, numbers.clone(), HOUR));
        assert!(memory.get(&[1; 32], &numbers).is_some());
        assert!(memory.get(&[1; 32], &Numbers::from_slice(&[1, 3])).is_none());
        entry(10).into_iter().for_each(|entry| memory.put([1; 32], entry, numbers.clone(), Duration::ZERO));
        assert!(memory.get(&[1; 32], &numbers).is_none());
    }

    #[test]
    fn what_is_asked_for_stays() {
        let memory = Memory::new(100_000);
        let none = Numbers::new();
        for number in 0..200_u8 {
            entry(1000).into_iter().for_each(|entry| memory.put([number; 32], entry, none.clone(), HOUR));
            assert!(memory.get(&[0; 32], &none).is_some(), "{number}");
        }
        assert!(memory.size.get() <= 100_000);
        assert!(memory.get(&[1; 32], &none).is_none() && memory.get(&[199; 32], &none).is_some());
        entry(50_000).into_iter().for_each(|entry| memory.put([250; 32], entry, none.clone(), HOUR));
        assert!(memory.get(&[250; 32], &none).is_none());
    }
}

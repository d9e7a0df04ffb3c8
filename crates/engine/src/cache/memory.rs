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

struct Remembered {
    outcome: Outcome,
    until: Option<Instant>,
    /// Tells a key's place in the order from earlier ones of the same key.
    number: u64,
}

/// Outcomes by key. Where they are too many, the oldest go first; those whose time is over go by themselves.
pub(super) struct Outcomes(RefCell<Book>);

struct Book {
    known: HashMap<Key, Remembered>,
    order: VecDeque<(Key, u64)>,
    next: u64,
    size: usize,
    /// Bytes of answers.
    most: usize,
}

impl Outcomes {
    pub(super) fn new(most: usize) -> Self {
        let (known, order) = (HashMap::new(), VecDeque::new());
        Self(RefCell::new(Book { known, order, next: 0, size: 0, most }))
    }

    /// Begins a request, or tells how far the one before has come.
    pub(super) fn begin(&self, key: Key, digest: Key) -> Option<Outcome> {
        let book = &mut *self.0.borrow_mut();
        book.make_room();
        if let Some(known) = book.known.get(&key)
            && known.lives(Instant::now())
        {
            return Some(known.outcome.clone());
        }
        let number = book.next;
        book.next += 1;
        book.replace(key, Some(Remembered { outcome: Outcome::Running(digest), until: None, number }));
        book.order.push_back((key, number));
        None
    }

    pub(super) fn finish(&self, key: Key, digest: Key, entry: Option<Entry>, lifetime: Duration) {
        let book = &mut *self.0.borrow_mut();
        let number = book.known.get(&key).map(|known| known.number);
        let done = entry.zip(number).map(|(entry, number)| {
            let outcome = Outcome::Done(digest, entry);
            Remembered { outcome, until: Instant::now().checked_add(lifetime), number }
        });
        book.replace(key, done);
    }
}

impl Remembered {
    fn lives(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn size(&self) -> usize {
        match &self.outcome {
            Outcome::Running(_) => 0,
            Outcome::Done(_, entry) => entry.size(),
        }
    }
}

impl Book {
    fn replace(&mut self, key: Key, remembered: Option<Remembered>) {
        self.size += remembered.as_ref().map_or(0, Remembered::size);
        let before = match remembered {
            Some(remembered) => self.known.insert(key, remembered),
            None => self.known.remove(&key),
        };
        self.size -= before.as_ref().map_or(0, Remembered::size);
    }

    /// Forgets what is over, and the oldest of the rest where there is too much.
    fn make_room(&mut self) {
        let now = Instant::now();
        for _ in 0..self.order.len() {
            let crowded = self.order.len() > MOST_OUTCOMES || self.size > self.most;
            let Some(&(key, number)) = self.order.front() else { return };
            match self.known.get(&key).filter(|known| known.number == number) {
                Some(known) if known.lives(now) && !crowded => return,
                Some(Remembered { outcome: Outcome::Running(_), .. }) => self.order.rotate_left(1),
                Some(_) => {
                    self.order.pop_front();
                    self.replace(key, None);
                }
                // It failed, or began anew.
                None => drop(self.order.pop_front()),
            }
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

    fn done(outcomes: &Outcomes, number: u8, size: usize, lifetime: Duration) {
        assert!(outcomes.begin([number; 32], [0; 32]).is_none(), "{number}");
        outcomes.finish([number; 32], [0; 32], entry(size), lifetime);
    }

    #[test]
    fn the_oldest_outcomes_make_room_but_not_what_is_running() {
        let outcomes = Outcomes::new(100_000);
        assert!(outcomes.begin([0; 32], [0; 32]).is_none());
        (1..200).for_each(|number| done(&outcomes, number, 1000, HOUR));
        let size = outcomes.0.borrow().size;
        assert!(size <= 102_000, "{size}");
        assert!(matches!(outcomes.begin([0; 32], [0; 32]), Some(Outcome::Running(_))));
        assert!(matches!(outcomes.begin([199; 32], [0; 32]), Some(Outcome::Done(..))));
        assert!(outcomes.begin([1; 32], [0; 32]).is_none());
    }

    #[test]
    fn what_failed_once_is_remembered_as_long_as_others() {
        let outcomes = Outcomes::new(10_000);
        assert!(outcomes.begin([1; 32], [0; 32]).is_none());
        outcomes.finish([1; 32], [0; 32], None, HOUR);
        (2..8).for_each(|number| done(&outcomes, number, 1000, HOUR));
        done(&outcomes, 1, 1000, HOUR);
        (8..10).for_each(|number| done(&outcomes, number, 1000, HOUR));
        assert!(matches!(outcomes.begin([1; 32], [0; 32]), Some(Outcome::Done(..))));
    }

    #[test]
    fn outcomes_whose_time_is_over_take_no_memory() {
        let outcomes = Outcomes::new(100_000);
        (0..50).for_each(|number| done(&outcomes, number, 1000, Duration::ZERO));
        done(&outcomes, 50, 0, HOUR);
        let book = outcomes.0.borrow();
        assert_eq!((book.known.len(), book.order.len()), (1, 1));
        assert!(book.size < 1000);
    }
}

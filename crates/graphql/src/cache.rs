//! A bounded map that forgets what has not been used for longest.

use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::RandomState;

/// Values by text or bytes. Bounded by number and by the size of the keys, which stands for that of the values.
#[derive(Debug)]
pub struct Cache<V> {
    entries: HashMap<Box<[u8]>, Entry<V>, RandomState>,
    most: usize,
    /// Bytes of keys at most.
    budget: usize,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: Rc<V>,
    used: u64,
}

impl<V> Cache<V> {
    /// A cache of `most` values whose keys together have `budget` bytes.
    #[must_use]
    pub fn new(most: usize, budget: usize) -> Self {
        Self { entries: HashMap::default(), most: most.max(1), budget, bytes: 0, clock: 0 }
    }

    /// The value of a key.
    pub fn get(&mut self, key: &[u8]) -> Option<Rc<V>> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(Rc::clone(&entry.value))
    }

    /// Keeps a value; the least recently used make room.
    pub fn insert(&mut self, key: &[u8], value: V) -> Rc<V> {
        let value = Rc::new(value);
        if key.len() > self.budget {
            return value;
        }
        if self.entries.len() >= self.most || self.bytes + key.len() > self.budget {
            self.make_room(key.len());
        }
        self.clock += 1;
        let entry = Entry { value: Rc::clone(&value), used: self.clock };
        if self.entries.insert(key.into(), entry).is_none() {
            self.bytes += key.len();
        }
        value
    }

    /// How many values it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the older half, or more where a key needs it: sorting is paid for by as many insertions.
    fn make_room(&mut self, wanted: usize) {
        let mut ages: Vec<(u64, usize)> =
            self.entries.iter().map(|(key, entry)| (entry.used, key.len())).collect();
        ages.sort_unstable();
        let (mut oldest_kept, mut kept, mut bytes) = (0, ages.len(), self.bytes);
        for (used, size) in ages {
            if kept <= self.most / 2 && bytes + wanted <= self.budget {
                break;
            }
            (oldest_kept, kept, bytes) = (used + 1, kept - 1, bytes - size);
        }
        self.entries.retain(|_, entry| entry.used >= oldest_kept);
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::new(4, 1000);
        for key in [b"a", b"b", b"c", b"d"] {
            cache.insert(key, key[0]);
        }
        assert_eq!(cache.get(b"a").as_deref(), Some(&b'a'));
        cache.insert(b"e", b'e');
        assert_eq!(cache.len(), 3);
        assert_eq!(cache.get(b"a").as_deref(), Some(&b'a'));
        assert_eq!(cache.get(b"b"), None);
    }

    #[test]
    fn keys_have_a_budget() {
        let mut cache = Cache::new(100, 10);
        cache.insert(b"123456", 1);
        cache.insert(b"abcdef", 2);
        assert_eq!((cache.get(b"123456"), cache.get(b"abcdef").as_deref()), (None, Some(&2)));
        cache.insert(b"longer than all", 3);
        assert_eq!(cache.len(), 1);
    }
}

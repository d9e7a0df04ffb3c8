//! The prepared statements of one connection; the least recently used one goes first.

use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::RandomState;

use super::memory::Memory;
use super::prepared::Prepared;
use super::variant::Variant;
use crate::statement::Statement;

/// Bounded; a statement that is about to be executed is never evicted, so it may exceed its bound for a moment.
pub(crate) struct Cache {
    entries: HashMap<(u64, Variant), Entry, RandomState>,
    limit: usize,
    memory: Rc<Memory>,
    /// Counts look-ups: the age of entries.
    clock: u64,
    /// Numbers the names.
    named: u64,
    /// Names the server may forget; told with the next Parse.
    doomed: Vec<String>,
}

struct Entry {
    prepared: Rc<Prepared>,
    used: u64,
}

impl Cache {
    pub(crate) fn new(limit: usize, memory: Rc<Memory>) -> Self {
        Self { entries: HashMap::default(), limit, memory, clock: 0, named: 0, doomed: Vec::new() }
    }

    /// The statement, prepared or being prepared.
    #[inline]
    pub(crate) fn find(&mut self, statement: &Statement, variant: Variant) -> Option<&Rc<Prepared>> {
        self.clock += 1;
        let entry = self.entries.get_mut(&(statement.id(), variant))?;
        entry.used = self.clock;
        (!entry.prepared.has_failed()).then_some(&entry.prepared)
    }

    /// Adds a statement that is prepared from now on; makes room first. Comes with the names that the server shall
    /// forget.
    pub(crate) fn insert(&mut self, statement: &Statement, variant: Variant) -> (Rc<Prepared>, Vec<String>) {
        let key = (statement.id(), variant);
        self.remove(key);
        while self.entries.len() >= self.limit && self.evict() {}
        self.named += 1;
        let prepared = Prepared::new(format!("s{}", self.named), statement.id(), Rc::clone(&self.memory));
        let prepared = Rc::new(prepared);
        self.entries.insert(key, Entry { prepared: Rc::clone(&prepared), used: self.clock });
        (prepared, std::mem::take(&mut self.doomed))
    }

    /// Drops the statement known by `name` to the server, because it went stale. By name, since it may have been
    /// prepared anew already.
    pub(crate) fn forget(&mut self, statement: &Statement, variant: Variant, name: &str) {
        let key = (statement.id(), variant);
        if self.entries.get(&key).is_some_and(|entry| entry.prepared.name == name) {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: (u64, Variant)) {
        if let Some(entry) = self.entries.remove(&key) {
            self.doomed.push(entry.prepared.name.clone());
        }
    }

    /// Drops the least recently used one that nobody holds.
    fn evict(&mut self) -> bool {
        let idle = self.entries.iter().filter(|(_, entry)| Rc::strong_count(&entry.prepared) == 1);
        let oldest = idle.min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
        oldest.is_some_and(|key| {
            self.remove(key);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(count: usize) -> Vec<Statement> {
        (0..count).map(|_| Statement::new("select 1", &[])).collect()
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(2, Rc::default());
        let known = statements(3);
        cache.insert(&known[0], Variant(0));
        cache.insert(&known[1], Variant(0));
        assert!(cache.find(&known[0], Variant(0)).is_some());
        let (_, doomed) = cache.insert(&known[2], Variant(0));
        assert_eq!(doomed, ["s2"]);
        assert!(cache.find(&known[1], Variant(0)).is_none());
        assert!(cache.find(&known[0], Variant(0)).is_some());
        assert!(cache.find(&known[0], Variant(1)).is_none(), "variants are statements of their own");
    }

    #[test]
    fn one_that_is_held_stays() {
        let mut cache = Cache::new(1, Rc::default());
        let known = statements(3);
        let (held, _) = cache.insert(&known[0], Variant(0));
        let (_, doomed) = cache.insert(&known[1], Variant(0));
        assert!(doomed.is_empty());
        drop(held);
        let (_, doomed) = cache.insert(&known[2], Variant(0));
        assert_eq!(doomed.len(), 2, "back within its bound");
    }

    #[test]
    fn a_stale_name_does_not_evict_its_successor() {
        let mut cache = Cache::new(2, Rc::default());
        let known = statements(1);
        cache.insert(&known[0], Variant(0));
        cache.forget(&known[0], Variant(0), "s1");
        cache.insert(&known[0], Variant(0));
        cache.forget(&known[0], Variant(0), "s1");
        assert!(cache.find(&known[0], Variant(0)).is_some());
    }
}

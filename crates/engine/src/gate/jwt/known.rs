//! Tokens that were verified a moment ago: their signatures are not checked again, everything that can change is.
//!
//! Kept are only tokens that passed every check, each with the text it was verified from: what differs in one byte is
//! another token. They are found by a hash under a key of this process alone, all 64 bits of which must be alike before any
//! byte of a token is compared, so that the time a comparison takes tells nobody how much of a token was guessed right.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::claims::Times;
use crate::gate::identity::Vouched;

/// Seconds after which a token is verified again.
const LIFETIME: f64 = 60.0;
/// Tokens of one half; the older half is forgotten when the newer one is full.
const MOST: usize = 512;
/// Bytes of a token that is kept.
const LONGEST: usize = 2048;

/// What a token came to.
#[derive(Clone)]
pub(super) struct Verified {
    /// Whom it names, and what it claims.
    pub(super) vouched: Arc<Vouched>,
    /// When it holds.
    pub(super) times: Times,
}

/// The tokens that one scheme verified.
#[derive(Default)]
pub(super) struct Known {
    random: RandomState,
    halves: RefCell<Halves>,
}

#[derive(Default)]
struct Halves {
    newer: HashMap<u64, Entry>,
    older: HashMap<u64, Entry>,
}

struct Entry {
    token: Box<str>,
    /// Which set of keys verified it.
    keys: u64,
    /// When, in seconds since 1970.
    since: f64,
    verified: Verified,
}

impl Known {
    /// What `token` came to, where that was found out with these `keys` not long before `now`.
    pub(super) fn find(&self, token: &str, keys: u64, now: f64) -> Option<Verified> {
        if token.len() > LONGEST {
            return None;
        }
        let hash = self.random.hash_one(token);
        let mut halves = self.halves.borrow_mut();
        if let Some(entry) = halves.older.remove(&hash) {
            halves.put(hash, entry);
        }
        let entry = halves.newer.get(&hash)?;
        let holds = entry.keys == keys && (entry.since..entry.since + LIFETIME).contains(&now);
        (holds && *entry.token == *token).then(|| entry.verified.clone())
    }

    /// Remembers what `token` came to `now`.
    pub(super) fn keep(&self, token: &str, keys: u64, now: f64, verified: Verified) {
        if token.len() <= LONGEST {
            let entry = Entry { token: token.into(), keys, since: now, verified };
            self.halves.borrow_mut().put(self.random.hash_one(token), entry);
        }
    }
}

impl Halves {
    fn put(&mut self, hash: u64, entry: Entry) {
        if self.newer.len() >= MOST {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(hash, entry);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn verified() -> Verified {
        Verified { vouched: Arc::default(), times: Times::default() }
    }

    #[test]
    fn for_a_while_and_with_the_same_keys() {
        let known = Known::default();
        known.keep("a.b.c", 1, 100.0, verified());
        let found = |keys, now| known.find("a.b.c", keys, now).is_some();
        assert_eq!([found(1, 100.0), found(1, 159.9)], [true, true]);
        assert_eq!([found(1, 160.0), found(1, 99.0), found(2, 100.0)], [false, false, false]);
        assert!(known.find("a.b.d", 1, 100.0).is_none());
        // Verified again, it is known again.
        known.keep("a.b.c", 2, 200.0, verified());
        assert!(found(2, 200.0));
    }

    #[test]
    fn never_by_its_hash_alone() {
        let known = Known::default();
        known.keep("a.b.c", 1, 100.0, verified());
        let mut halves = known.halves.borrow_mut();
        let entry = halves.newer.remove(&known.random.hash_one("a.b.c")).unwrap();
        halves.newer.insert(known.random.hash_one("a.b.d"), entry);
        drop(halves);
        assert!(known.find("a.b.d", 1, 100.0).is_none());
    }

    #[test]
    fn no_more_than_two_halves_and_none_that_is_long() {
        let known = Known::default();
        let token = |number: usize| format!("a.b.{number}");
        for number in 0..5 * MOST {
            known.keep(&token(number), 1, 100.0, verified());
            // One in use stays, however many others come.
            known.find(&token(0), 1, 100.0).unwrap();
            let halves = known.halves.borrow();
            assert!(halves.newer.len() <= MOST && halves.older.len() <= MOST);
        }
        assert!(known.find(&token(1), 1, 100.0).is_none());
        let long = "x".repeat(LONGEST + 1);
        known.keep(&long, 1, 100.0, verified());
        assert!(known.find(&long, 1, 100.0).is_none());
    }
}

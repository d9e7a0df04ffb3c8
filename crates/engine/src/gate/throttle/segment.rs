//! Counters in memory that the workers of a host share. Lock-free: a worker that is killed at any point leaves nothing
//! held, and one that takes its place goes on with the same numbers.
//!
//! The segment is a table of slots, two words each: whose bucket it is (a hash under a secret of the segment) and when the
//! bucket is full. A bucket that is full is as good as none, so its slot is free. Where all slots a key may use are taken,
//! it takes the one that would be free soonest: memory is bounded, and under attack somebody's count begins anew.

use std::hash::BuildHasher;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use super::cell::{Decision, Rate};
use crate::memory::Words;

/// Words before the slots: what the segment is, and its secret.
const HEAD: usize = 8;
const MAGIC: u64 = u64::from_le_bytes(*b"plectrm1");
/// Slots that a key may use, next to each other.
const PROBED: usize = 8;
/// Times a race is run again before the count is taken as it is.
const ATTEMPTS: usize = 16;

/// A mapped segment.
pub(crate) struct Segment {
    words: Words,
    slots: usize,
    hasher: SeedableRandomState,
}

struct Slot<'a> {
    key: &'a AtomicU64,
    full_at: &'a AtomicU64,
}

impl Segment {
    /// One of this process alone, with room for `slots` buckets.
    pub(crate) fn private(slots: usize) -> io::Result<Self> {
        let segment = Self::over(Words::private(HEAD + 2 * slots.max(PROBED))?);
        // Addresses are random; a table of one process needs no more against guessing.
        segment.word(1).store(std::process::id().into(), Ordering::Relaxed);
        segment.word(2).store(segment.words.address(), Ordering::Relaxed);
        segment.word(0).store(MAGIC, Ordering::Release);
        Ok(segment.seeded())
    }

    /// The one the supervisor made: a file of `MAGIC`, a secret and zeros.
    pub(crate) fn shared(path: &Path) -> io::Result<Self> {
        let words = Words::shared(path)?;
        if words.len() < HEAD + 2 * PROBED {
            return Err(io::Error::other("the shared segment of the throttle is too small"));
        }
        let segment = Self::over(words);
        if segment.word(0).load(Ordering::Acquire) != MAGIC {
            return Err(io::Error::other("the shared segment of the throttle is not one"));
        }
        Ok(segment.seeded())
    }

    fn over(words: Words) -> Self {
        let slots = (words.len() - HEAD) / 2;
        Self { words, slots, hasher: hasher_of(0, 0) }
    }

    fn seeded(mut self) -> Self {
        let secret = |index| self.word(index).load(Ordering::Relaxed);
        self.hasher = hasher_of(secret(1), secret(2));
        self
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        self.words.word(index)
    }

    fn slot(&self, index: usize) -> Slot<'_> {
        let first = HEAD + 2 * (index % self.slots);
        Slot { key: self.word(first), full_at: self.word(first + 1) }
    }

    /// One request of `key` at `now`.
    pub(crate) fn take(&self, key: &[u8], rate: Rate, now: u64) -> Decision {
        // 0 is an empty slot.
        let hash = self.hasher.hash_one(key).max(1);
        for _ in 0..ATTEMPTS {
            let slot = match self.find(hash, now) {
                Ok(slot) => slot,
                Err((free, owner)) if free.claim(owner, hash, now) => free,
                Err(_) => continue,
            };
            let full_at = slot.full_at.load(Ordering::Acquire);
            let decision = rate.take(full_at, now);
            let kept = !decision.allowed
                || slot
                    .full_at
                    .compare_exchange(full_at, decision.full_at, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok();
            if kept {
                return decision;
            }
        }
        rate.take(0, now)
    }

    /// The key's slot, or else the best one to claim and whose it is.
    fn find(&self, hash: u64, now: u64) -> Result<Slot<'_>, (Slot<'_>, u64)> {
        // The low bits choose the slot; a power of two would not be needed.
        let start = usize::try_from(hash % (self.slots as u64)).unwrap_or_default();
        let (mut best, mut owned, mut soonest) = (start, 0, u64::MAX);
        for index in start..start + PROBED {
            let slot = self.slot(index);
            let owner = slot.key.load(Ordering::Acquire);
            if owner == hash {
                return Ok(slot);
            }
            let full_at = if owner == 0 { 0 } else { slot.full_at.load(Ordering::Relaxed) };
            let free_at = if full_at <= now { 0 } else { full_at };
            if free_at < soonest {
                (best, owned, soonest) = (index, owner, free_at);
            }
        }
        Err((self.slot(best), owned))
    }
}

impl Slot<'_> {
    /// Takes the slot over from `owner`; false where somebody else did, be it for the same key.
    fn claim(&self, owner: u64, hash: u64, now: u64) -> bool {
        let former = self.full_at.load(Ordering::Acquire);
        let claimed = self.key.compare_exchange(owner, hash, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if claimed && former > now {
            // From here on others count in the slot as well: what they counted must stay. So the former owner's count
            // goes only if it is still there; with it, or with one who dies here, the new one is held stricter.
            let _ = self.full_at.compare_exchange(former, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
        claimed
    }
}

fn hasher_of(first: u64, second: u64) -> SeedableRandomState {
    // Every process must hash alike; the secret is the segment's.
    let shared: &'static SharedSeed = Box::leak(Box::new(SharedSeed::from_u64(second)));
    SeedableRandomState::with_seed(first, shared)
}

/// Microseconds of the clock that all processes of a host share, and that nobody sets.
pub(crate) fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).saturating_mul(1_000_000).saturating_add(time.tv_nsec as u64 / 1000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn keys_are_counted_apart() {
        let segment = Segment::private(64).unwrap();
        let rate = Rate::new(2, 1.0, 2);
        let allowed = |key: &str, now| segment.take(key.as_bytes(), rate, now).allowed;
        assert_eq!([1, 2, 3].map(|_| allowed("a", SECOND)), [true, true, false]);
        assert!(allowed("b", SECOND));
        assert!(allowed("a", 2 * SECOND));
    }

    #[test]
    fn a_full_table_forgets_who_is_free_soonest() {
        let segment = Segment::private(PROBED).unwrap();
        let rate = Rate::new(1, 60.0, 1);
        for key in 0..PROBED as u64 {
            assert!(segment.take(&key.to_le_bytes(), rate, SECOND + key).allowed);
        }
        assert!(!segment.take(&7_u64.to_le_bytes(), rate, 2 * SECOND).allowed);
        assert!(segment.take(b"new", rate, 2 * SECOND).allowed);
        assert!(!segment.take(b"new", rate, 2 * SECOND).allowed);
        assert!(segment.take(&0_u64.to_le_bytes(), rate, 2 * SECOND).allowed);
    }

    #[test]
    fn threads_together_take_no_more_than_the_limit() {
        let segment = Segment::private(1024).unwrap();
        let (shared, rate) = (&segment, Rate::new(5, 3600.0, 5));
        // Each round begins with a slot that nobody has: who claims it must not forget what others count meanwhile.
        for round in 0_u64..500 {
            let start = &Barrier::new(4);
            let allowed: usize = std::thread::scope(|scope| {
                let take = move || {
                    start.wait();
                    (0..5).filter(|_| shared.take(&round.to_le_bytes(), rate, SECOND).allowed).count()
                };
                let threads = [(); 4].map(|()| scope.spawn(take));
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(allowed, 5, "round {round}");
        }
    }

    #[test]
    fn what_is_no_segment_is_refused() {
        assert!(Segment::shared(Path::new("/nowhere")).is_err());
        assert!(Segment::shared(Path::new("/proc/self/exe")).is_err());
    }
}

//! The generic cell rate algorithm (ITU-T I.371): a token bucket kept as one number, the time at which the bucket is full
//! again. Pure, so that every edge is a unit test.

/// A limit in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// What one request costs.
    pub(crate) interval: u64,
    /// What a full bucket holds.
    pub(crate) depth: u64,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    /// When the bucket is full again; to be kept where the request is allowed.
    pub(crate) full_at: u64,
    /// Requests that may follow at once.
    pub(crate) remaining: u32,
    /// Microseconds until the next request is allowed; 0 where one is now.
    pub(crate) retry_after: u64,
    /// Microseconds until the bucket is full.
    pub(crate) reset_after: u64,
}

impl Rate {
    /// `quota` requests in `period` seconds, `burst` of them at once.
    pub(crate) fn new(quota: u32, period: f64, burst: u32) -> Self {
        let interval = ((period * 1e6) / f64::from(quota.max(1))).round().clamp(1.0, 1e15) as u64;
        Self { interval, depth: interval.saturating_mul(u64::from(burst.max(1))) }
    }

    /// One request at `now`, the bucket being full at `full_at`.
    pub(crate) fn take(self, full_at: u64, now: u64) -> Decision {
        let Self { interval, depth } = self;
        // A clock that stood elsewhere (another boot, another host) must not lock anybody out for longer than the limit.
        let before = full_at.clamp(now, now.saturating_add(depth));
        let after = before.saturating_add(interval);
        if after - now > depth {
            let used = before - now;
            let retry_after = after - now - depth;
            return Decision {
                allowed: false,
                full_at: before,
                remaining: 0,
                retry_after,
                reset_after: used,
            };
        }
        let left = depth - (after - now);
        let remaining = u32::try_from(left / interval).unwrap_or(u32::MAX);
        let retry_after = if remaining == 0 { interval - left } else { 0 };
        Decision { allowed: true, full_at: after, remaining, retry_after, reset_after: after - now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_burst_then_one_by_one() {
        let rate = Rate::new(10, 10.0, 3);
        let mut full_at = 0;
        let mut take = |now: u64| {
            let decision = rate.take(full_at, now);
            full_at = decision.full_at;
            (decision.allowed, decision.remaining, decision.retry_after)
        };
        let start = 50 * SECOND;
        assert_eq!(take(start), (true, 2, 0));
        assert_eq!(take(start), (true, 1, 0));
        assert_eq!(take(start), (true, 0, SECOND));
        assert_eq!(take(start), (false, 0, SECOND));
        assert_eq!(take(start + SECOND / 2), (false, 0, SECOND / 2));
        assert_eq!(take(start + SECOND), (true, 0, SECOND));
        assert_eq!(take(start + 60 * SECOND), (true, 2, 0));
    }

    #[test]
    fn no_window_has_more_than_burst_and_rate() {
        let rate = Rate::new(100, 1.0, 20);
        let (mut full_at, mut allowed) = (0, Vec::new());
        for now in (SECOND..6 * SECOND).step_by(777) {
            let decision = rate.take(full_at, now);
            full_at = decision.full_at;
            if decision.allowed {
                allowed.push(now);
            }
        }
        for (index, start) in allowed.iter().enumerate() {
            let inside = allowed.iter().skip(index).take_while(|now| **now < start + SECOND).count();
            assert!(inside <= 121, "{inside} within a second");
        }
        assert!((515..=521).contains(&allowed.len()), "{}", allowed.len());
    }

    #[test]
    fn a_clock_from_elsewhere_locks_nobody_out() {
        let rate = Rate::new(1, 1.0, 1);
        let decision = rate.take(u64::MAX, SECOND);
        assert_eq!((decision.allowed, decision.retry_after), (false, SECOND));
        assert!(rate.take(decision.full_at, 2 * SECOND).allowed);
    }
}

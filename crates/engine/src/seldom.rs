//! Reporting what every request of an outage would repeat: at most once a second.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Between two reports.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives leave to report, or counts what is left out.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    last: Cell<Option<Instant>>,
    left_out: Cell<u64>,
}

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self { last: Cell::new(None), left_out: Cell::new(0) }
    }

    /// How many were left out since the last report, if it is time for another one.
    pub(crate) fn turn(&self, now: Instant) -> Option<u64> {
        if self.last.get().is_some_and(|last| now.duration_since(last) < PAUSE) {
            self.left_out.set(self.left_out.get() + 1);
            return None;
        }
        self.last.set(Some(now));
        Some(self.left_out.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_second_with_the_number_left_out() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        let turn = |millis| seldom.turn(start + Duration::from_millis(millis));
        assert_eq!([turn(0), turn(1), turn(999)], [Some(0), None, None]);
        assert_eq!([turn(1000), turn(1500)], [Some(2), None]);
        assert_eq!([turn(9000), turn(10_000)], [Some(1), Some(0)]);
    }
}

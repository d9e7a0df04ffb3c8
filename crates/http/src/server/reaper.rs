//! One task per worker that visits every connection a few times a second and ends what takes too long.

use std::rc::Rc;

use tokio::time::{MissedTickBehavior, interval};

use super::connection::Clocked;

/// Runs until aborted.
pub(crate) async fn run(worker: Rc<Clocked>) {
    let mut turns = interval(worker.limits.tick);
    // A worker that was busy for long must not find its peers late: they could not be heard meanwhile.
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        worker.clock.advance();
        visit(&worker);
    }
}

/// Checks the open connections and forgets the closed ones.
fn visit(worker: &Clocked) {
    let half_close = worker.config.half_close;
    worker.pulses.borrow_mut().retain(|pulse| match pulse.upgrade() {
        Some(pulse) => {
            pulse.check(&worker.limits, half_close);
            true
        }
        None => false,
    });
}

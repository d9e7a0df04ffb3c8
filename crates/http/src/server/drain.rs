//! The way out: one more answer where a request is on its way, idle connections close, running requests finish, the
//! rest is cut off at the deadline.

use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::connection::{Clocked, Worker};
use super::pulse::{Order, Pulse};
use crate::Service;

/// Peers do not know yet that the server stops: their next request may be on its way, and is answered.
const LAST_CALL: Duration = Duration::from_millis(100);

/// How a shutdown went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections with a request under way that was answered in time.
    pub finished: usize,
    /// Connections between requests.
    pub idle: usize,
    /// Connections cut off at the deadline.
    pub aborted: usize,
}

/// Drains the worker's connections; nothing accepts any more.
pub(crate) async fn run<S: Service + 'static>(worker: &Rc<Worker<S>>) -> DrainReport {
    // One turn of the driver, so that requests which have arrived are seen before connections count as idle.
    tokio::task::yield_now().await;
    let clocked = worker.clocked();
    let open = command(&open_pulses(&clocked), Order::LastCall);
    if open.idle > 0 {
        sleep(LAST_CALL.min(clocked.config.drain)).await;
    }
    command(&open_pulses(&clocked), Order::Drain);
    let all = u32::try_from(clocked.config.max_connections).unwrap_or(u32::MAX);
    let closed = Arc::clone(&worker.slots);
    if timeout(clocked.config.drain, closed.acquire_many(all)).await.is_ok() {
        return DrainReport { aborted: 0, ..open };
    }
    let cut = command(&open_pulses(&clocked), Order::Abort);
    let aborted = cut.finished + cut.idle;
    // Let the tasks see the order, so that their requests are dropped before the runtime goes.
    tokio::task::yield_now().await;
    DrainReport { finished: open.finished.saturating_sub(aborted), idle: open.idle, aborted }
}

fn open_pulses(clocked: &Clocked) -> Vec<Rc<Pulse>> {
    clocked.pulses.borrow().iter().filter_map(Weak::upgrade).collect()
}

/// Gives connections an order; counts the busy ones as finished (they will be) and the others as idle.
fn command(pulses: &[Rc<Pulse>], order: Order) -> DrainReport {
    let mut report = DrainReport::default();
    for pulse in pulses {
        if pulse.phase().awaits_request() {
            report.idle += 1;
        } else {
            report.finished += 1;
        }
        pulse.command(order);
    }
    report
}

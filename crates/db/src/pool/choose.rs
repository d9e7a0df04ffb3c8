//! Which connection takes the next request.
//!
//! Packing wins: requests that share a connection share its system calls, on both sides of the socket. So the first
//! connection with fewer than `pack` requests in flight is taken, in a fixed order, which also lets surplus ones fall
//! idle and go. A connection whose front request has been running for long is avoided as long as there is another one,
//! since answers come in order.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::Inner;
use crate::error::Error;
use crate::postgres::connection::Connection;

/// A front request running for longer than this holds up those behind it.
const SLOW: Duration = Duration::from_millis(5);
/// What waiting behind a slow request is worth, in requests.
const STALLED: usize = 1 << 20;
/// A cancel request on its way may hit whatever comes next.
const CANCELLING: usize = 1 << 21;

impl Inner {
    /// The best connection with room; asks for another one to be opened where that would be better.
    #[inline]
    pub(super) fn choose(self: &Rc<Self>) -> Option<Rc<Connection>> {
        let config = &self.target.config;
        let mut best: Option<(usize, &Rc<Connection>)> = None;
        let members = self.members.borrow();
        let mut now = None;
        for member in &*members {
            let connection = &member.connection;
            let depth = connection.depth();
            if depth >= config.max_pipeline || !connection.is_open() {
                continue;
            }
            let cost = depth + penalty(connection, depth, &mut now);
            if cost < config.pack {
                return Some(Rc::clone(connection));
            }
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, connection));
            }
        }
        let best = best.map(|(_, connection)| Rc::clone(connection));
        drop(members);
        self.grow();
        best
    }

    /// A connection with room, waiting for one if need be.
    #[inline]
    pub(super) async fn acquire(self: &Rc<Self>) -> Result<Rc<Connection>, Error> {
        // Those who wait already come first.
        if self.line.is_empty()
            && !self.closed.get()
            && let Some(connection) = self.choose()
        {
            return Ok(connection);
        }
        self.wait().await
    }

    #[cold]
    async fn wait(self: &Rc<Self>) -> Result<Rc<Connection>, Error> {
        let limit = Duration::from_millis(self.target.config.acquire_timeout_ms);
        let place = self.line.join();
        let turn = poll_fn(|cx| {
            if !place.is_first(cx.waker()) {
                return Poll::Pending;
            }
            if let Some(connection) = self.choose().filter(|_| !self.closed.get()) {
                return Poll::Ready(Ok(connection));
            }
            self.reachable().map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
        });
        timeout(limit, turn).await.unwrap_or_else(|_| Err(self.too_late(limit)))
    }

    fn too_late(&self, limit: Duration) -> Error {
        if self.members.borrow().is_empty() {
            return Error::Unavailable(format!("no connection could be opened within {limit:?}"));
        }
        Error::Exhausted(limit)
    }
}

fn penalty(connection: &Connection, depth: usize, now: &mut Option<Instant>) -> usize {
    let mut penalty = 0;
    if connection.cancellation().is_pending() {
        penalty += CANCELLING;
    }
    if depth > 0 && now.get_or_insert_with(Instant::now).duration_since(connection.since()) > SLOW {
        penalty += STALLED;
    }
    penalty
}

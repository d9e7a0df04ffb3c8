//! Opening connections, losing them, and what happens while the server is away.

use std::hash::{BuildHasher, RandomState};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use tokio::task::spawn_local;
use tracing::{info, warn};

use super::{Inner, upkeep};
use crate::error::Error;
use crate::postgres::Notification;
use crate::postgres::connect::{Route, Target};
use crate::postgres::connection::Connection;
use crate::postgres::driver::{Driver, Events};

/// Pause after the first failed attempt to connect; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause, so that a restarted server is found again within two seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A statement that nobody waits for may run for so long before it is cancelled: most end by themselves, and a cancel
/// request costs the server a process.
const PATIENCE: Duration = Duration::from_millis(5);

/// A connection of the pool.
pub(super) struct Member {
    pub(super) connection: Rc<Connection>,
    /// When it has lived long enough.
    pub(super) expires: Option<Instant>,
}

/// The server cannot be reached.
pub(super) struct Outage {
    why: String,
    failures: u32,
    /// No attempt before.
    until: Instant,
}

impl Inner {
    /// Opens one more connection in the background, if there may be one more.
    pub(super) fn grow(self: &Rc<Self>) {
        let full = self.members.borrow().len() >= self.target.config.max_connections;
        // One at a time: a burst on a cold pool shall not open what a moment later nobody needs.
        if full || self.opening.get() > 0 || self.closed.get() || self.is_paused() {
            return;
        }
        self.opening.set(1);
        spawn_local(open(Rc::downgrade(self), Rc::clone(&self.target)));
    }

    fn is_paused(&self) -> bool {
        self.outage.borrow().as_ref().is_some_and(|outage| Instant::now() < outage.until)
    }

    /// Fails while there is no connection and none is being opened.
    pub(super) fn reachable(&self) -> Result<(), Error> {
        if self.closed.get() {
            return Err(Error::Unavailable("the pool is closed".to_owned()));
        }
        if self.opening.get() > 0 || !self.members.borrow().is_empty() {
            return Ok(());
        }
        let outage = self.outage.borrow();
        let why = outage.as_ref().map_or("no connection is open", |outage| &outage.why);
        Err(Error::Unavailable(why.to_owned()))
    }

    fn opened(self: &Rc<Self>, connection: Rc<Connection>) {
        if let Some(outage) = self.outage.take() {
            info!(attempts = outage.failures, "database can be reached again");
        }
        let expires = upkeep::expiry(&self.target.config, &connection);
        let mut members = self.members.borrow_mut();
        members.push(Member { connection, expires });
        self.counters.opened.set(self.counters.opened.get() + 1);
        if self.closed.get() {
            members.iter().for_each(|member| member.connection.retire());
        }
    }

    /// Notes a failed attempt; returns how long to pause.
    fn failed(&self, why: String) -> Duration {
        let mut outage = self.outage.borrow_mut();
        let failures = outage.as_ref().map_or(0, |outage| outage.failures) + 1;
        let pause = jittered(FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(8)).min(LONGEST_PAUSE));
        if failures == 1 {
            warn!("database cannot be reached: {why}");
        }
        *outage = Some(Outage { why, failures, until: Instant::now() + pause });
        pause
    }

    fn lost(&self, connection: &Rc<Connection>) {
        self.members.borrow_mut().retain(|member| !Rc::ptr_eq(&member.connection, connection));
        self.gone.notify_one();
        self.line.call();
    }

    fn broke(&self, why: &str) {
        self.counters.broken.set(self.counters.broken.get() + 1);
        warn!("database connection lost: {why}");
    }
}

/// A member's place in its pool, given up however its driver ends, by a panic too.
struct Seat {
    pool: Weak<Inner>,
    connection: Rc<Connection>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.lost(&self.connection);
        }
    }
}

/// Opens a connection and drives it to its end. While the pool has none, attempts go on.
async fn open(pool: Weak<Inner>, target: Rc<Target>) {
    loop {
        let result = target.open().await;
        let Some(inner) = pool.upgrade() else { return };
        inner.opening.set(inner.opening.get() - 1);
        let pause = match result {
            Ok((session, route)) => {
                let connection = Rc::new(Connection::new(
                    target.config.statement_cache_size,
                    Rc::clone(&inner.memory),
                    session.key,
                    session.parameters,
                ));
                let events = PoolEvents { pool: pool.clone(), target: Rc::clone(&target), route };
                let driver = Driver::new(Rc::clone(&connection), session.stream, session.input, events)
                    .with_transactions(target.config.transactions);
                inner.opened(Rc::clone(&connection));
                inner.line.call();
                upkeep::start(&inner);
                drop(inner);
                let seat = Seat { pool: pool.clone(), connection };
                let ended = driver.run().await;
                drop(seat);
                if let Some(inner) = pool.upgrade() {
                    if let Err(why) = ended {
                        inner.broke(&why);
                    }
                    inner.keep_one();
                }
                return;
            }
            Err(why) => inner.failed(why),
        };
        inner.line.call();
        drop(inner);
        tokio::time::sleep(pause).await;
        let Some(inner) = pool.upgrade() else { return };
        if !inner.needs_one() {
            return;
        }
        inner.opening.set(inner.opening.get() + 1);
    }
}

impl Inner {
    fn needs_one(&self) -> bool {
        !self.closed.get() && self.opening.get() == 0 && self.members.borrow().is_empty()
    }

    /// Replaces the last connection, so that the next request finds one.
    fn keep_one(self: &Rc<Self>) {
        if self.needs_one() {
            self.grow();
        }
    }
}

/// What the drivers of a pool's connections report.
struct PoolEvents {
    pool: Weak<Inner>,
    target: Rc<Target>,
    route: Route,
}

impl Events for PoolEvents {
    #[inline]
    fn answered(&self) {
        // The pool may be gone while its last answers come.
        if let Some(pool) = self.pool.upgrade() {
            pool.line.call();
        }
    }

    fn cancel(&self, connection: &Rc<Connection>, serial: u64) {
        let (target, route) = (Rc::clone(&self.target), self.route.clone());
        let connection = Rc::clone(connection);
        spawn_local(async move {
            tokio::time::sleep(PATIENCE).await;
            if !connection.is_running(serial) {
                return;
            }
            let cancellation = connection.cancellation();
            cancellation.begin();
            target.cancel(&route, cancellation.key(), || connection.is_running(serial)).await;
            cancellation.done();
        });
    }

    fn notified(&self, notification: Notification) {
        let listener = self.pool.upgrade().and_then(|pool| pool.listener.borrow().clone());
        match listener {
            Some(listener) => listener(notification),
            None => tracing::debug!(channel = notification.channel, "notification without a listener"),
        }
    }
}

/// Between three quarters of a pause and all of it, so that workers do not come in step.
pub(super) fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 1000;
    pause.mul_f64(0.75 + random as f64 / 4000.0)
}

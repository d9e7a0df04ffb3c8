//! Surplus connections go when idle, all of them when they are old.

use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use tokio::task::spawn_local;

use super::Inner;
use super::open::jittered;
use crate::postgres::Config;
use crate::postgres::connection::Connection;

/// Limits are kept to about this.
const LONGEST_NAP: Duration = Duration::from_secs(5);
const SHORTEST_NAP: Duration = Duration::from_millis(50);

/// When a connection has lived long enough; a little earlier for some, so that not all go at once.
pub(super) fn expiry(config: &Config, connection: &Connection) -> Option<Instant> {
    let limit = seconds(config.max_lifetime)?;
    connection.born.checked_add(jittered(limit))
}

/// Looks after the pool as long as it has connections. Only one such task runs: the one started with the first of them.
pub(super) fn start(pool: &Rc<Inner>) {
    let limits = [pool.target.config.idle_timeout, pool.target.config.max_lifetime];
    let Some(shortest) = limits.into_iter().filter_map(seconds).min() else { return };
    if pool.members.borrow().len() == 1 && !pool.tended.replace(true) {
        spawn_local(tend(Rc::downgrade(pool), (shortest / 4).clamp(SHORTEST_NAP, LONGEST_NAP)));
    }
}

async fn tend(pool: Weak<Inner>, nap: Duration) {
    loop {
        tokio::time::sleep(nap).await;
        let Some(pool) = pool.upgrade() else { return };
        if pool.members.borrow().is_empty() {
            pool.tended.set(false);
            return;
        }
        pool.retire_old();
    }
}

impl Inner {
    fn retire_old(&self) {
        let (now, members) = (Instant::now(), self.members.borrow());
        let idle = seconds(self.target.config.idle_timeout);
        let mut open = members.iter().filter(|member| member.connection.is_open()).count();
        // The last ones in order are the surplus: the first ones get the requests.
        for member in members.iter().rev() {
            let connection = &member.connection;
            let unused =
                connection.depth() == 0 && idle.is_some_and(|limit| now - connection.since() > limit);
            let aged = member.expires.is_some_and(|limit| now > limit);
            if aged || (unused && open > 1) {
                connection.retire();
                open = open.saturating_sub(1);
            }
        }
    }
}

fn seconds(value: f64) -> Option<Duration> {
    (value > 0.0).then(|| Duration::from_secs_f64(value))
}

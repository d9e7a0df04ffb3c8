//! A worker's connections to one database. Lives on one thread with everything that uses it.
//!
//! * `choose`: which connection takes the next request;
//! * `line`: those who wait for one;
//! * `open`: opening connections, and what happens while the server is away;
//! * `fetch`: an execution from its first attempt to its last;
//! * `upkeep`: idle and aged connections go;
//! * `stats`: numbers to watch.

mod choose;
mod fetch;
mod line;
mod open;
mod stats;
mod upkeep;

use std::cell::{Cell, OnceCell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

pub use stats::Stats;

use crate::error::Error;
use crate::notifications::Notifications;
use crate::postgres::connect::Target;
use crate::postgres::connection::{Batch, Connection};
use crate::postgres::memory::Memory;
use crate::postgres::{Config, Notification};
use crate::sink::RowSink;
use crate::statement::Statement;
use crate::value::Value;
use line::Line;
use open::{Member, Outage};

/// Connections to one database, opened as needed. Clones share them.
#[derive(Clone)]
pub struct Pool(Rc<Inner>);

struct Inner {
    target: Rc<Target>,
    members: RefCell<Vec<Member>>,
    /// Connections being opened.
    opening: Cell<usize>,
    /// Why the last attempt to open one failed, and until when no other is made.
    outage: RefCell<Option<Outage>>,
    /// Executions that wait for a connection.
    line: Line,
    /// A connection is gone.
    gone: Notify,
    closed: Cell<bool>,
    /// Upkeep is running.
    tended: Cell<bool>,
    memory: Rc<Memory>,
    counters: stats::Counters,
    listener: RefCell<Option<Listener>>,
    notifications: OnceCell<Notifications>,
}

impl Drop for Inner {
    /// Drivers outlive the pool only to say goodbye.
    fn drop(&mut self) {
        self.members.borrow().iter().for_each(|member| member.connection.retire());
    }
}

type Listener = Rc<dyn Fn(Notification)>;

impl Pool {
    /// Prepares a pool; the first connection is opened by the first execution, or by [`Pool::warm_up`].
    ///
    /// # Errors
    /// Settings that can never work: no user, unreadable certificates.
    pub fn new(config: Config) -> Result<Self, String> {
        Ok(Self(Rc::new(Inner {
            target: Rc::new(Target::new(config)?),
            members: RefCell::default(),
            opening: Cell::new(0),
            outage: RefCell::new(None),
            line: Line::default(),
            gone: Notify::new(),
            closed: Cell::new(false),
            tended: Cell::new(false),
            memory: Rc::default(),
            counters: stats::Counters::default(),
            listener: RefCell::new(None),
            notifications: OnceCell::new(),
        })))
    }

    /// Opens the first connection if there is none, to learn at start-up whether the database can be reached.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the reason.
    pub async fn warm_up(&self) -> Result<(), Error> {
        self.0.acquire().await.map(|_| ())
    }

    /// Executes `statement` and feeds its rows to `sink`, which comes back when all are delivered. Dropping the future
    /// cancels the execution.
    ///
    /// # Errors
    /// See [`Error`]; a sink's own error comes back as it is.
    pub async fn fetch<S: RowSink + 'static>(
        &self,
        statement: &Statement,
        args: &[Value],
        sink: S,
    ) -> Result<S, Error> {
        self.lease().await?.send(statement, args, sink).await
    }

    /// Like [`Pool::fetch`], cancelled when it takes longer than `limit`.
    ///
    /// # Errors
    /// [`Error::Timeout`] past the limit; otherwise as [`Pool::fetch`].
    pub async fn fetch_within<S: RowSink + 'static>(
        &self,
        limit: Duration,
        statement: &Statement,
        args: &[Value],
        sink: S,
    ) -> Result<S, Error> {
        tokio::time::timeout(limit, self.fetch(statement, args, sink)).await.unwrap_or(Err(Error::Timeout))
    }

    /// Chooses a connection for several executions, so that they travel together.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Exhausted`].
    pub async fn lease(&self) -> Result<Lease, Error> {
        let connection = self.0.acquire().await?;
        let batch = connection.batch();
        Ok(Lease { pool: Rc::clone(&self.0), connection, batch })
    }

    /// Calls `listener` for every notification that any connection receives.
    pub fn on_notification(&self, listener: impl Fn(Notification) + 'static) {
        *self.0.listener.borrow_mut() = Some(Rc::new(listener));
    }

    /// What `NOTIFY` sends, heard over a connection of its own that all subscribers share.
    #[must_use]
    pub fn notifications(&self) -> Notifications {
        self.0.notifications.get_or_init(|| Notifications::new(Rc::clone(&self.0.target))).clone()
    }

    /// A setting as the server last reported it (`server_version`, `TimeZone`, …), once there is a connection.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.0.members.borrow().first()?.connection.parameter(name)
    }

    /// Numbers to watch.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// Takes no more executions, lets those in flight finish, and says goodbye to the server. Returns when all
    /// connections are gone or after `limit`.
    pub async fn close(&self, limit: Duration) {
        self.0.closed.set(true);
        for member in &*self.0.members.borrow() {
            member.connection.retire();
        }
        self.0.line.call();
        let deadline = Instant::now() + limit;
        while !self.0.members.borrow().is_empty() || self.0.opening.get() > 0 {
            if timeout_at(deadline, self.0.gone.notified()).await.is_err() {
                break;
            }
        }
        self.0.members.borrow_mut().clear();
    }
}

/// A connection chosen for several executions. It is not reserved: others may use it at the same time.
pub struct Lease {
    pool: Rc<Inner>,
    connection: Rc<Connection>,
    batch: Batch,
}

impl Lease {
    /// Puts an execution on its way at once (the first one of a statement after it is prepared); the future waits for
    /// its end. Futures may be awaited in any order.
    pub fn send<'a, S: RowSink + 'static>(
        &self,
        statement: &'a Statement,
        args: &'a [Value],
        sink: S,
    ) -> impl Future<Output = Result<S, Error>> + use<'a, S> {
        let stage = self.connection.begin(statement, args, sink, Some(self.batch));
        let attempt = fetch::Attempt {
            pool: Rc::clone(&self.pool),
            connection: Rc::clone(&self.connection),
            statement,
            args,
        };
        attempt.finish(stage)
    }
}

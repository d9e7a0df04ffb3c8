//! Which engine an operation runs on.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_db::error::Error;
use plectrum_db::notifications::Notifications;
use plectrum_db::pool::Pool;
use plectrum_db::sqlite::Sqlite;
use plectrum_db::value::Value;
use plectrum_db::{Context, Operation, Outcome, buffer, execute};

use crate::observe::execution;

/// An execution under way on a foreign database.
pub type Execution = Pin<Box<dyn Future<Output = Result<Outcome, Error>>>>;

/// A database Rust does not speak to itself: Django's own connection.
pub trait Foreign {
    /// Runs `operation`; the bytes are the same as on any other engine.
    fn execute(&self, operation: Arc<Operation>, args: Vec<Value>, context: Context) -> Execution;

    /// A database of ours that it hands some executions on to.
    fn own(&self) -> Option<&Database> {
        None
    }
}

/// One alias of a worker.
#[derive(Clone)]
pub enum Database {
    /// A pool of pipelined connections.
    Postgres(Pool),
    /// Threads with a connection each.
    Sqlite(Rc<Sqlite>),
    /// The binding's.
    Foreign(Rc<dyn Foreign>),
}

impl Database {
    /// Closes every connection, after what is running on it or `grace`.
    pub async fn close(&self, grace: Duration) {
        let own = if let Self::Foreign(foreign) = self { foreign.own() } else { Some(self) };
        if let Some(Self::Postgres(pool)) = own {
            pool.close(grace).await;
        }
    }

    /// What `NOTIFY` sends; `None` where the engine has no such thing.
    #[must_use]
    pub fn notifications(&self) -> Option<Notifications> {
        match self {
            Self::Postgres(pool) => Some(pool.notifications()),
            Self::Sqlite(_) => None,
            Self::Foreign(foreign) => foreign.own().and_then(Self::notifications),
        }
    }

    /// Runs an operation.
    ///
    /// # Errors
    /// The first error of any statement.
    pub async fn run(
        &self,
        operation: &Arc<Operation>,
        args: Vec<Value>,
        context: Context,
    ) -> Result<Outcome, Error> {
        let _observed = execution::begin(operation);
        self.run_unobserved(operation, args, context).await
    }

    /// [`Database::run`], given up after `limit`; what runs is cancelled.
    ///
    /// # Errors
    /// [`Error::Timeout`] past the limit; else as [`Database::run`].
    pub async fn run_within(
        &self,
        limit: Option<Duration>,
        operation: &Arc<Operation>,
        args: Vec<Value>,
        context: Context,
    ) -> Result<Outcome, Error> {
        let running = self.run(operation, args, context);
        match limit {
            Some(limit) => tokio::time::timeout(limit, running).await.unwrap_or(Err(Error::Timeout)),
            None => running.await,
        }
    }

    /// [`Database::run`] for a foreign database that hands an execution on, which is observed already.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn run_unobserved(
        &self,
        operation: &Arc<Operation>,
        args: Vec<Value>,
        context: Context,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Foreign(foreign) => foreign.execute(Arc::clone(operation), args, context).await,
            own => own.append(operation, args, context, buffer::take()).await,
        }
    }

    /// Runs an operation; the bytes are appended to `out`.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn run_into(
        &self,
        operation: &Arc<Operation>,
        args: Vec<Value>,
        context: Context,
        out: Vec<u8>,
    ) -> Result<Outcome, Error> {
        let _observed = execution::begin(operation);
        self.append(operation, args, context, out).await
    }

    async fn append(
        &self,
        operation: &Arc<Operation>,
        args: Vec<Value>,
        context: Context,
        mut out: Vec<u8>,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Postgres(pool) => execute(pool, operation, &args, &context, out).await,
            Self::Sqlite(sqlite) => execute(&**sqlite, operation, &args, &context, out).await,
            Self::Foreign(foreign) => match foreign.execute(Arc::clone(operation), args, context).await? {
                Outcome::Found(bytes) => {
                    out.extend_from_slice(&bytes);
                    buffer::give(bytes);
                    Ok(Outcome::Found(out))
                }
                Outcome::NotFound => Ok(Outcome::NotFound),
            },
        }
    }
}

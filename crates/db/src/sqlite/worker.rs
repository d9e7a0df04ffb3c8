//! A thread that runs statements on its own connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::oneshot;

use super::cell::SqliteRow;
use super::config::Config;
use super::{bind, connection, error};
use crate::error::Error;
use crate::plan::{BindType, Kind};
use crate::value::Value;
use crate::writer::RowWriter;

/// A statement to run.
pub(super) struct Job {
    pub(super) sql: String,
    pub(super) types: Box<[BindType]>,
    pub(super) values: Vec<Value>,
    pub(super) writer: RowWriter,
    pub(super) ticket: Arc<Ticket>,
    pub(super) reply: oneshot::Sender<Result<RowWriter, Error>>,
}

/// A job's state, shared with whoever waits for it.
#[derive(Default)]
pub(super) struct Ticket {
    cancelled: AtomicBool,
    /// The connection while it runs this job. Held while interrupting, so that no other job is hit.
    running: Mutex<Option<Arc<InterruptHandle>>>,
}

impl Ticket {
    /// Nobody wants the rows any more.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        if let Ok(running) = self.running.lock()
            && let Some(connection) = &*running
        {
            connection.interrupt();
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn set(&self, connection: Option<Arc<InterruptHandle>>) {
        if let Ok(mut running) = self.running.lock() {
            *running = connection;
        }
    }
}

/// The thread's connection, opened for its first job.
pub(super) struct Worker {
    config: Arc<Config>,
    open: Option<(Connection, Arc<InterruptHandle>)>,
}

impl Worker {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, open: None }
    }

    /// Runs a job and answers it.
    pub(super) fn run(&mut self, job: Job) {
        let Job { sql, types, values, mut writer, ticket, reply } = job;
        let config = Arc::clone(&self.config);
        let answer = match self.connection() {
            Ok((connection, interrupt)) => {
                ticket.set(Some(Arc::clone(interrupt)));
                let run = Run { connection, ticket: &ticket, config: &config };
                let outcome = run.statement(&sql, &types, &values, &mut writer);
                ticket.set(None);
                outcome.map(|()| writer)
            }
            Err(error) => Err(error),
        };
        // Who went away does not want to know.
        let _ = reply.send(answer);
    }

    fn connection(&mut self) -> Result<&(Connection, Arc<InterruptHandle>), Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let connection = connection::open(&self.config)?;
                let interrupt = Arc::new(connection.get_interrupt_handle());
                (connection, interrupt)
            }
        };
        Ok(self.open.insert(open))
    }
}

/// One run of a statement.
struct Run<'a> {
    connection: &'a Connection,
    ticket: &'a Ticket,
    config: &'a Config,
}

impl Run<'_> {
    fn statement(
        &self,
        sql: &str,
        types: &[BindType],
        values: &[Value],
        writer: &mut RowWriter,
    ) -> Result<(), Error> {
        if self.ticket.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let classify = |why| error::classify(why, self.config.busy_timeout());
        let mut statement = self.connection.prepare_cached(sql).map_err(classify)?;
        check_columns(writer.kinds(), statement.column_count())?;
        if statement.parameter_count() != values.len() {
            let (expected, given) = (statement.parameter_count(), values.len());
            return Err(Error::Bind(
                given,
                format!("the statement has {expected} placeholders, the plan {given}"),
            ));
        }
        for (index, value) in values.iter().enumerate() {
            let kind = types.get(index).copied().unwrap_or_default();
            let stored = bind::stored(value, kind, &writer.clock).map_err(|why| Error::Bind(index, why))?;
            statement.raw_bind_parameter(index + 1, stored).map_err(classify)?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(classify)? {
            if self.ticket.is_cancelled() {
                return Err(Error::Cancelled);
            }
            writer.row(|kinds, clock| SqliteRow { row, kinds, clock })?;
        }
        drop(rows);
        statement.clear_bindings();
        writer.complete();
        Ok(())
    }
}

fn check_columns(kinds: &[Kind], found: usize) -> Result<(), Error> {
    if kinds.len() != found {
        let planned = kinds.len();
        let why = format!("the plan has {planned} columns, the statement returns {found}");
        return Err(Error::Column(planned.min(found), why));
    }
    let foreign = |kind: &Kind| matches!(kind, Kind::Array { .. } | Kind::Hstore | Kind::Range { .. });
    match kinds.iter().position(foreign) {
        Some(column) => Err(Error::Column(column, format!("SQLite has no type for {:?}", kinds[column]))),
        None => Ok(()),
    }
}

//! Putting an execution on its way over a [`Connection`].

use std::rc::Rc;

use postgres_protocol::message::frontend;

use super::bind;
use super::call::{Call, Described as Columns, Reply, Running};
use super::connection::{Batch, Connection, Phase};
use super::prepared::{Described, Prepared};
use super::variant::Variant;
use crate::error::Error;
use crate::sink::RowSink;
use crate::statement::Statement;
use crate::value::Value;

/// What became of a request to execute something.
pub(crate) enum Stage<S: RowSink> {
    /// In flight.
    Running(Running<S>),
    /// Its statement is being prepared first.
    Preparing(Expected, S),
    /// The arguments do not fit.
    Unfit(Error),
    /// The connection takes no requests any more.
    Closed(S),
}

/// An execution that begins once its statement is prepared. It counts as in flight meanwhile.
pub(crate) struct Expected {
    connection: Rc<Connection>,
    pub(crate) prepared: Rc<Prepared>,
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.connection.expected.set(self.connection.expected.get() - 1);
    }
}

impl Connection {
    /// Starts an execution: in flight at once if the statement is prepared. Reading statements of one `batch` that
    /// are begun together share a Sync, and with it the server's answer.
    pub(crate) fn begin<S: RowSink + 'static>(
        self: &Rc<Self>,
        statement: &Statement,
        args: &[Value],
        sink: S,
        batch: Option<Batch>,
    ) -> Stage<S> {
        if self.phase.get() != Phase::Open {
            return Stage::Closed(sink);
        }
        let variant = Variant::of(statement, args);
        if !self.named {
            return self.execute_unnamed(statement, variant, args, sink);
        }
        let mut statements = self.statements.borrow_mut();
        if let Some(known) = statements.find(statement, variant) {
            return match known.described() {
                Some(described) => {
                    let batch = batch.filter(|_| statement.is_repeatable());
                    self.execute(known, described, args, sink, batch)
                }
                None => Stage::Preparing(self.expect(known), sink),
            };
        }
        let (prepared, doomed) = statements.insert(statement, variant);
        match self.prepare(statement, variant, &prepared, &doomed) {
            Ok(()) => Stage::Preparing(self.expect(&prepared), sink),
            Err(error) => {
                statements.forget(statement, variant, &prepared.name);
                Stage::Unfit(error)
            }
        }
    }

    fn expect(self: &Rc<Self>, prepared: &Rc<Prepared>) -> Expected {
        self.expected.set(self.expected.get() + 1);
        Expected { connection: Rc::clone(self), prepared: Rc::clone(prepared) }
    }

    /// Begins an execution whose statement has been prepared meanwhile.
    pub(crate) fn resume<S: RowSink + 'static>(
        self: &Rc<Self>,
        expected: &Expected,
        described: &Described,
        args: &[Value],
        sink: S,
    ) -> Stage<S> {
        // The connection may have ended between the description and this call.
        if self.phase.get() == Phase::Closed {
            return Stage::Closed(sink);
        }
        self.execute(&expected.prepared, described, args, sink, None)
    }

    /// Executes a prepared statement.
    fn execute<S: RowSink + 'static>(
        self: &Rc<Self>,
        prepared: &Rc<Prepared>,
        described: &Described,
        args: &[Value],
        sink: S,
        batch: Option<Batch>,
    ) -> Stage<S> {
        let joins = self.joins(batch);
        let written = self.outbox().append(joins, |out| {
            bind::write(out, &prepared.name, &described.parameters, args)?;
            out.extend_from_slice(bind::EXECUTE_SYNC);
            Ok(())
        });
        let start = match written {
            Ok(start) => start,
            Err(error) => return Stage::Unfit(error),
        };
        let call = Rc::new(Call::new(sink, Columns::Already(Rc::clone(&described.columns))));
        let serial = self.enqueue(start, call.clone(), joins, batch);
        let prepared = Some(Rc::clone(prepared));
        Stage::Running(Running { call, connection: Rc::clone(self), serial, prepared })
    }

    /// Parses, describes and executes in one go, leaving nothing behind on the server.
    fn execute_unnamed<S: RowSink + 'static>(
        self: &Rc<Self>,
        statement: &Statement,
        variant: Variant,
        args: &[Value],
        sink: S,
    ) -> Stage<S> {
        let mut types: Vec<u32> = variant.oids(statement, self.memory.infers(statement)).collect();
        types.resize(args.len().max(types.len()), 0);
        let start = match self.outbox().append(false, |out| {
            frontend::parse("", statement.sql(), types.iter().copied(), out).map_err(unfit)?;
            bind::write(out, "", &types, args)?;
            frontend::describe(b'P', "", out).map_err(unfit)?;
            out.extend_from_slice(bind::EXECUTE_SYNC);
            Ok(())
        }) {
            Ok(start) => start,
            Err(error) => return Stage::Unfit(error),
        };
        let call = Rc::new(Call::new(sink, Columns::WithRows(Rc::clone(&self.memory), statement.id())));
        let serial = self.enqueue(start, call.clone(), false, None);
        Stage::Running(Running { call, connection: Rc::clone(self), serial, prepared: None })
    }

    fn prepare(
        &self,
        statement: &Statement,
        variant: Variant,
        prepared: &Rc<Prepared>,
        doomed: &[String],
    ) -> Result<(), Error> {
        let start = self.outbox().append(false, |out| {
            for name in doomed {
                frontend::close(b'S', name, out).map_err(unfit)?;
            }
            let oids: Vec<u32> = variant.oids(statement, self.memory.infers(statement)).collect();
            frontend::parse(&prepared.name, statement.sql(), oids, out).map_err(unfit)?;
            frontend::describe(b'S', &prepared.name, out).map_err(unfit)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.enqueue(start, Rc::clone(prepared) as Rc<dyn Reply>, false, None);
        Ok(())
    }
}

/// SQL with a zero byte, or too long for the protocol.
fn unfit(error: std::io::Error) -> Error {
    Error::Server {
        code: "42601".to_owned(),
        message: format!("the statement cannot be sent: {error}"),
        detail: None,
        position: None,
    }
}

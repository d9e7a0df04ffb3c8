//! One connection as its users see it: requests are written into an outbox and answered in order.
//!
//! Everything happens on one thread. A request is encoded the moment it is made; the driver task is woken once and then
//! writes everything that gathered meanwhile with one system call.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use super::bind;
use super::cache::Cache;
use super::call::{Call, Described as Columns, Reply, Running};
use super::cancel::CancelKey;
use super::memory::Memory;
use super::prepared::{Described, Prepared};
use super::variant::Variant;
use crate::error::Error;
use crate::sink::RowSink;
use crate::statement::Statement;
use crate::value::Value;

/// After a cancel request was delivered its signal may still hit a later statement for so long.
const CANCEL_ECHO: Duration = Duration::from_secs(1);
/// An outbox larger than this is given back once it is empty.
const LARGE_OUTBOX: usize = 256 * 1024;

/// Shared by the users of a connection and its driver.
pub(crate) struct Connection {
    outbox: RefCell<Outbox>,
    queue: RefCell<VecDeque<Request>>,
    statements: RefCell<Cache>,
    named: bool,
    memory: Rc<Memory>,
    phase: Cell<Phase>,
    /// Executions whose statement is being prepared.
    expected: Cell<usize>,
    /// Serial number of the next request.
    next: Cell<u64>,
    /// When the front request became the front one, or the connection idle.
    since: Cell<Instant>,
    /// When the session began.
    pub(crate) born: Instant,
    driver: RefCell<Option<Waker>>,
    /// The driver knows already that there is something to do.
    woken: Cell<bool>,
    cancel: CancelState,
    /// What the server reported about its settings.
    parameters: RefCell<BTreeMap<String, String>>,
}

/// Bytes on their way to the server.
struct Outbox {
    bytes: BytesMut,
    /// Position in the connection's whole output of the first byte of `bytes`.
    written: u64,
}

struct Request {
    serial: u64,
    /// Position of its first byte in the connection's whole output.
    start: u64,
    reply: Rc<dyn Reply>,
}

/// Life of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Takes requests.
    Open,
    /// Answers what is in flight, then says goodbye.
    Retiring,
    /// Gone.
    Closed,
}

struct CancelState {
    key: CancelKey,
    /// The request that the driver shall have cancelled.
    wanted: Cell<Option<u64>>,
    /// Cancel requests on their way.
    pending: Cell<u32>,
    /// Until when a cancelled statement may be the wrong one.
    echo: Cell<Option<Instant>>,
}

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
    pub(crate) fn new(
        cache_size: usize,
        memory: Rc<Memory>,
        key: CancelKey,
        parameters: BTreeMap<String, String>,
    ) -> Self {
        let now = Instant::now();
        Self {
            outbox: RefCell::new(Outbox { bytes: BytesMut::new(), written: 0 }),
            queue: RefCell::default(),
            statements: RefCell::new(Cache::new(cache_size, Rc::clone(&memory))),
            named: cache_size > 0,
            memory,
            phase: Cell::new(Phase::Open),
            expected: Cell::new(0),
            next: Cell::new(0),
            since: Cell::new(now),
            born: now,
            driver: RefCell::new(None),
            woken: Cell::new(false),
            cancel: CancelState {
                key,
                wanted: Cell::new(None),
                pending: Cell::new(0),
                echo: Cell::new(None),
            },
            parameters: RefCell::new(parameters),
        }
    }

    /// Starts an execution: in flight at once if the statement is prepared.
    pub(crate) fn begin<S: RowSink + 'static>(
        self: &Rc<Self>,
        statement: &Statement,
        args: &[Value],
        sink: S,
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
                Some(described) => self.execute(known, described, args, sink),
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
        self.execute(&expected.prepared, described, args, sink)
    }

    /// Executes a prepared statement.
    fn execute<S: RowSink + 'static>(
        self: &Rc<Self>,
        prepared: &Rc<Prepared>,
        described: &Described,
        args: &[Value],
        sink: S,
    ) -> Stage<S> {
        let start = {
            let mut outbox = self.outbox.borrow_mut();
            let start = outbox.end();
            if let Err(error) = bind::write(&mut outbox.bytes, &prepared.name, &described.parameters, args) {
                return Stage::Unfit(error);
            }
            outbox.bytes.extend_from_slice(bind::EXECUTE_SYNC);
            start
        };
        let call = Rc::new(Call::new(sink, Columns::Already(Rc::clone(&described.columns))));
        let serial = self.enqueue(start, call.clone());
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
        let start = match self.outbox.borrow_mut().append(|out| {
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
        let serial = self.enqueue(start, call.clone());
        Stage::Running(Running { call, connection: Rc::clone(self), serial, prepared: None })
    }

    fn prepare(
        &self,
        statement: &Statement,
        variant: Variant,
        prepared: &Rc<Prepared>,
        doomed: &[String],
    ) -> Result<(), Error> {
        let start = self.outbox.borrow_mut().append(|out| {
            for name in doomed {
                frontend::close(b'S', name, out).map_err(unfit)?;
            }
            let oids: Vec<u32> = variant.oids(statement, self.memory.infers(statement)).collect();
            frontend::parse(&prepared.name, statement.sql(), oids, out).map_err(unfit)?;
            frontend::describe(b'S', &prepared.name, out).map_err(unfit)?;
            frontend::sync(out);
            Ok(())
        })?;
        self.enqueue(start, Rc::clone(prepared) as Rc<dyn Reply>);
        Ok(())
    }

    /// Forgets the stale prepared statement that these arguments led to.
    pub(crate) fn forget(&self, statement: &Statement, args: &[Value], name: &str) {
        self.statements.borrow_mut().forget(statement, Variant::of(statement, args), name);
    }

    fn enqueue(&self, start: u64, reply: Rc<dyn Reply>) -> u64 {
        let serial = self.next.get();
        self.next.set(serial + 1);
        let mut queue = self.queue.borrow_mut();
        if queue.is_empty() {
            self.since.set(Instant::now());
        }
        queue.push_back(Request { serial, start, reply });
        self.wake();
        serial
    }

    /// Nobody wants the answer of this request any more. If the server is working on it, it is told to stop.
    pub(crate) fn abandon(&self, serial: u64) {
        let queue = self.queue.borrow();
        let Some(front) = queue.front() else { return };
        if front.serial == serial && front.start < self.outbox.borrow().written {
            self.cancel.wanted.set(Some(serial));
            self.wake();
        }
    }

    /// Takes no more requests and ends when all are answered.
    pub(crate) fn retire(&self) {
        if self.phase.get() == Phase::Open {
            self.phase.set(Phase::Retiring);
            self.wake();
        }
    }

    fn wake(&self) {
        if !self.woken.replace(true)
            && let Some(driver) = &*self.driver.borrow()
        {
            driver.wake_by_ref();
        }
    }

    /// Requests not yet answered, and those that will follow when their statement is prepared.
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.queue.borrow().len() + self.expected.get()
    }

    /// Whether it takes requests.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.phase.get() == Phase::Open
    }

    /// When the front request became the front one, or the connection idle.
    #[inline]
    pub(crate) fn since(&self) -> Instant {
        self.since.get()
    }

    /// Whether a cancel request is on its way.
    #[inline]
    pub(crate) fn is_cancelling(&self) -> bool {
        self.cancel.pending.get() > 0
    }

    /// A setting as the server last reported it.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.borrow().get(name).cloned()
    }
}

/// The driver's side.
impl Connection {
    /// Remembers whom to wake, and that it is awake.
    pub(super) fn attend(&self, waker: &Waker) {
        self.woken.set(false);
        let mut driver = self.driver.borrow_mut();
        match &mut *driver {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Lets `write` put bytes on the wire; it returns how many.
    pub(super) fn drain<E>(&self, write: impl FnOnce(&[u8]) -> Result<usize, E>) -> Result<bool, E> {
        let mut outbox = self.outbox.borrow_mut();
        if outbox.bytes.is_empty() {
            return Ok(false);
        }
        let count = write(&outbox.bytes)?;
        outbox.took(count);
        Ok(count > 0)
    }

    /// Whether everything is on the wire.
    pub(super) fn is_drained(&self) -> bool {
        self.outbox.borrow().bytes.is_empty()
    }

    pub(super) fn say_goodbye(&self) {
        frontend::terminate(&mut self.outbox.borrow_mut().bytes);
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Whose answer comes next.
    #[inline]
    pub(super) fn front(&self) -> Option<Rc<dyn Reply>> {
        self.queue.borrow().front().map(|request| Rc::clone(&request.reply))
    }

    /// The front request is answered.
    #[inline]
    pub(super) fn pop(&self) {
        self.queue.borrow_mut().pop_front();
    }

    /// The front request changed.
    pub(super) fn mark(&self) {
        self.since.set(Instant::now());
    }

    /// Whether a cancelled statement may not be the one that was meant.
    pub(super) fn may_echo(&self) -> bool {
        self.is_cancelling() || self.cancel.echo.get().is_some_and(|until| Instant::now() < until)
    }

    /// Whether a cancel request has to be sent now; counts as sent from here on.
    pub(super) fn wants_cancel(&self) -> bool {
        let front = self.queue.borrow().front().map(|request| request.serial);
        let wanted = self.cancel.wanted.take().is_some_and(|serial| front == Some(serial));
        if wanted {
            self.cancel.pending.set(self.cancel.pending.get() + 1);
        }
        wanted
    }

    /// What identifies this session to a cancel request.
    pub(crate) fn cancel_key(&self) -> CancelKey {
        self.cancel.key
    }

    /// The cancel request reached the server, or failed.
    pub(crate) fn cancelled(&self) {
        self.cancel.pending.set(self.cancel.pending.get().saturating_sub(1));
        self.cancel.echo.set(Some(Instant::now() + CANCEL_ECHO));
    }

    pub(super) fn set_parameter(&self, name: String, value: String) {
        self.parameters.borrow_mut().insert(name, value);
    }

    /// Ends every request in flight, each exactly once.
    pub(super) fn close(&self, why: &str) {
        self.phase.set(Phase::Closed);
        let written = self.outbox.borrow().written;
        let queue = std::mem::take(&mut *self.queue.borrow_mut());
        for request in queue {
            request.reply.lost(why, request.start < written);
        }
    }
}

impl Outbox {
    fn end(&self) -> u64 {
        self.written + self.bytes.len() as u64
    }

    /// Appends all that `write` writes, or nothing.
    fn append(&mut self, write: impl FnOnce(&mut BytesMut) -> Result<(), Error>) -> Result<u64, Error> {
        let (start, length) = (self.end(), self.bytes.len());
        match write(&mut self.bytes) {
            Ok(()) => Ok(start),
            Err(error) => {
                self.bytes.truncate(length);
                Err(error)
            }
        }
    }

    fn took(&mut self, count: usize) {
        self.written += count as u64;
        if count < self.bytes.len() {
            let _ = self.bytes.split_to(count);
        } else if self.bytes.capacity() > LARGE_OUTBOX {
            self.bytes = BytesMut::new();
        } else {
            self.bytes.clear();
        }
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

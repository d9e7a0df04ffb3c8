//! One connection as its users see it: requests are written into an outbox and answered in order.
//!
//! Everything happens on one thread. A request is encoded the moment it is made; the driver task is woken once and then
//! writes everything that gathered meanwhile with one system call.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use super::cache::Cache;
use super::call::Reply;
use super::cancel::{CancelKey, Cancellation};
use super::memory::Memory;
use super::outbox::Outbox;
use super::variant::Variant;
use crate::statement::Statement;
use crate::value::Value;

/// Shared by the users of a connection and its driver.
pub(crate) struct Connection {
    pub(super) outbox: RefCell<Outbox>,
    queue: RefCell<VecDeque<Request>>,
    pub(super) statements: RefCell<Cache>,
    pub(super) named: bool,
    pub(super) memory: Rc<Memory>,
    pub(super) phase: Cell<Phase>,
    /// Executions whose statement is being prepared.
    pub(super) expected: Cell<usize>,
    /// Serial number of the next request.
    next: Cell<u64>,
    batches: Cell<u64>,
    /// When the front request became the front one, or the connection idle.
    since: Cell<Instant>,
    /// When the session began.
    pub(crate) born: Instant,
    driver: RefCell<Option<Waker>>,
    /// The driver knows already that there is something to do.
    woken: Cell<bool>,
    cancel: Cancellation,
    /// What the server reported about its settings.
    parameters: RefCell<BTreeMap<String, String>>,
}

struct Request {
    serial: u64,
    /// Position of its first byte in the connection's whole output.
    start: u64,
    reply: Rc<dyn Reply>,
    interest: Interest,
    /// The execution it is part of, unless it has to be alone in its transaction.
    batch: Option<Batch>,
    /// The next request comes before the Sync that ends this one, too: CommandComplete is all that ends it, and if it
    /// fails the server skips the next one.
    joined: bool,
}

/// One execution of several statements, by a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch(u64);

/// Whether anybody waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interest {
    Wanted,
    Abandoned,
    /// Abandoned, and its cancellation is arranged for.
    Cancelling,
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

impl Connection {
    pub(crate) fn new(
        cache_size: usize,
        memory: Rc<Memory>,
        key: CancelKey,
        parameters: BTreeMap<String, String>,
    ) -> Self {
        let now = Instant::now();
        Self {
            outbox: RefCell::default(),
            queue: RefCell::default(),
            statements: RefCell::new(Cache::new(cache_size, Rc::clone(&memory))),
            named: cache_size > 0,
            memory,
            phase: Cell::new(Phase::Open),
            expected: Cell::new(0),
            next: Cell::new(0),
            batches: Cell::new(0),
            since: Cell::new(now),
            born: now,
            driver: RefCell::new(None),
            woken: Cell::new(false),
            cancel: Cancellation::new(key),
            parameters: RefCell::new(parameters),
        }
    }

    /// Forgets the stale prepared statement that these arguments led to.
    pub(crate) fn forget(&self, statement: &Statement, args: &[Value], name: &str) {
        self.statements.borrow_mut().forget(statement, Variant::of(statement, args), name);
    }

    /// For the statements of one execution.
    pub(crate) fn batch(&self) -> Batch {
        self.batches.set(self.batches.get() + 1);
        Batch(self.batches.get())
    }

    /// Whether the last request is of this batch, too, and none of it is on the wire.
    pub(super) fn joins(&self, batch: Option<Batch>) -> bool {
        let queue = self.queue.borrow();
        batch.is_some()
            && queue
                .back()
                .is_some_and(|last| last.batch == batch && !self.outbox.borrow().has_left(last.start))
    }

    /// `joins`: the request before it gave up its Sync.
    pub(super) fn enqueue(&self, start: u64, reply: Rc<dyn Reply>, joins: bool, batch: Option<Batch>) -> u64 {
        let serial = self.next.get();
        self.next.set(serial + 1);
        let mut queue = self.queue.borrow_mut();
        if queue.is_empty() {
            self.since.set(Instant::now());
        }
        if joins && let Some(last) = queue.back_mut() {
            last.joined = true;
        }
        queue.push_back(Request { serial, start, reply, interest: Interest::Wanted, batch, joined: false });
        self.wake();
        serial
    }

    /// Nobody wants the answer of this request any more. If the server works on it for long, it is told to stop.
    pub(crate) fn abandon(&self, serial: u64) {
        let mut queue = self.queue.borrow_mut();
        // Serial numbers are consecutive.
        let index = queue.front().and_then(|front| usize::try_from(serial.checked_sub(front.serial)?).ok());
        if let Some(request) = index.and_then(|index| queue.get_mut(index)) {
            request.interest = Interest::Abandoned;
            self.wake();
        }
    }

    /// Whether the server is working on this request.
    pub(crate) fn is_running(&self, serial: u64) -> bool {
        let queue = self.queue.borrow();
        queue
            .front()
            .is_some_and(|front| front.serial == serial && self.outbox.borrow().has_left(front.start))
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

    /// Cancel requests to this connection's session.
    #[inline]
    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancel
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

    pub(super) fn outbox(&self) -> RefMut<'_, Outbox> {
        self.outbox.borrow_mut()
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Whose answer comes next.
    #[inline]
    pub(super) fn front(&self) -> Option<Rc<dyn Reply>> {
        self.queue.borrow().front().map(|request| Rc::clone(&request.reply))
    }

    /// Whether the front request ends before the next Sync.
    #[inline]
    pub(super) fn is_joined(&self) -> bool {
        self.queue.borrow().front().is_some_and(|front| front.joined)
    }

    /// The front request is answered.
    #[inline]
    pub(super) fn pop(&self) {
        // Dropped after the queue is free again: what the request holds may look at it.
        let _answered = self.queue.borrow_mut().pop_front();
    }

    /// The front request is answered and the server has come to its Sync: if others were to come before that, they
    /// were skipped.
    #[inline]
    pub(super) fn pop_synced(&self) {
        while self.is_joined() {
            self.pop();
            if let Some(skipped) = self.front() {
                skipped.lost("another statement of the same execution failed", false);
            }
        }
        self.pop();
    }

    /// The front request changed.
    pub(super) fn mark(&self) {
        self.since.set(Instant::now());
    }

    /// The request that the server works on for nobody, told once.
    pub(super) fn unwanted(&self) -> Option<u64> {
        let mut queue = self.queue.borrow_mut();
        let front = queue.front_mut().filter(|front| front.interest == Interest::Abandoned)?;
        front.interest = Interest::Cancelling;
        Some(front.serial)
    }

    pub(super) fn set_parameter(&self, name: String, value: String) {
        self.parameters.borrow_mut().insert(name, value);
    }

    /// Ends every request in flight, each exactly once.
    pub(super) fn close(&self, why: &str) {
        self.phase.set(Phase::Closed);
        let queue = std::mem::take(&mut *self.queue.borrow_mut());
        for request in queue {
            let sent = self.outbox.borrow().has_left(request.start);
            request.reply.lost(why, sent);
        }
    }
}

//! What a connection tells about itself: which phase it is in, and since when.
//!
//! The hot path only stores into `Cell`s. Time is a counter that the reaper advances a few times a second,
//! so no clock is read and no timer is moved per request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use crate::Timeouts;
use crate::body::BodyWatch;
use crate::sse::EventBody;
use crate::websocket::Socket;

/// How long a peer may take to answer a close frame.
const PARTING: Duration = Duration::from_secs(5);

/// Reaper turns since the server started.
pub(crate) type Tick = u32;

/// The worker's coarse clock.
#[derive(Default)]
pub(crate) struct Clock(Cell<Tick>);

impl Clock {
    pub(crate) fn now(&self) -> Tick {
        self.0.get()
    }

    pub(crate) fn advance(&self) {
        self.0.set(self.0.get().wrapping_add(1));
    }
}

/// Where a connection is in the life of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connected, nothing received.
    Fresh,
    /// Part of a request head received.
    Head,
    /// The service is working on an answer.
    Answering,
    /// The answer is a stream that has not ended.
    Streaming,
    /// The whole answer is known and on its way out.
    Responding,
    /// Between two requests.
    Idle,
    /// A WebSocket, heard of since.
    Talking,
    /// A WebSocket that was asked for a sign of life.
    Pinged,
    /// A WebSocket that was told goodbye.
    Parting,
}

impl Phase {
    /// Whether no request is under way: anything the protocol engine writes now is its own error answer.
    pub(crate) fn awaits_request(self) -> bool {
        matches!(self, Self::Fresh | Self::Head | Self::Idle)
    }
}

/// What the connection's task has to do when it is woken from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Nothing special.
    Serve,
    /// The next answer is the last one, and says so.
    LastCall,
    /// Finish what runs, then close.
    Drain,
    /// Close: the peer took too long.
    Expire(Overdue),
    /// Close now, whatever runs.
    Abort,
}

/// Which wait took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing was asked, so nothing is answered.
    Silence,
    /// A head was begun and not finished: 408.
    Head,
    /// The peer does not take its response.
    Write,
    /// A WebSocket's peer has said nothing for long, or a stream of events has: something is to be said.
    Quiet,
}

/// What a connection becomes that hyper gives up.
pub(crate) enum Next {
    /// A WebSocket, once the answer is out.
    Conversation(Rc<Socket>),
    /// A stream of events, which begins with this head.
    Events(Vec<u8>, Box<EventBody>),
    /// HTTP/2, of which this was received.
    Multiplexed(Vec<u8>),
}

impl Overdue {
    /// Whether nothing was begun that is to be finished.
    pub(crate) fn is_silence(self) -> bool {
        !matches!(self, Self::Write)
    }
}

/// One connection's state, shared by its task, its body readers and the reaper.
pub(crate) struct Pulse {
    clock: Rc<Clock>,
    /// Of one request among others: the connection's.
    above: Option<Rc<Pulse>>,
    phase: Cell<Phase>,
    since: Cell<Tick>,
    /// Since when the socket has refused bytes.
    write_blocked: Cell<Option<Tick>>,
    /// Since when somebody has waited for body bytes.
    body_wait: Cell<Option<Tick>>,
    body_waiter: RefCell<Option<Waker>>,
    body_timed_out: Cell<bool>,
    /// A request body was dropped before its end: the peer may still be sending.
    leftover: Cell<bool>,
    /// The last read found the socket empty, so its waker reports the next bytes and the end.
    read_parked: Cell<bool>,
    probe: Cell<bool>,
    order: Cell<Order>,
    task: RefCell<Option<Waker>>,
    next: Cell<Option<Next>>,
    /// Hyper is to be left at once.
    taken: Cell<bool>,
    /// Ticks of silence after which a stream of events says something.
    heartbeat: Cell<Option<Tick>>,
}

impl Pulse {
    pub(crate) fn new(clock: Rc<Clock>) -> Self {
        Self {
            since: Cell::new(clock.now()),
            clock,
            above: None,
            phase: Cell::new(Phase::Fresh),
            write_blocked: Cell::new(None),
            body_wait: Cell::new(None),
            body_waiter: RefCell::new(None),
            body_timed_out: Cell::new(false),
            leftover: Cell::new(false),
            read_parked: Cell::new(false),
            probe: Cell::new(false),
            order: Cell::new(Order::Serve),
            task: RefCell::new(None),
            next: Cell::new(None),
            taken: Cell::new(false),
            heartbeat: Cell::new(None),
        }
    }

    /// Of one request among others of a connection.
    pub(crate) fn below(above: Rc<Self>, clock: Rc<Clock>) -> Self {
        Self { above: Some(above), ..Self::new(clock) }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.clock.now());
    }

    /// A request begins: what was left of the one before no longer matters.
    pub(crate) fn begin(&self) {
        self.leftover.set(false);
        self.enter(Phase::Answering);
    }

    pub(crate) fn bytes_arrived(&self) {
        self.read_parked.set(false);
        if matches!(self.phase(), Phase::Fresh | Phase::Idle) {
            // A fresh connection keeps counting from connect: the head timeout covers both.
            let since = self.since.get();
            let fresh = self.phase() == Phase::Fresh;
            self.enter(Phase::Head);
            if fresh {
                self.since.set(since);
            }
        }
    }

    pub(crate) fn read_parked(&self) {
        self.read_parked.set(true);
    }

    /// The peer of a WebSocket gave a sign of life.
    pub(crate) fn heard(&self) {
        if matches!(self.phase(), Phase::Talking | Phase::Pinged) {
            self.enter(Phase::Talking);
        }
    }

    /// The connection goes on as another protocol once the answer is out.
    pub(crate) fn upgrade(&self, socket: Rc<Socket>) {
        self.next.set(Some(Next::Conversation(socket)));
    }

    /// The connection goes on as a stream of events, now.
    pub(crate) fn take_over(&self, head: Vec<u8>, events: Box<EventBody>) {
        self.taken.set(true);
        self.next.set(Some(Next::Events(head, events)));
    }

    /// The connection goes on as one of HTTP/2, of which this was received.
    pub(crate) fn multiplex(&self, received: Vec<u8>) {
        self.taken.set(true);
        self.next.set(Some(Next::Multiplexed(received)));
    }

    /// Somebody else drives the connection now.
    pub(crate) fn served_elsewhere(&self) {
        self.taken.set(false);
    }

    /// Whether hyper is to be left.
    pub(crate) fn is_taken(&self) -> bool {
        // What was answered before has to go out first.
        self.taken.get() && self.write_blocked.get().is_none()
    }

    pub(crate) fn take_next(&self) -> Option<Next> {
        self.next.take()
    }

    /// Asks for [`Overdue::Quiet`] after so long a silence while streaming, to a tick.
    pub(crate) fn beat(&self, every: Option<Duration>, limits: &TickLimits) {
        let ticks =
            |every: Duration| Tick::try_from(every.as_nanos().div_ceil(limits.tick.as_nanos().max(1)));
        self.heartbeat.set(every.map(|every| ticks(every).unwrap_or(Tick::MAX).max(1)));
    }

    /// Everything buffered went out.
    pub(crate) fn flushed(&self) {
        if self.phase() == Phase::Responding {
            self.enter(Phase::Idle);
        }
    }

    pub(crate) fn write_blocked(&self) {
        if self.write_blocked.get().is_none() {
            self.write_blocked.set(Some(self.clock.now()));
        }
    }

    pub(crate) fn wrote(&self) {
        self.write_blocked.set(None);
    }

    pub(crate) fn left_body_behind(&self) -> bool {
        self.leftover.get()
    }

    /// Whether the reaper asked to look for a peer that went away unnoticed; asks once.
    pub(crate) fn take_probe(&self) -> bool {
        self.probe.replace(false)
    }

    pub(crate) fn order(&self) -> Order {
        self.order.get()
    }

    /// The order was carried out, and the connection goes on.
    pub(crate) fn obeyed(&self) {
        self.order.set(Order::Serve);
    }

    /// Tells the connection's task what to do and wakes it.
    pub(crate) fn command(&self, order: Order) {
        self.order.set(order);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.task.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Remembers whom to wake: the task that serves requests, and later the one that runs a conversation.
    pub(crate) fn attach(&self, waker: &Waker) {
        let mut task = self.task.borrow_mut();
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    /// The reaper's visit.
    pub(crate) fn check(&self, limits: &TickLimits, half_close: bool) {
        let now = self.clock.now();
        if self.body_wait.get().is_some_and(|since| limits.body_read.passed(since, now)) {
            self.expire_body_wait();
        }
        if let Some(overdue) = self.overdue(limits, now) {
            match &self.above {
                // A peer that leaves one stream full holds up its connection.
                Some(above) => above.command(Order::Abort),
                None => self.command(Order::Expire(overdue)),
            }
        } else if self.may_miss_hangup(now) && !half_close {
            self.probe.set(true);
            self.wake();
        }
    }

    fn overdue(&self, limits: &TickLimits, now: Tick) -> Option<Overdue> {
        if self.write_blocked.get().is_some_and(|since| limits.write.passed(since, now)) {
            return Some(Overdue::Write);
        }
        let since = self.since.get();
        match self.phase() {
            Phase::Fresh => limits.header_read.passed(since, now).then_some(Overdue::Silence),
            Phase::Head => limits.header_read.passed(since, now).then_some(Overdue::Head),
            Phase::Idle => limits.keep_alive.passed(since, now).then_some(Overdue::Silence),
            Phase::Talking => limits.ping.passed(since, now).then_some(Overdue::Quiet),
            Phase::Pinged => limits.pong.passed(since, now).then_some(Overdue::Silence),
            Phase::Parting => limits.parting.passed(since, now).then_some(Overdue::Silence),
            Phase::Streaming => {
                let quiet = self.heartbeat.get().is_some_and(|ticks| now.wrapping_sub(since) >= ticks);
                quiet.then_some(Overdue::Quiet)
            }
            Phase::Answering | Phase::Responding => None,
        }
    }

    /// With unread bytes at hand (pipelined requests, a body nobody reads yet) hyper does not read, so it
    /// does not see the peer leave either.
    fn may_miss_hangup(&self, now: Tick) -> bool {
        let working = matches!(self.phase(), Phase::Answering | Phase::Streaming);
        working && !self.read_parked.get() && now != self.since.get()
    }

    fn expire_body_wait(&self) {
        self.body_timed_out.set(true);
        if let Some(waker) = self.body_waiter.take() {
            waker.wake();
        }
    }
}

impl BodyWatch for Pulse {
    fn waiting(&self, waker: &Waker) {
        if self.body_wait.get().is_none() {
            self.body_wait.set(Some(self.clock.now()));
            self.body_timed_out.set(false);
        }
        let mut waiter = self.body_waiter.borrow_mut();
        if !waiter.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *waiter = Some(waker.clone());
        }
    }

    fn resumed(&self) {
        self.body_wait.set(None);
        self.body_waiter.take();
    }

    fn timed_out(&self) -> bool {
        self.body_timed_out.get()
    }

    fn abandoned(&self) {
        self.leftover.set(true);
    }
}

/// A timeout in ticks.
#[derive(Clone, Copy)]
pub(crate) struct TickLimit(Option<Tick>);

impl TickLimit {
    /// Rounded up, plus one because the current tick has partly passed: never early.
    fn new(timeout: Option<Duration>, tick: Duration) -> Self {
        Self(timeout.map(|timeout| {
            let ticks = timeout.as_nanos().div_ceil(tick.as_nanos().max(1)) + 1;
            Tick::try_from(ticks).unwrap_or(Tick::MAX)
        }))
    }

    fn passed(self, since: Tick, now: Tick) -> bool {
        self.0.is_some_and(|limit| now.wrapping_sub(since) >= limit)
    }
}

/// The timeouts of a server, in ticks.
pub(crate) struct TickLimits {
    /// How long a tick is.
    pub(crate) tick: Duration,
    header_read: TickLimit,
    keep_alive: TickLimit,
    body_read: TickLimit,
    write: TickLimit,
    ping: TickLimit,
    pong: TickLimit,
    parting: TickLimit,
}

impl TickLimits {
    /// Four ticks a second, or finer where a timeout is shorter than a second.
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        let Timeouts { header_read, keep_alive, body_read, write, ping, pong } = *timeouts;
        let all = [header_read, keep_alive, body_read, write, ping, pong];
        let shortest = all.into_iter().flatten().min().unwrap_or(Duration::from_secs(1));
        let tick = (shortest / 4).clamp(Duration::from_millis(5), Duration::from_millis(250));
        let limit = |timeout| TickLimit::new(timeout, tick);
        Self {
            tick,
            header_read: limit(timeouts.header_read),
            keep_alive: limit(timeouts.keep_alive),
            body_read: limit(timeouts.body_read),
            write: limit(timeouts.write),
            ping: limit(timeouts.ping),
            pong: limit(timeouts.pong),
            parting: limit(Some(PARTING)),
        }
    }
}

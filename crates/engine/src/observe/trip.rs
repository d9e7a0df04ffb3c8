//! One request as it is observed: where its time goes, and what it is called.
//!
//! The request under way is known to its thread while anything of it is being polled, so that whoever does a part of the
//! work can say so without being handed anything. Where nothing is observed that is one look at a thread-local.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plectrum_http::{HeaderValue, Method, Peer, Uri};

use super::Observer;
use super::span::{Span, TraceContext};

/// What time is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Phase {
    /// Before the endpoint is called: throttles, authentication, the body, a place in line.
    Queue,
    /// In the handler, from its call to its result, what it waits for included.
    Python,
    /// From asking a database to its last row, which is JSON by then.
    Database,
    /// A handler's value becoming JSON.
    Serialization,
}

const PHASES: usize = 4;

/// What a log or a trace says of a request.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) client: Peer,
}

/// A request under way.
pub struct Trip {
    pub(super) observer: Rc<Observer>,
    pub(super) began: Instant,
    /// It is one of those that are logged anyway, and its phases are timed.
    pub(super) is_timed: bool,
    pub(super) slot: Cell<usize>,
    pub(super) phases: [Cell<Duration>; PHASES],
    pub(super) statements: Cell<u32>,
    pub(super) id: RefCell<Option<HeaderValue>>,
    /// Where something beyond numbers is kept of it.
    pub(super) head: OnceCell<Head>,
    pub(super) trace: Cell<Option<TraceContext>>,
    pub(super) spans: RefCell<Vec<Span>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Trip>>> = const { RefCell::new(None) };
}

/// The request this thread is working on.
#[must_use]
pub fn current() -> Option<Rc<Trip>> {
    CURRENT.with_borrow(Clone::clone)
}

/// While this lives, its trip is the current one.
pub(super) struct Entered(Option<Rc<Trip>>);

impl Entered {
    pub(super) fn new(trip: Rc<Trip>) -> Self {
        Self(CURRENT.replace(Some(trip)))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Work on a request, timed until this is dropped.
#[must_use]
pub struct Running(Option<(Rc<Trip>, Phase, Instant)>);

/// Begins to time a phase of the current request, if anybody will read it.
#[inline]
pub fn begin(phase: Phase) -> Running {
    Running(timed().map(|trip| (trip, phase, Instant::now())))
}

/// Whether any observer of this process times phases: where none does, nobody asks for the current request.
static TIMED: AtomicBool = AtomicBool::new(false);

/// There is an observer that times phases.
pub(super) fn time_phases() {
    TIMED.store(true, Ordering::Relaxed);
}

/// The current request, where its phases are timed: metrics alone need no more than its beginning and its end.
#[inline]
fn timed() -> Option<Rc<Trip>> {
    if TIMED.load(Ordering::Relaxed) { timed_trip() } else { None }
}

#[cold]
fn timed_trip() -> Option<Rc<Trip>> {
    CURRENT.with_borrow(|current| current.as_ref().filter(|trip| trip.is_timed).cloned())
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((trip, phase, began)) = self.0.take() {
            trip.add(phase, began.elapsed());
        }
    }
}

impl Trip {
    pub(super) fn add(&self, phase: Phase, time: Duration) {
        if let Some(sum) = self.phases.get(phase as usize) {
            sum.set(sum.get() + time);
        }
    }

    pub(super) fn spent(&self, phase: Phase) -> Duration {
        self.phases.get(phase as usize).map(Cell::get).unwrap_or_default()
    }

    /// What the request is called, in its answer and in logs.
    #[must_use]
    pub fn request_id(&self) -> Option<String> {
        self.id.borrow().as_ref().and_then(|id| id.to_str().ok()).map(str::to_owned)
    }

    /// The trace it belongs to, as a `traceparent` for requests made on its behalf.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.trace.get().as_ref().map(TraceContext::header)
    }

    /// Pattern of its route.
    #[must_use]
    pub fn route(&self) -> &str {
        self.observer.label(self.slot.get()).path.as_str()
    }
}

/// `future`, which goes on with the current request wherever it is polled.
pub(crate) fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let (trip, mut future) = (current(), Box::pin(future));
    poll_fn(move |cx| {
        let _entered = trip.clone().map(Entered::new);
        future.as_mut().poll(cx)
    })
}

/// The endpoint of the current request is about to be called.
pub(crate) fn started() {
    if let Some(trip) = timed() {
        trip.add(Phase::Queue, trip.began.elapsed());
    }
}

/// The current request is for the route in that slot.
pub(crate) fn routed(slot: usize) {
    CURRENT.with_borrow(|current| {
        if let Some(trip) = current {
            trip.slot.set(slot);
        }
    });
}

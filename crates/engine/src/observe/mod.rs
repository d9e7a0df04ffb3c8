//! What is seen of the work: numbers of every route, lines of a log, traces, slow statements.
//!
//! * [`trip`]: one request under way, and where its time goes; [`execution`]: its statements;
//! * `board`: numbers of all workers in shared memory, by `buckets` of latency; `notes` beside them;
//! * [`prometheus`] and [`snapshot`] show them; [`health`] answers probes;
//! * [`lines`] writes logs, `access` what they say of a request; `otlp` sends `span`s.
//!
//! An app without an [`Observer`] pays one look at an empty `Option` a request.

mod access;
mod board;
mod buckets;
pub(crate) mod clock;
pub mod execution;
pub mod health;
pub mod lines;
mod notes;
pub mod otlp;
pub mod prometheus;
pub mod snapshot;
mod span;
pub mod trip;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use plectrum_db::pool::Stats;
use plectrum_http::service::PendingResponse;
use plectrum_http::{HeaderName, HeaderValue, Reply, Request, Response};
use sha2::{Digest, Sha256};

use crate::blueprint::Blueprint;
pub use board::Gauge;
use board::{ABANDONED, Board};
use lines::Lines;
use otlp::{Collector, Exporter};
use span::{Ids, TraceContext};
use trip::{Entered, Head, Trip};

/// Slots of what is not a route of the API.
pub(crate) const NO_ROUTE: usize = 0;
pub(crate) const BUILT_IN: usize = 1;
const OWN_SLOTS: usize = 2;

/// Between two looks at what does not tell by itself.
const TICK: Duration = Duration::from_millis(500);
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What is to be observed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the workers of a server count together.
    pub board: Option<PathBuf>,
    /// `stdout`, `stderr` or a file for a line of JSON for each request.
    pub access_log: Option<String>,
    /// The share of requests logged; those that fail always are.
    pub access_sample: f64,
    /// Executions that take longer are reported.
    pub slow: Option<Duration>,
    /// Where traces go.
    pub collector: Option<Collector>,
}

/// What a route is called in numbers and lines.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) way: &'static str,
    /// What every line of the access log says of it.
    line: Vec<u8>,
}

impl Label {
    fn new(method: &str, path: &str, way: &'static str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), way, line: access::label(path, way) }
    }
}

struct Access {
    lines: Lines,
    sample: f64,
}

struct Tracing {
    exporter: Rc<Exporter>,
    sample: f64,
}

/// Asked for the numbers of all pools together.
type Pools = Rc<dyn Fn() -> Stats>;

/// Observes one worker.
pub struct Observer {
    board: Board,
    labels: Vec<Label>,
    in_flight: Cell<u64>,
    ids: Ids,
    access: Option<Access>,
    tracing: Option<Tracing>,
    slow: Option<Duration>,
    pools: RefCell<Option<Pools>>,
    /// What lasting counts of the pools were when last looked at.
    counted: Cell<(u64, u64, u64, u64)>,
}

impl Observer {
    /// An observer of the blueprint's routes.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn new(blueprint: &Blueprint, options: &Options) -> Result<Rc<Self>, String> {
        let labels = labels(blueprint);
        let board = Board::open(options.board.as_deref(), print(&labels), labels.len());
        let access = options.access_log.as_deref().map(|target| {
            let sample = options.access_sample;
            Lines::open(target).map(|lines| Access { lines, sample })
        });
        let tracing = options.collector.as_ref().map(|collector| {
            let sample = collector.sample;
            Exporter::new(collector).map(|exporter| Tracing { exporter: Rc::new(exporter), sample })
        });
        if access.is_some() {
            trip::time_phases();
        }
        Ok(Rc::new(Self {
            board: board.map_err(|error| format!("requests cannot be counted: {error}"))?,
            labels,
            in_flight: Cell::new(0),
            ids: Ids::default(),
            access: access.transpose()?,
            tracing: tracing.transpose()?,
            slow: options.slow,
            pools: RefCell::default(),
            counted: Cell::default(),
        }))
    }

    /// Begins what goes on besides requests; must be called inside of the worker's runtime. `pools` is asked for the numbers
    /// of all database pools together.
    pub fn start(self: &Rc<Self>, pools: impl Fn() -> Stats + 'static) {
        *self.pools.borrow_mut() = Some(Rc::new(pools));
        self.look();
        tokio::task::spawn_local(tick(Rc::downgrade(self)));
        if let Some(tracing) = &self.tracing {
            tokio::task::spawn_local(Rc::clone(&tracing.exporter).run());
        }
    }

    /// Writes and sends what is left.
    pub async fn finish(&self) {
        self.look();
        if let Some(tracing) = &self.tracing {
            tracing.exporter.send().await;
        }
    }

    /// Adds to a number of this worker.
    pub fn add(&self, gauge: Gauge, value: u64) {
        self.board.add(gauge, value);
    }

    fn note(&self, json: &str) {
        self.board.note(json);
    }

    /// Answers a request, observed.
    pub fn watch(self: &Rc<Self>, request: Request, answer: impl FnOnce(Request) -> Reply) -> Reply {
        let trip = Rc::new(self.begin());
        let mut watched = Watched { trip: Rc::clone(&trip), pending: None, over: false };
        let reply = {
            let _entered = Entered::new(trip);
            answer(request)
        };
        match reply {
            Reply::Ready(response) => {
                watched.finish(&response);
                response.into()
            }
            Reply::Pending(pending) => {
                watched.pending = Some(pending);
                Reply::Pending(Box::pin(watched))
            }
        }
    }

    fn begin(self: &Rc<Self>) -> Trip {
        self.fly(1);
        Trip {
            observer: Rc::clone(self),
            began: Instant::now(),
            is_timed: self.access.as_ref().is_some_and(|access| self.ids.takes(access.sample)),
            slot: Cell::new(NO_ROUTE),
            phases: Default::default(),
            statements: Cell::new(0),
            id: RefCell::default(),
            head: std::cell::OnceCell::new(),
            trace: Cell::new(None),
            spans: RefCell::default(),
        }
    }

    fn fly(&self, change: i64) {
        self.in_flight.set(self.in_flight.get().saturating_add_signed(change));
        self.board.set(Gauge::InFlight, self.in_flight.get());
    }

    /// Takes down what the current request is called, once the edge knows who makes it; from here on it carries its trace.
    pub(crate) fn identify(&self, request: &mut Request, id: Option<&HeaderValue>, trusted: bool) {
        let Some(trip) = trip::current() else { return };
        *trip.id.borrow_mut() = id.cloned();
        if self.access.is_none() && self.tracing.is_none() {
            return;
        }
        let head = Head { method: request.method.clone(), uri: request.uri.clone(), client: request.peer };
        // It is identified once.
        let _ = trip.head.set(head);
        if let Some(tracing) = &self.tracing {
            let context = self.context(request, tracing.sample, trusted);
            if let Ok(header) = HeaderValue::try_from(context.header()) {
                request.headers.insert(TRACEPARENT, header);
            }
            trip.trace.set(Some(context));
        }
    }

    /// The caller's trace, or a new one. Whether it is kept, only trusted callers decide for us.
    fn context(&self, request: &Request, sample: f64, trusted: bool) -> TraceContext {
        let given = request.header(&TRACEPARENT).and_then(span::parse);
        let span = self.ids.span();
        match given {
            Some((trace, parent, sampled)) => {
                let sampled = if trusted { sampled } else { self.ids.takes(sample) };
                TraceContext { trace, span, parent: Some(parent), sampled }
            }
            None => {
                let (trace, sampled) = (self.ids.trace(), self.ids.takes(sample));
                TraceContext { trace, span, parent: None, sampled }
            }
        }
    }

    fn watches_executions(&self) -> bool {
        self.access.is_some() || self.tracing.is_some() || self.slow.is_some()
    }

    fn label(&self, slot: usize) -> &Label {
        // Slots are positions in this list, which is never empty.
        self.labels.get(slot).unwrap_or(&self.labels[NO_ROUTE])
    }

    /// A request is over, with that answer or given up.
    fn over(&self, trip: &Trip, response: Option<&Response>) {
        let time = trip.began.elapsed();
        self.fly(-1);
        let status = response.map(|response| response.status().as_u16());
        let class = match status {
            Some(status) => usize::from(status / 100).saturating_sub(1).min(4),
            None if std::thread::panicking() => 4,
            None => ABANDONED,
        };
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.board.count(trip.slot.get(), class, nanos);
        if class == 4 {
            self.note(&access::fault(trip, status.unwrap_or(500)));
        }
        if let Some(head) = trip.head.get() {
            self.tell(trip, head, status, time);
        }
    }

    fn tell(&self, trip: &Trip, head: &Head, status: Option<u16>, time: Duration) {
        if let Some(access) = &self.access
            && (trip.is_timed || status.is_some_and(|status| status >= 500))
        {
            access.lines.push(|out| access::write(out, trip, head, status, time));
        }
        let sampled = trip.trace.get().filter(|trace| trace.sampled);
        if let (Some(tracing), Some(context)) = (&self.tracing, sampled) {
            let spans = trip.spans.take();
            tracing.exporter.take(std::iter::once(access::span(trip, head, context, status, time)));
            tracing.exporter.take(spans);
        }
    }

    /// Takes down what does not tell by itself.
    fn look(&self) {
        let left = std::mem::take(&mut *LEFT.lock().unwrap_or_else(PoisonError::into_inner));
        left.iter().for_each(|json| self.note(json));
        self.board.set(Gauge::Memory, resident());
        let stats = self.pools.borrow().as_ref().map(|pools| pools()).unwrap_or_default();
        self.board.set(Gauge::Connections, stats.open as u64);
        self.board.set(Gauge::Idle, stats.idle as u64);
        self.board.set(Gauge::Statements, stats.in_flight as u64);
        self.board.set(Gauge::Waiting, stats.waiting as u64);
        let lines = self.access.as_ref().map_or(0, |access| access.lines.dropped());
        let spans = self.tracing.as_ref().map_or(0, |tracing| tracing.exporter.dropped());
        let before = self.counted.replace((stats.opened, stats.broken, lines, spans));
        self.board.add(Gauge::Opened, stats.opened.saturating_sub(before.0));
        self.board.add(Gauge::Broken, stats.broken.saturating_sub(before.1));
        self.board.add(Gauge::LinesDropped, lines.saturating_sub(before.2));
        self.board.add(Gauge::SpansDropped, spans.saturating_sub(before.3));
        if let Some(access) = &self.access {
            access.lines.flush();
        }
    }
}

/// Counts one for the worker that answers the current request.
pub(crate) fn count(gauge: Gauge) {
    if let Some(trip) = trip::current() {
        trip.observer.add(gauge, 1);
    }
}

/// Notes of other threads, until an observer takes them up.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// More are forgotten: without an observer nobody takes them.
const MOST_LEFT: usize = 64;

/// Leaves a note (a JSON object) from any thread, for whoever looks at any worker.
pub fn leave(json: String) {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    if left.len() < MOST_LEFT {
        left.push(json);
    }
}

async fn tick(observer: Weak<Observer>) {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(observer) = observer.upgrade() else { return };
        observer.look();
    }
}

/// A reply that is observed to its end, however it ends.
struct Watched {
    trip: Rc<Trip>,
    pending: Option<PendingResponse>,
    over: bool,
}

impl Watched {
    fn finish(&mut self, response: &Response) {
        if !std::mem::replace(&mut self.over, true) {
            self.trip.observer.over(&self.trip, Some(response));
        }
    }
}

impl Future for Watched {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        let _entered = Entered::new(Rc::clone(&self.trip));
        let Some(pending) = &mut self.pending else { return Poll::Pending };
        let response = std::task::ready!(pending.as_mut().poll(cx));
        self.finish(&response);
        Poll::Ready(response)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // What was running sees whose it was while it is given up.
        let _entered = Entered::new(Rc::clone(&self.trip));
        self.pending = None;
        if !self.over {
            self.trip.observer.over(&self.trip, None);
        }
    }
}

fn labels(blueprint: &Blueprint) -> Vec<Label> {
    let own = ["(no route)", "(built in)"].map(|path| Label::new("", path, "rust"));
    let routes = blueprint.routes.iter();
    let routes = routes.map(|route| Label::new(&route.method, &route.path, route.way.name()));
    own.into_iter().chain(routes).collect()
}

/// The slot of a route of the blueprint.
pub(crate) fn slot_of(index: usize) -> usize {
    index + OWN_SLOTS
}

/// Tells one list of routes from another.
fn print(labels: &[Label]) -> u64 {
    let mut hash = Sha256::new();
    for label in labels {
        hash.update(label.method.as_bytes());
        hash.update(b" ");
        hash.update(label.path.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)).max(1)
}

/// Bytes of memory this process holds; 0 where the system does not say.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages =
        pages.as_deref().and_then(|text| text.split(' ').nth(1)).and_then(|text| text.parse::<u64>().ok());
    // SAFETY: only asks.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.unwrap_or_default() * u64::try_from(size).unwrap_or_default()
}

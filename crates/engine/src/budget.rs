//! How many requests are answered at once, how many may wait for a place, and how long: whoever comes beyond that is told
//! at once to come back, so that those who are in are still answered in time.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_http::header::{HeaderValue, RETRY_AFTER};
use plectrum_http::{Body, Reply, Response, StatusCode, problem};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::observe::{self, Gauge};

/// A budget as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Spec {
    /// Requests answered at once.
    pub limit: usize,
    /// Requests that may wait for a place.
    pub queue: usize,
    /// Seconds each may wait.
    pub wait: f64,
}

/// A budget of one worker.
pub(crate) struct Budget {
    places: Arc<Semaphore>,
    queue: usize,
    wait: Duration,
    waiting: Cell<usize>,
}

/// The budgets a request needs a place in, in the order it takes them.
pub(crate) type Budgets = Rc<[Rc<Budget>]>;

/// Places that are held while a request is answered.
type Places = smallvec::SmallVec<[OwnedSemaphorePermit; 2]>;

impl Budget {
    pub(crate) fn new(spec: Spec) -> Rc<Self> {
        Rc::new(Self {
            places: Arc::new(Semaphore::new(spec.limit.clamp(1, Semaphore::MAX_PERMITS))),
            queue: spec.queue,
            wait: Duration::try_from_secs_f64(spec.wait).unwrap_or(Duration::MAX),
            waiting: Cell::new(0),
        })
    }

    /// A place, at once or after a while; none where there are none and too many wait already, or none came free in time.
    async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let _waits = Waits::new(self)?;
        let place = tokio::time::timeout(self.wait, Arc::clone(&self.places).acquire_owned()).await;
        // It is never closed.
        place.ok()?.ok()
    }

    fn refusal(&self) -> Response {
        let mut response = problem::of(StatusCode::SERVICE_UNAVAILABLE);
        let seconds = self.wait.as_secs_f64().ceil().clamp(1.0, 60.0) as u64;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

/// One that waits, until this is dropped.
struct Waits<'a>(&'a Budget);

impl<'a> Waits<'a> {
    fn new(budget: &'a Budget) -> Option<Self> {
        let waiting = budget.waiting.get();
        (waiting < budget.queue).then(|| {
            budget.waiting.set(waiting + 1);
            Self(budget)
        })
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

/// Answers once there is a place in every budget, and keeps it until the last byte.
pub(crate) fn within(budgets: &Budgets, answer: impl FnOnce() -> Reply + 'static) -> Reply {
    let mut places = Places::new();
    for budget in budgets.iter() {
        // Whoever waits comes first: a semaphore gives its places in order.
        match Arc::clone(&budget.places).try_acquire_owned() {
            Ok(place) => places.push(place),
            Err(_) if budget.waiting.get() >= budget.queue => return shed(budget).into(),
            Err(_) => return wait(Rc::clone(budgets), places, answer),
        }
    }
    held(answer(), places)
}

fn wait(budgets: Budgets, mut places: Places, answer: impl FnOnce() -> Reply + 'static) -> Reply {
    Reply::pending(async move {
        let missing = places.len();
        for budget in budgets.iter().skip(missing) {
            match budget.enter().await {
                Some(place) => places.push(place),
                None => return shed(budget),
            }
        }
        crate::endpoint::settled(held(answer(), places)).await
    })
}

fn shed(budget: &Budget) -> Response {
    observe::count(Gauge::Shed);
    budget.refusal()
}

/// The reply, whose places come free with the end of its body.
fn held(reply: Reply, places: Places) -> Reply {
    match reply {
        Reply::Ready(response) => kept(response, places).into(),
        Reply::Pending(pending) => Reply::pending(async move { kept(pending.await, places) }),
    }
}

fn kept(response: Response, places: Places) -> Response {
    if !matches!(response.body(), Body::Stream(_) | Body::Events(_)) {
        // Also of a WebSocket, which may stay for days.
        return response;
    }
    response.map(|body| body.on_end(move || drop(places)))
}

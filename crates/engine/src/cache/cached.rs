//! Answers that everybody who asks the same gets, as long as they hold. Of many who ask at once for what is not there, one
//! makes it and the others wait for it.
//!
//! Source: RFC 9111 (what a shared cache may keep), RFC 9211 (`Cache-Status`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use plectrum_http::{
    Body, HeaderMap, HeaderName, HeaderValue, Method, Reply, Response, StatusCode, conditional, header,
};
use tokio::sync::Notify;

use super::entry::Entry;
use super::key::{self, Key, Parts};
use super::memory::Numbers;
use super::{Keeper, Rule};
use crate::endpoint::settled;
use crate::endpoint::{Call, Endpoint, Reads};
use crate::observe::{self, Gauge, clock};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const HIT: HeaderValue = HeaderValue::from_static("plectrum; hit");
const STORED: HeaderValue = HeaderValue::from_static("plectrum; fwd=miss; stored");
const MISS: HeaderValue = HeaderValue::from_static("plectrum; fwd=miss");
const BYPASS: HeaderValue = HeaderValue::from_static("plectrum; fwd=bypass");
/// How often, and how long, another process is looked at that makes the answer.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 100;
/// What asks about a version the client has: the answer is kept whole, and compared afterwards.
const CONDITIONS: [HeaderName; 6] = [
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// An endpoint whose answers are kept.
pub(super) struct Cached(Rc<Inner>);

struct Inner {
    endpoint: Rc<dyn Endpoint>,
    keeper: Rc<Keeper>,
    /// Those of the API that have the route.
    versions: String,
    lifetime: Duration,
    vary: Vec<HeaderName>,
    everybody: bool,
    tags: Vec<String>,
    flights: RefCell<HashMap<Key, Rc<Flight>>>,
}

/// An answer that is being made.
#[derive(Default)]
struct Flight {
    over: Notify,
    /// What came of it: an answer to share, or one that is nobody else's. Nothing where who made it was cut off.
    outcome: RefCell<Option<Option<Entry>>>,
}

impl Cached {
    pub(super) fn new(
        endpoint: Rc<dyn Endpoint>,
        rule: &Rule,
        versions: &[String],
        keeper: Rc<Keeper>,
    ) -> Result<Self, String> {
        let header = |name: &String| name.parse().map_err(|_| format!("{name:?} cannot be a header's name"));
        Ok(Self(Rc::new(Inner {
            endpoint,
            keeper,
            versions: versions.join(","),
            lifetime: Duration::try_from_secs_f64(rule.seconds).unwrap_or_default(),
            vary: rule.vary.iter().map(header).collect::<Result<_, _>>()?,
            everybody: rule.everybody,
            tags: rule.tags.clone(),
            flights: RefCell::default(),
        })))
    }
}

impl Endpoint for Cached {
    fn call(&self, mut call: Box<Call>) -> Reply {
        let inner = &self.0;
        if !inner.everybody && key::has_unknown_credentials(&call) {
            return marked(inner.endpoint.call(call), BYPASS);
        }
        let key = inner.key(&call);
        let method = call.request.method.clone();
        let asked = conditions(&mut call.request.headers);
        if inner.keeper.shared.is_none() {
            let numbers = inner.numbers();
            if let Some(entry) = inner.keeper.memory.get(&key, &numbers) {
                return inner.hit(&entry, &method, &asked).into();
            }
        }
        // A HEAD is answered as GET, whose body the server leaves out.
        let inner = Rc::clone(inner);
        Reply::pending(async move {
            let response = inner.answer(key, call).await;
            conditional::respond(response, &method, &asked)
        })
    }

    fn reads(&self) -> Reads {
        self.0.endpoint.reads()
    }
}

impl Inner {
    fn key(&self, call: &Call) -> Key {
        let mut parts = Parts::new("answer");
        parts.address(&call.request);
        parts.add(self.versions.as_bytes());
        self.vary.iter().for_each(|name| parts.header(&call.request, name));
        if !self.everybody {
            parts.asker(call);
        }
        parts.finish()
    }

    fn numbers(&self) -> Numbers {
        self.tags.iter().map(|tag| self.keeper.tags.number(tag)).collect()
    }

    fn hit(&self, entry: &Entry, method: &Method, asked: &HeaderMap) -> Response {
        conditional::respond(shown(entry), method, asked)
    }

    /// The answer that is kept, and its tags' numbers now.
    async fn look(&self, key: &Key) -> (Option<Entry>, Option<Numbers>) {
        match &self.keeper.shared {
            None => {
                let numbers = self.numbers();
                (self.keeper.memory.get(key, &numbers), Some(numbers))
            }
            Some(shared) => match shared.get(key, &self.tags).await {
                Ok((entry, numbers)) => (entry, Some(numbers)),
                Err(_) => (None, None),
            },
        }
    }

    async fn answer(self: &Rc<Self>, key: Key, call: Box<Call>) -> Response {
        loop {
            let flying = self.flights.borrow().get(&key).cloned();
            let Some(flight) = flying else { return self.lead(key, call).await };
            flight.over.notified().await;
            match &*flight.outcome.borrow() {
                Some(Some(entry)) => return shown(entry),
                Some(None) => break,
                // Who made it went away: it is somebody else's turn.
                None => {}
            }
        }
        settled(marked(self.endpoint.call(call), MISS)).await
    }

    /// Makes the answer for all who wait.
    async fn lead(self: &Rc<Self>, key: Key, call: Box<Call>) -> Response {
        let flying = Flying::begin(self, key);
        let (found, numbers) = self.look(&key).await;
        if let Some(entry) = found {
            flying.land(Some(&entry));
            return shown(&entry);
        }
        if let Some(entry) = self.elsewhere(&key).await {
            flying.land(Some(&entry));
            return shown(&entry);
        }
        observe::count(Gauge::CacheMisses);
        let response = settled(self.endpoint.call(call)).await;
        let entry = self.is_storable(&response).then(|| Entry::of(&response)).flatten();
        if let (Some(entry), Some(numbers)) = (&entry, numbers) {
            self.keep(key, entry, numbers).await;
        }
        if let Some(shared) = &self.keeper.shared {
            shared.unlock(&key).await;
        }
        flying.land(entry.as_ref());
        with_status(response, if entry.is_some() { STORED } else { MISS })
    }

    /// What another process makes at this moment, if one does and finishes in time.
    async fn elsewhere(&self, key: &Key) -> Option<Entry> {
        let shared = self.keeper.shared.as_ref()?;
        for _ in 0..LOOKS {
            if shared.lock(key).await {
                return None;
            }
            tokio::time::sleep(LOOK).await;
            let (entry, _) = shared.get(key, &self.tags).await.ok()?;
            if entry.is_some() {
                return entry;
            }
        }
        None
    }

    async fn keep(&self, key: Key, entry: &Entry, numbers: Numbers) {
        match &self.keeper.shared {
            Some(shared) => shared.put(&key, entry, &numbers, self.lifetime).await,
            None => self.keeper.memory.put(key, entry.clone(), numbers, self.lifetime),
        }
    }

    /// Whether others may have the answer (RFC 9111 §3).
    fn is_storable(&self, response: &Response) -> bool {
        let headers = response.headers();
        let says = |name: &HeaderName, words: &[&str]| {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|word| {
                let word = word.split('=').next().unwrap_or_default().trim();
                words.iter().any(|forbidden| word.eq_ignore_ascii_case(forbidden))
            })
        };
        response.status() == StatusCode::OK
            && matches!(response.body(), Body::Full(_) | Body::Empty)
            && !headers.contains_key(header::SET_COOKIE)
            && !says(&header::CACHE_CONTROL, &["no-store", "private", "no-cache"])
            && self.varies_as_known(headers)
    }

    /// Whether the answer depends on no more than what is part of the key. What is said of the asker is, in one way or other.
    fn varies_as_known(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
        let asker = [header::COOKIE, header::AUTHORIZATION];
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty()).all(|name| {
            let is = |known: &HeaderName| known.as_str().eq_ignore_ascii_case(name);
            self.vary.iter().any(is) || (!self.everybody && asker.iter().any(is))
        })
    }
}

/// The one who makes an answer; the others hear when this is dropped.
struct Flying {
    inner: Rc<Inner>,
    key: Key,
    flight: Rc<Flight>,
}

impl Flying {
    fn begin(inner: &Rc<Inner>, key: Key) -> Self {
        let flight = Rc::<Flight>::default();
        inner.flights.borrow_mut().insert(key, Rc::clone(&flight));
        Self { inner: Rc::clone(inner), key, flight }
    }

    fn land(&self, entry: Option<&Entry>) {
        *self.flight.outcome.borrow_mut() = Some(entry.cloned());
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.inner.flights.borrow_mut().remove(&self.key);
        self.flight.over.notify_waiters();
    }
}

/// Takes the conditions out of a request.
fn conditions(headers: &mut HeaderMap) -> HeaderMap {
    let mut taken = HeaderMap::new();
    for name in CONDITIONS {
        if let Some(value) = headers.remove(&name) {
            taken.insert(name, value);
        }
    }
    taken
}

/// A kept answer with its age.
fn shown(entry: &Entry) -> Response {
    observe::count(Gauge::CacheHits);
    let mut response = with_status(entry.respond(), HIT);
    let age = clock::seconds().saturating_sub(entry.made);
    response.headers_mut().insert(header::AGE, HeaderValue::from(age));
    response
}

fn with_status(mut response: Response, status: HeaderValue) -> Response {
    response.headers_mut().insert(CACHE_STATUS, status);
    response
}

fn marked(reply: Reply, status: HeaderValue) -> Reply {
    match reply {
        Reply::Ready(response) => with_status(response, status).into(),
        Reply::Pending(pending) => Reply::pending(async move { with_status(pending.await, status) }),
    }
}

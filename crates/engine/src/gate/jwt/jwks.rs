//! A key set that somebody else publishes: fetched once for all who wait, kept, and fetched again as keys rotate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use tokio::sync::Notify;

use super::keys::Keys;
use crate::outbound::Address;

/// Between two fetches that unknown keys ask for: tokens with made-up key ids must not become requests elsewhere.
const PAUSE: Duration = Duration::from_secs(10);
/// After a first failure; doubled by each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(60);
/// Lifetimes after which keys are forgotten though no newer ones could be had.
const MOST_LIFETIMES: u32 = 12;
const MEDIA_TYPES: &str = "application/jwk-set+json, application/json";

/// A key set at an address.
pub(crate) struct Remote {
    address: Address,
    algorithms: Vec<Algorithm>,
    lifetime: Duration,
    timeout: Duration,
    keys: RefCell<Option<(Keys, Instant)>>,
    /// How many sets there have been.
    fetched: Cell<u64>,
    not_before: Cell<Option<Instant>>,
    failures: Cell<u32>,
    fetching: RefCell<Option<Rc<Notify>>>,
}

impl Remote {
    pub(crate) fn new(
        url: &str,
        lifetime: u64,
        timeout: u64,
        algorithms: Vec<Algorithm>,
    ) -> Result<Self, String> {
        Ok(Self {
            address: Address::parse("jwks", url, false)?,
            algorithms,
            lifetime: Duration::from_millis(lifetime),
            timeout: Duration::from_millis(timeout),
            keys: RefCell::default(),
            fetched: Cell::default(),
            not_before: Cell::default(),
            failures: Cell::default(),
            fetching: RefCell::default(),
        })
    }

    /// What `read` makes of the keys; none where there are none. Old ones serve while newer ones are fetched.
    pub(crate) fn with<T>(self: &Rc<Self>, read: impl FnOnce(&Keys) -> T) -> Option<T> {
        let age = self.keys.borrow().as_ref().map(|(_, since)| since.elapsed())?;
        if age > self.lifetime * MOST_LIFETIMES {
            self.keys.take();
            return None;
        }
        if age > self.lifetime && self.may_fetch() {
            self.start();
        }
        self.keys.borrow().as_ref().map(|(keys, _)| read(keys))
    }

    /// Which set of keys it has, another number for each; none where there are no keys.
    pub(crate) fn number(self: &Rc<Self>) -> Option<u64> {
        self.with(|_| self.fetched.get())
    }

    /// Whether there are any keys.
    pub(crate) fn has_keys(&self) -> bool {
        self.keys.borrow().is_some()
    }

    /// Whether a fetch is under way, or one may start.
    pub(crate) fn may_fetch(&self) -> bool {
        self.fetching.borrow().is_some()
            || self.not_before.get().is_none_or(|moment| Instant::now() >= moment)
    }

    /// Waits for the fetch that is under way, or for one that starts now.
    pub(crate) async fn refreshed(self: &Rc<Self>) {
        let done = self.start();
        done.notified().await;
    }

    fn start(self: &Rc<Self>) -> Rc<Notify> {
        if let Some(done) = &*self.fetching.borrow() {
            return Rc::clone(done);
        }
        let done = Rc::new(Notify::new());
        *self.fetching.borrow_mut() = Some(Rc::clone(&done));
        let (remote, announce) = (Rc::clone(self), Rc::clone(&done));
        tokio::task::spawn_local(async move {
            let found = remote.fetch().await;
            remote.settle(found);
            announce.notify_waiters();
        });
        done
    }

    async fn fetch(&self) -> Result<Keys, String> {
        let json = tokio::time::timeout(self.timeout, self.address.get(MEDIA_TYPES))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {:?}", self.timeout)))?;
        Keys::of_set(&json, &self.algorithms)
    }

    /// A fetch is over.
    pub(super) fn settle(&self, found: Result<Keys, String>) {
        let now = Instant::now();
        let pause = match found {
            Ok(keys) => {
                *self.keys.borrow_mut() = Some((keys, now));
                self.fetched.set(self.fetched.get() + 1);
                self.failures.set(0);
                PAUSE
            }
            Err(error) => {
                tracing::error!(target: "plectrum.auth", "jwks {}: {error}", self.address);
                let failures = self.failures.get();
                self.failures.set(failures.saturating_add(1));
                (FIRST_BACKOFF * 2_u32.saturating_pow(failures.min(16))).min(LAST_BACKOFF)
            }
        };
        self.not_before.set(now.checked_add(pause));
        self.fetching.take();
    }
}

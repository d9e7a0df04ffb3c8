//! A Redis that requests ask: while it is gone nothing waits for it, and that is reported once in a while.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, RedisResult};

use crate::seldom::Seldom;

/// How long Redis is left alone after it failed: requests must not wait for it one after the other.
const PAUSE: Duration = Duration::from_secs(1);

/// Redis does not answer.
pub(crate) struct Gone;

/// A Redis server, connected to when it is first asked.
pub(crate) struct RedisClient {
    client: Client,
    /// The setting that names it.
    setting: &'static str,
    timeout: Duration,
    /// Made when it is first needed: it belongs to the runtime that runs then.
    connection: RefCell<Option<ConnectionManager>>,
    resting_until: Cell<Option<Instant>>,
    reports: Seldom,
}

impl RedisClient {
    /// # Errors
    /// A sentence for the user that begins with `setting`.
    pub(crate) fn new(url: &str, setting: &'static str, timeout: Duration) -> Result<Self, String> {
        Ok(Self {
            client: Client::open(url).map_err(|error| format!("{setting}: {error}"))?,
            setting,
            timeout,
            connection: RefCell::default(),
            resting_until: Cell::default(),
            reports: Seldom::new(),
        })
    }

    /// What `ask` gets of the connection, unless Redis is gone.
    pub(crate) async fn ask<T>(
        &self,
        ask: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, Gone> {
        if self.resting_until.get().is_some_and(|moment| Instant::now() < moment) {
            return Err(Gone);
        }
        let mut connection = self.connection().map_err(|error| self.failed(&error.to_string()))?;
        let asked = tokio::time::timeout(self.timeout, ask(&mut connection)).await;
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(&error.to_string())),
            Err(_) => Err(self.failed("no answer in time")),
        }
    }

    fn connection(&self) -> Result<ConnectionManager, RedisError> {
        if let Some(connection) = &*self.connection.borrow() {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        let connection = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        *self.connection.borrow_mut() = Some(connection.clone());
        Ok(connection)
    }

    fn failed(&self, error: &str) -> Gone {
        let now = Instant::now();
        self.resting_until.set(now.checked_add(PAUSE));
        if self.reports.turn(now).is_some() {
            tracing::error!(target: "plectrum.redis", "The Redis of {} does not answer: {error}", self.setting);
        }
        Gone
    }
}

//! Counters that hosts share, in Redis: the same algorithm as a script, by Redis' own clock.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};

use super::cell::Decision;
use crate::seldom::Seldom;

/// How long Redis is left alone after it failed: requests must not wait for it one after the other.
const PAUSE: Duration = Duration::from_secs(1);

/// Microseconds fit a double exactly until the year 2255. A key lives as long as its bucket is not full.
const SCRIPT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, depth = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), now + depth)
local after = before + interval
if after - now > depth then
  return {0, 0, after - now - depth, before - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
local left = depth - (after - now)
local remaining = math.floor(left / interval)
local retry = 0
if remaining == 0 then retry = interval - left end
return {1, remaining, retry, after - now}
";

/// A Redis server.
pub(super) struct Redis {
    client: Client,
    /// Made when it is first needed: it belongs to the runtime that runs then.
    connection: RefCell<Option<ConnectionManager>>,
    script: Script,
    timeout: Duration,
    resting_until: Cell<Option<Instant>>,
    reports: Seldom,
}

impl Redis {
    /// Connects when it is first asked.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let client = Client::open(url).map_err(|error| format!("THROTTLE_REDIS: {error}"))?;
        let (resting_until, reports) = (Cell::default(), Seldom::new());
        let (connection, script) = (RefCell::default(), Script::new(SCRIPT));
        Ok(Self { client, connection, script, timeout, resting_until, reports })
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

    /// One request of `key`; none where Redis does not answer.
    pub(super) async fn take(&self, key: &str, interval: u64, depth: u64) -> Option<Decision> {
        if self.resting_until.get().is_some_and(|moment| Instant::now() < moment) {
            return None;
        }
        let mut connection = match self.connection() {
            Ok(connection) => connection,
            Err(error) => return self.failed(&error.to_string()),
        };
        let mut call = self.script.key(key);
        call.arg(interval).arg(depth);
        let answer = tokio::time::timeout(self.timeout, call.invoke_async(&mut connection)).await;
        match answer {
            Ok(Ok((allowed, remaining, retry_after, reset_after))) => {
                let _: u8 = allowed;
                Some(Decision { allowed: allowed == 1, full_at: 0, remaining, retry_after, reset_after })
            }
            Ok(Err(error)) => self.failed(&error.to_string()),
            Err(_) => self.failed("no answer in time"),
        }
    }

    fn failed(&self, error: &str) -> Option<Decision> {
        let now = Instant::now();
        self.resting_until.set(now.checked_add(PAUSE));
        if self.reports.turn(now).is_some() {
            tracing::error!(target: "plectrum.throttle", "Redis: {error}");
        }
        None
    }
}

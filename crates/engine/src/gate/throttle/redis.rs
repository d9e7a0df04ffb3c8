//! Counters that hosts share, in Redis: the same algorithm as a script, by Redis' own clock.

use std::cell::Cell;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script};

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
    connection: ConnectionManager,
    script: Script,
    timeout: Duration,
    resting_until: Cell<Option<Instant>>,
    reports: Seldom,
}

impl Redis {
    /// Connects when it is first asked. Must be called inside of the runtime.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let wrong = |error| format!("THROTTLE_REDIS: {error}");
        let client = Client::open(url).map_err(wrong)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(wrong)?;
        let (resting_until, reports) = (Cell::default(), Seldom::new());
        Ok(Self { connection, script: Script::new(SCRIPT), timeout, resting_until, reports })
    }

    /// One request of `key`; none where Redis does not answer.
    pub(super) async fn take(&self, key: &str, interval: u64, depth: u64) -> Option<Decision> {
        if self.resting_until.get().is_some_and(|moment| Instant::now() < moment) {
            return None;
        }
        let mut connection = self.connection.clone();
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

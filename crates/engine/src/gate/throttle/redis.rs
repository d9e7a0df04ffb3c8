//! Counters that hosts share, in Redis: the same algorithm as a script, by Redis' own clock.

use std::time::Duration;

use redis::Script;

use super::cell::Decision;
use crate::redis_client::RedisClient;

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
    client: RedisClient,
    script: Script,
}

impl Redis {
    /// Connects when it is first asked.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        Ok(Self { client: RedisClient::new(url, "THROTTLE_REDIS", timeout)?, script: Script::new(SCRIPT) })
    }

    /// One request of `key`; none where Redis does not answer.
    pub(super) async fn take(&self, key: &str, interval: u64, depth: u64) -> Option<Decision> {
        let mut call = self.script.key(key);
        call.arg(interval).arg(depth);
        let answer =
            self.client.ask(async |connection| call.invoke_async::<(u8, u32, u64, u64)>(connection).await);
        let (allowed, remaining, retry_after, reset_after) = answer.await.ok()?;
        Some(Decision { allowed: allowed == 1, full_at: 0, remaining, retry_after, reset_after })
    }
}

//! Answers in a Redis that workers and hosts share. While it is gone, nothing is kept and nothing waits for it.

use std::time::Duration;

use plectrum_http::Bytes;
use redis::{Cmd, FromRedisValue};

use super::entry::{Entry, take};
use super::key::Key;
use super::memory::{Numbers, Outcome};
use super::tags::tag_key;
pub(super) use crate::redis_client::Gone;
use crate::redis_client::RedisClient;

/// A worker that dies while it works on something leaves its mark for so long.
const WORKING: Duration = Duration::from_secs(60);
const RUNNING: u8 = b'R';
const DONE: u8 = b'D';

/// A Redis.
pub(super) struct Shared {
    client: RedisClient,
    prefix: String,
}

impl Shared {
    pub(super) fn new(url: &str, prefix: &str, timeout: Duration) -> Result<Self, String> {
        Ok(Self { client: RedisClient::new(url, "CACHE_REDIS", timeout)?, prefix: prefix.to_owned() })
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Gone> {
        self.client.ask(async |connection| command.query_async(connection).await).await
    }

    fn name(&self, kind: &str, key: &Key) -> String {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}:{kind}:{hex}", self.prefix)
    }

    /// The answer, where it is still good, and the numbers of its tags now.
    pub(super) async fn get(&self, key: &Key, tags: &[String]) -> Result<(Option<Entry>, Numbers), Gone> {
        let mut command = redis::cmd("MGET");
        command.arg(self.name("answer", key));
        for tag in tags {
            command.arg(tag_key(&self.prefix, tag));
        }
        let mut found: Vec<Option<Vec<u8>>> = self.ask(&command).await?;
        let number = |text: &Option<Vec<u8>>| {
            text.as_deref().and_then(|text| std::str::from_utf8(text).ok()?.parse().ok()).unwrap_or_default()
        };
        let numbers: Numbers = found.iter().skip(1).map(number).collect();
        let kept = found.first_mut().and_then(Option::take);
        Ok((kept.and_then(|bytes| decode(bytes.into(), &numbers)), numbers))
    }

    pub(super) async fn put(&self, key: &Key, entry: &Entry, numbers: &Numbers, lifetime: Duration) {
        let mut bytes = vec![u8::try_from(numbers.len()).unwrap_or(u8::MAX)];
        numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        entry.encode(&mut bytes);
        let mut command = redis::cmd("SET");
        command.arg(self.name("answer", key)).arg(bytes).arg("PX").arg(millis(lifetime));
        // It was reported.
        let _ = self.ask::<()>(&command).await;
    }

    /// Whether the answer is ours to make; else somebody else is at it.
    pub(super) async fn lock(&self, key: &Key) -> bool {
        let mut command = redis::cmd("SET");
        command.arg(self.name("lock", key)).arg(1).arg("NX").arg("PX").arg(millis(WORKING / 12));
        match self.ask::<Option<String>>(&command).await {
            Ok(set) => set.is_some(),
            Err(Gone) => true,
        }
    }

    pub(super) async fn unlock(&self, key: &Key) {
        let _ = self.ask::<()>(redis::cmd("DEL").arg(self.name("lock", key))).await;
    }

    /// Begins a request with an idempotency key, or tells how far the one before has come.
    pub(super) async fn begin(&self, key: &Key, digest: &Key) -> Result<Option<Outcome>, Gone> {
        let mark: Vec<u8> = [&[RUNNING][..], digest].concat();
        let mut command = redis::cmd("SET");
        command.arg(self.name("once", key)).arg(mark).arg("NX").arg("GET").arg("PX").arg(millis(WORKING));
        let before: Option<Vec<u8>> = self.ask(&command).await?;
        Ok(before.and_then(|bytes| {
            let mut rest = Bytes::from(bytes);
            let [kind] = take::<1>(&mut rest)?;
            let digest = take::<32>(&mut rest)?;
            match kind {
                RUNNING => Some(Outcome::Running(digest)),
                _ => Entry::decode(rest).map(|entry| Outcome::Done(digest, entry)),
            }
        }))
    }

    pub(super) async fn finish(&self, key: &Key, digest: &Key, entry: Option<&Entry>, lifetime: Duration) {
        let name = self.name("once", key);
        let Some(entry) = entry else {
            let _ = self.ask::<()>(redis::cmd("DEL").arg(name)).await;
            return;
        };
        let mut bytes: Vec<u8> = [&[DONE][..], digest].concat();
        entry.encode(&mut bytes);
        let mut command = redis::cmd("SET");
        let _ = self.ask::<()>(command.arg(name).arg(bytes).arg("PX").arg(millis(lifetime))).await;
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// An answer that was kept under these numbers.
fn decode(bytes: Bytes, numbers: &Numbers) -> Option<Entry> {
    let mut rest = bytes;
    let [count] = take::<1>(&mut rest)?;
    for index in 0..usize::from(count) {
        let number = u64::from_le_bytes(take(&mut rest)?);
        if numbers.get(index) != Some(&number) {
            return None;
        }
    }
    (usize::from(count) == numbers.len()).then(|| Entry::decode(rest)).flatten()
}

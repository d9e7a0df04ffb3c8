//! What answers are made of. Each tag has a number that grows when what it stands for changes; an answer is good as long as
//! the numbers of its tags are those from before it was made.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::memory::Words;

/// Numbers there are; tags that share one are forgotten together, which is never wrong.
const WORDS: usize = 4096;
/// What Redis may take to hear of a change.
const PATIENCE: Duration = Duration::from_millis(500);

/// The numbers of all tags, shared by the threads of a process and the workers of a server.
#[derive(Clone)]
pub(crate) struct Tags(Arc<Words>);

impl Tags {
    /// Of the supervisor's file; of this process where there is none.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        static OWN: OnceLock<Arc<Words>> = OnceLock::new();
        if let Some(path) = path {
            return Ok(Self(Arc::new(Words::shared(path)?)));
        }
        if let Some(own) = OWN.get() {
            return Ok(Self(Arc::clone(own)));
        }
        let made = Arc::new(Words::private(WORDS)?);
        Ok(Self(Arc::clone(OWN.get_or_init(|| made))))
    }

    fn place(&self, tag: &str) -> usize {
        // FNV-1a: every process must find the same place.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = tag.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        usize::try_from(hash % self.0.len() as u64).unwrap_or_default()
    }

    pub(crate) fn number(&self, tag: &str) -> u64 {
        self.0.word(self.place(tag)).load(Ordering::Acquire)
    }

    fn changed(&self, tag: &str) {
        self.0.word(self.place(tag)).fetch_add(1, Ordering::AcqRel);
    }
}

/// Tells caches of changes, from any thread.
pub struct Invalidator {
    tags: Tags,
    redis: Option<(redis::Client, String)>,
}

impl Invalidator {
    /// Where caches keep their numbers: see [`super::Options`].
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn new(tags: Option<&Path>, redis: Option<&str>, prefix: &str) -> Result<Self, String> {
        let tags = Tags::open(tags).map_err(|error| format!("the cache's tags: {error}"))?;
        let redis = redis.map(|url| redis::Client::open(url).map(|client| (client, prefix.to_owned())));
        let redis = redis.transpose().map_err(|error| format!("CACHE_REDIS: {error}"))?;
        Ok(Self { tags, redis })
    }

    /// What these tags stand for has changed. Waits for Redis, where there is one: who asks afterwards is to see it.
    ///
    /// # Errors
    /// Redis was not told: answers live on for as long as they were to.
    pub fn changed(&self, names: &[String]) -> Result<(), String> {
        names.iter().for_each(|tag| self.tags.changed(tag));
        let Some((client, prefix)) = &self.redis else { return Ok(()) };
        let told = client.get_connection_with_timeout(PATIENCE).and_then(|mut connection| {
            connection.set_read_timeout(Some(PATIENCE))?;
            let mut pipe = redis::pipe();
            names.iter().for_each(|tag| {
                pipe.cmd("INCR").arg(tag_key(prefix, tag)).ignore();
            });
            pipe.query::<()>(&mut connection)
        });
        told.map_err(|error| error.to_string())
    }
}

/// Where a tag's number is in Redis.
pub(super) fn tag_key(prefix: &str, tag: &str) -> String {
    format!("{prefix}:tag:{tag}")
}

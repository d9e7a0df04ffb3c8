//! Answers that are kept: for everybody who asks the same ([`cached`]), and for whoever asks again because the first answer
//! got lost ([`idempotent`]).
//!
//! * [`key`]: what must be the same; [`entry`]: an answer as it is kept;
//! * [`memory`] keeps in the worker, [`shared`] in a Redis for all workers and hosts;
//! * [`tags`]: what an answer is made of, so that it can be forgotten when that changes.

mod cached;
mod entry;
mod idempotent;
mod key;
mod memory;
mod shared;
pub mod tags;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;

use crate::endpoint::Endpoint;
use cached::Cached;
use idempotent::Idempotent;
use memory::{Memory, Outcomes};
use shared::Shared;
use tags::Tags;

/// Bytes of answers to requests that may come again, whatever [`Options::memory`] says: without them it would be done twice.
const LEAST_OUTCOMES: usize = 1 << 20;

/// Where answers are kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of answers that a worker keeps, for those who ask the same and for those who ask again.
    pub memory: usize,
    /// A Redis to keep them in instead.
    pub redis: Option<String>,
    /// Put before keys in it.
    pub prefix: String,
    /// What it may take to answer.
    pub timeout: Duration,
    /// The file in which the workers of a server count changes of tags.
    pub tags: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: 32 << 20,
            redis: None,
            prefix: "plectrum".to_owned(),
            timeout: Duration::from_millis(250),
            tags: None,
        }
    }
}

/// That a route's answers are kept.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// For so many seconds.
    pub seconds: f64,
    /// Request headers that the answer depends on, lower case.
    pub vary: Vec<String>,
    /// Whether everybody gets the same answer, whoever they are.
    pub everybody: bool,
    /// What it is made of.
    pub tags: Vec<String>,
}

/// That a request may be sent again under its `Idempotency-Key`.
#[derive(Debug, Clone, Deserialize)]
pub struct Once {
    /// For so many seconds its answer is known.
    pub seconds: f64,
    /// Whether there must be a key.
    pub required: bool,
}

/// What keeps the answers of a worker.
pub(crate) struct Keeper {
    memory: Memory,
    outcomes: Outcomes,
    shared: Option<Shared>,
    tags: Tags,
}

impl Keeper {
    pub(crate) fn new(options: &Options) -> Result<Rc<Self>, String> {
        let tags =
            Tags::open(options.tags.as_deref()).map_err(|error| format!("the cache's tags: {error}"))?;
        let shared = options.redis.as_deref().map(|url| Shared::new(url, &options.prefix, options.timeout));
        let memory = Memory::new(options.memory);
        let outcomes = Outcomes::new(options.memory.max(LEAST_OUTCOMES));
        Ok(Rc::new(Self { memory, outcomes, shared: shared.transpose()?, tags }))
    }

    /// `endpoint`, whose answers are kept as its route says; `versions` tell it from others at the same path.
    pub(crate) fn around(
        self: &Rc<Self>,
        endpoint: Rc<dyn Endpoint>,
        rule: Option<&Rule>,
        once: Option<&Once>,
        versions: &[String],
    ) -> Result<Rc<dyn Endpoint>, String> {
        let mut endpoint = endpoint;
        if let Some(rule) = rule {
            endpoint = Rc::new(Cached::new(endpoint, rule, versions, Rc::clone(self))?);
        }
        if let Some(once) = once {
            endpoint = Rc::new(Idempotent::new(endpoint, once, versions, Rc::clone(self)));
        }
        Ok(endpoint)
    }
}

//! What the binding says of a graph at start-up.

use plectrum_graphql::Limits;
use serde::Deserialize;

/// A graph and how it is served.
#[derive(Debug, Clone, Deserialize)]
pub struct Description {
    /// The schema.
    pub sdl: String,
    /// Whether values of `ID` name their type, too.
    pub global_ids: bool,
    /// Whether clients may ask for the schema.
    pub introspection: bool,
    /// Whether a browser gets a page to try queries with.
    pub page: bool,
    /// Operations in one request at most; 0 refuses lists.
    pub batch: usize,
    /// What a document may cost.
    pub limits: Bounds,
    /// Documents kept.
    pub cache: usize,
    /// Whether clients may register documents by their hash.
    pub persisted: bool,
    /// The only documents that are executed; any where absent.
    pub allowed: Option<Vec<String>>,
    /// Fields of `Query` that functions answer.
    #[serde(default)]
    pub functions: Vec<String>,
    /// How subscriptions are served.
    #[serde(default)]
    pub live: Live,
}

/// What subscriptions may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Live {
    /// Seconds a WebSocket's client may take to introduce itself.
    pub init_timeout: f64,
    /// Operations that may run over one WebSocket at the same time.
    pub operations: usize,
    /// Seconds of silence on an event stream at most.
    pub heartbeat: f64,
    /// Origins whose pages may connect by WebSocket, besides the API's own.
    pub origins: Vec<String>,
}

impl Live {
    pub(super) fn with_origins(mut self, more: Vec<String>) -> Self {
        self.origins.extend(more);
        self
    }
}

impl Default for Live {
    fn default() -> Self {
        Self { init_timeout: 3.0, operations: 100, heartbeat: 15.0, origins: Vec::new() }
    }
}

/// [`Limits`] as the binding writes them; what is absent is unlimited.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Bounds {
    request: Option<usize>,
    bytes: Option<usize>,
    tokens: Option<usize>,
    depth: Option<usize>,
    fields: Option<usize>,
    aliases: Option<usize>,
    directives: Option<usize>,
    rows: Option<u64>,
}

impl Bounds {
    /// Bytes of a request's JSON.
    pub(super) fn request(self) -> usize {
        self.request.unwrap_or(usize::MAX)
    }

    pub(super) fn limits(self) -> Limits {
        let most = |bound: Option<usize>| bound.unwrap_or(usize::MAX);
        Limits {
            bytes: most(self.bytes),
            tokens: most(self.tokens),
            depth: most(self.depth),
            fields: most(self.fields),
            aliases: most(self.aliases),
            directives: most(self.directives),
            rows: self.rows.unwrap_or(u64::MAX),
        }
    }
}

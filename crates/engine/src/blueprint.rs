//! What the binding hands over at registration: the whole API as one JSON description.

use std::sync::Arc;
use std::time::Duration;

use plectrum_http::middleware::Cors;
use plectrum_schema::Schema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

use crate::gate::spec;

/// An API: routes and what is said of them.
#[derive(Debug, Deserialize)]
pub struct Blueprint {
    /// Title, version and description for OpenAPI.
    pub info: Info,
    /// Where documents are served; `null` switches one off.
    pub docs: Docs,
    /// What the gates of routes share.
    #[serde(default)]
    pub security: spec::Security,
    /// How requests name the version they mean; there are none where absent.
    #[serde(default)]
    pub versioning: Option<Versioning>,
    /// Routes in the order of registration.
    pub routes: Vec<Route>,
    /// Directories that are served.
    #[serde(default)]
    pub statics: Vec<crate::statics::Static>,
    /// Graphs that routes answer by their number.
    #[serde(default)]
    pub graphs: Vec<crate::graphql::Description>,
}

/// Versions that share paths.
#[derive(Debug, Clone, Deserialize)]
pub struct Versioning {
    /// The header that names the version.
    pub header: String,
    /// The parameter of its media types that does.
    pub parameter: Option<String>,
    /// The version of requests that name none.
    pub default: String,
    /// All of them.
    pub versions: Vec<String>,
}

/// OpenAPI's `info`.
#[derive(Debug, Clone, Deserialize)]
pub struct Info {
    /// Name of the API.
    pub title: String,
    /// Version of the API, not of Plectrum.
    pub version: String,
    /// CommonMark text.
    pub description: Option<String>,
}

/// Paths of the documents.
#[derive(Debug, Default, Deserialize)]
pub struct Docs {
    /// The OpenAPI document.
    pub openapi: Option<String>,
    /// Swagger UI.
    pub swagger: Option<String>,
    /// Redoc.
    pub redoc: Option<String>,
    /// Directory with the assets of `drf-spectacular-sidecar`.
    pub assets: Option<String>,
    /// What stands before all of them.
    #[serde(default)]
    pub gate: Option<spec::Gate>,
}

/// Which of the three ways answers a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Rust alone.
    Native,
    /// Python builds a queryset, Rust executes it.
    Queryset,
    /// Python's value, written by Rust.
    Object,
}

impl Way {
    /// As users read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Queryset => "queryset",
            Self::Object => "object",
        }
    }
}

/// One method on one path.
#[derive(Debug, Deserialize)]
pub struct Route {
    /// Upper case.
    pub method: String,
    /// Pattern as the user wrote it.
    pub path: String,
    /// Stable name.
    pub name: String,
    /// How it is answered.
    pub way: Way,
    /// Status of a plain result.
    pub status: u16,
    /// Arguments in the handler's order.
    pub parameters: Vec<Parameter>,
    /// Type of the answer, for OpenAPI.
    #[serde(default, deserialize_with = "schema")]
    pub response: Option<Arc<Schema>>,
    /// OpenAPI tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// One line.
    pub summary: Option<String>,
    /// CommonMark text.
    pub description: Option<String>,
    /// OpenAPI's mark.
    #[serde(default)]
    pub deprecated: bool,
    /// Whether OpenAPI shows it.
    #[serde(default = "yes")]
    pub include_in_schema: bool,
    /// OpenAPI's name of the operation; made of name, path and method where absent.
    #[serde(default)]
    pub operation_id: Option<String>,
    /// How it may answer besides its success, for OpenAPI.
    #[serde(default)]
    pub responses: Vec<Documented>,
    /// Whether query parameters it does not know are refused.
    #[serde(default)]
    pub strict_query: bool,
    /// The versions that have it; all where there are none.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Whether it answers only paths that no other route has, whatever their methods.
    #[serde(default)]
    pub mounted: bool,
    /// What stands before it.
    #[serde(default)]
    pub gate: Option<spec::Gate>,
    /// Media type of every answer; a client that does not take it gets 406. Any where absent.
    #[serde(default)]
    pub produces: Option<String>,
    /// Bytes of a body at most; the server's own limit where absent.
    #[serde(default)]
    pub max_body: Option<u64>,
    /// Seconds the answer may take; any time where absent.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// Seconds an execution may take; any time where absent.
    #[serde(default)]
    pub statement_timeout: Option<f64>,
    /// How many of its requests are answered at once; any number where absent.
    #[serde(default)]
    pub concurrency: Option<crate::budget::Spec>,
    /// That its answers are kept.
    #[serde(default)]
    pub cache: Option<crate::cache::Rule>,
    /// That its requests may be sent again.
    #[serde(default)]
    pub once: Option<crate::cache::Once>,
    /// Whether the endpoint reads the body by itself.
    #[serde(default)]
    pub stream: bool,
    /// Whose pages may read its answers; as the settings say where absent.
    #[serde(default)]
    pub cors: Option<Cors>,
    /// For native routes.
    pub native: Option<Native>,
    /// For GraphQL routes: which of the blueprint's graphs.
    #[serde(default)]
    pub graph: Option<usize>,
    /// For change feeds, whose operation (in `native`) reads a row by its key.
    #[serde(default)]
    pub feed: Option<Feed>,
    /// For WebSocket routes, whose method is GET.
    #[serde(default)]
    pub websocket: Option<WebSocket>,
}

/// One more way a route may answer.
#[derive(Debug, Deserialize)]
pub struct Documented {
    /// HTTP status.
    pub status: u16,
    /// For people.
    pub description: String,
    /// Type of its JSON; a problem document where absent.
    #[serde(default, deserialize_with = "schema")]
    pub schema: Option<Arc<Schema>>,
}

impl Route {
    /// What an execution may take.
    #[must_use]
    pub fn statement_limit(&self) -> Option<Duration> {
        self.statement_timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }
}

/// What is special about a change feed.
#[derive(Debug, Deserialize)]
pub struct Feed {
    /// Channel of the database that the trigger sends to.
    pub channel: String,
    /// Keys of the row that clients may filter by; the route's parameters, in order.
    pub filters: Vec<String>,
    /// Events that are kept for clients that come back.
    pub history: usize,
    /// The longest silence, in seconds.
    pub heartbeat: f64,
}

/// What is special about a WebSocket route.
#[derive(Debug, Deserialize)]
pub struct WebSocket {
    /// Origins whose pages may connect, besides the API's own and those of the settings.
    pub origins: Vec<String>,
}

/// One argument.
#[derive(Debug, Deserialize)]
pub struct Parameter {
    /// Python name.
    pub name: String,
    /// Name on the wire.
    pub wire: String,
    /// Where it comes from.
    pub source: Source,
    /// Its type; none for the request itself.
    #[serde(default, deserialize_with = "schema")]
    pub schema: Option<Arc<Schema>>,
    /// Whether its absence is an error.
    pub required: bool,
    /// Every value of a repeated name is taken.
    #[serde(default)]
    pub many: bool,
    /// For OpenAPI.
    pub description: Option<String>,
    /// Values as they may look, for OpenAPI.
    #[serde(default)]
    pub examples: Vec<serde_json::Value>,
    /// JSON form of the default, for OpenAPI and for native routes.
    #[serde(default)]
    pub default: Option<serde_json::Value>,
}

/// Where an argument comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The path.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The whole JSON body.
    Body,
    /// One key of the JSON body.
    BodyField,
    /// A form field, or an uploaded file.
    Form,
    /// The whole body, as it is.
    Raw,
    /// What authentication says of who makes the request.
    Claim,
    /// The request object.
    Request,
    /// The WebSocket.
    Websocket,
    /// A list of tasks for after the response.
    Background,
    /// What makes an answer of a result, for those who change it afterwards.
    Responder,
}

/// A native route's database side.
#[derive(Debug, Deserialize)]
pub struct Native {
    /// Database alias.
    pub alias: String,
    /// Whether it must run on the binding's own connection.
    #[serde(default)]
    pub foreign: bool,
    /// The operation without variations.
    pub operation: Box<RawValue>,
    /// Whether the answer links to other pages.
    #[serde(default)]
    pub links: bool,
    /// Indices of parameters whose presence (or, for `choice` ones, value) makes another plan.
    #[serde(default)]
    pub optional: Vec<usize>,
    /// Index of the ordering parameter, whose value makes another plan.
    pub ordering: Option<usize>,
    /// Index of the cursor parameter.
    #[serde(default)]
    pub cursor: Option<usize>,
}

fn yes() -> bool {
    true
}

/// Schemas are compiled as they are read, so that a bad one is refused with its place.
fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Arc<Schema>>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    Schema::from_json(raw.get()).map(|schema| Some(Arc::new(schema))).map_err(D::Error::custom)
}

//! Answers to probes: whether the process lives, and whether it can do its work.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plectrum_db::{Context, Operation, Outcome, buffer};
use plectrum_http::{Body, Bytes, HeaderValue, Reply, Response, StatusCode, header};
use redis::Client;
use serde_json::json;

use crate::database::Database;
use crate::endpoint::{Call, Endpoint};

/// How long an answer holds: probes cannot load what they look at.
const HOLDS: Duration = Duration::from_secs(1);
/// What a check may take.
const PATIENCE: Duration = Duration::from_secs(2);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What came of a check: nothing, or why it failed, for the log.
pub type Checking = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Something without which requests fail.
pub struct Check {
    /// As the answer names it.
    pub name: String,
    /// Looks.
    pub run: Box<dyn Fn() -> Checking>,
}

impl Check {
    /// Whether a database of ours answers.
    #[must_use]
    pub fn database(name: String, database: Database) -> Self {
        let run = move || {
            let database = database.clone();
            let checking: Checking = Box::pin(async move {
                let one = Operation::from_json(ONE).map_err(|error| error.to_string())?;
                let asked = database.run(&Arc::new(one), Vec::new(), Context::default()).await;
                if let Outcome::Found(bytes) = asked.map_err(|error| error.to_string())? {
                    buffer::give(bytes);
                }
                Ok(())
            });
            checking
        };
        Self { name, run: Box::new(run) }
    }

    /// Whether a Redis answers.
    ///
    /// # Errors
    /// The address is none.
    pub fn redis(name: String, url: &str) -> Result<Self, String> {
        let client = Client::open(url).map_err(|error| format!("{name}: {error}"))?;
        let run = move || {
            let client = client.clone();
            let checking: Checking = Box::pin(async move {
                let mut connection =
                    client.get_multiplexed_async_connection().await.map_err(|error| error.to_string())?;
                let pinged: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
                pinged.map(drop).map_err(|error| error.to_string())
            });
            checking
        };
        Ok(Self { name, run: Box::new(run) })
    }
}

/// One row of one number, on any engine.
const ONE: &str = r#"{"queries":[{"sql":"SELECT 1","binds":[],"columns":[{"kind":"int"}],
    "row":{"array":[{"column":0}]}}],"response":{"rows":0}}"#;

/// Says that the process lives.
pub struct Health;

impl Endpoint for Health {
    fn call(&self, _call: Box<Call>) -> Reply {
        respond(StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}")).into()
    }
}

/// Says whether everything is there that requests need: 200, or 503 with what is not.
pub struct Ready(Rc<Inner>);

struct Inner {
    checks: Vec<Check>,
    last: RefCell<Option<(Instant, StatusCode, Bytes)>>,
}

impl Ready {
    /// Ready where all `checks` pass.
    #[must_use]
    pub fn new(checks: Vec<Check>) -> Self {
        Self(Rc::new(Inner { checks, last: RefCell::default() }))
    }
}

impl Endpoint for Ready {
    fn call(&self, _call: Box<Call>) -> Reply {
        if let Some((at, status, body)) = &*self.0.last.borrow()
            && at.elapsed() < HOLDS
        {
            return respond(*status, body.clone()).into();
        }
        let inner = Rc::clone(&self.0);
        Reply::pending(async move {
            let (status, body) = inner.look().await;
            *inner.last.borrow_mut() = Some((Instant::now(), status, body.clone()));
            respond(status, body)
        })
    }
}

impl Inner {
    async fn look(&self) -> (StatusCode, Bytes) {
        let looks = self.checks.iter().map(|check| tokio::time::timeout(PATIENCE, (check.run)()));
        let found = futures_util::future::join_all(looks).await;
        let (mut checks, mut ready) = (serde_json::Map::new(), true);
        for (check, found) in self.checks.iter().zip(found) {
            let found = found.unwrap_or_else(|_| Err(format!("no answer in {} s", PATIENCE.as_secs())));
            if let Err(why) = &found {
                tracing::warn!(target: "plectrum.observe", "not ready: {}: {why}", check.name);
                ready = false;
            }
            checks.insert(check.name.clone(), json!(if found.is_ok() { "ok" } else { "failed" }));
        }
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if ready { "ready" } else { "unavailable" };
        (status, json!({"status": word, "checks": checks}).to_string().into())
    }
}

fn respond(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::Full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

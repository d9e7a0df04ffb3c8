//! Requests that may be sent again: the answer to the first is given to all under one `Idempotency-Key`.
//!
//! A request with a key runs to its end even where its client goes away: that is when it will come again.
//!
//! Source: The Idempotency-Key HTTP Header Field, draft-ietf-httpapi-idempotency-key-header-06.

use std::rc::Rc;
use std::time::Duration;

use plectrum_http::{HeaderName, HeaderValue, Problem, Reply, Response, StatusCode, header, problem};
use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::key::{Key, Parts};
use super::memory::Outcome;
use super::{Keeper, Once};
use crate::endpoint::settled;
use crate::endpoint::{Call, Endpoint, Reads};
use crate::error;
use crate::observe::trip;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longer ones are refused.
const MOST_BYTES: usize = 255;

/// An endpoint whose requests may be sent again.
pub(super) struct Idempotent(Rc<Inner>);

struct Inner {
    endpoint: Rc<dyn Endpoint>,
    keeper: Rc<Keeper>,
    /// Those of the API that have the route.
    versions: String,
    lifetime: Duration,
    required: bool,
}

impl Idempotent {
    pub(super) fn new(
        endpoint: Rc<dyn Endpoint>,
        once: &Once,
        versions: &[String],
        keeper: Rc<Keeper>,
    ) -> Self {
        let lifetime = Duration::try_from_secs_f64(once.seconds).unwrap_or_default();
        let versions = versions.join(",");
        Self(Rc::new(Inner { endpoint, keeper, versions, lifetime, required: once.required }))
    }
}

impl Endpoint for Idempotent {
    fn call(&self, call: Box<Call>) -> Reply {
        let inner = Rc::clone(&self.0);
        let Some(given) = call.request.headers.get(&IDEMPOTENCY_KEY) else {
            if inner.required {
                return refusal(
                    StatusCode::BAD_REQUEST,
                    "Send an Idempotency-Key: a new one for each request.",
                )
                .into();
            }
            return inner.endpoint.call(call);
        };
        let Some(key) = read(given) else {
            let detail =
                "The Idempotency-Key is a string of 1 to 255 visible characters, in quotes or without.";
            return refusal(StatusCode::BAD_REQUEST, detail).into();
        };
        let (key, digest) = (key_of(&call, &inner.versions, key), digest_of(&call));
        Reply::pending(async move {
            match inner.begin(key, digest).await {
                Err(response) => *response,
                Ok(()) => inner.run(key, digest, call).await,
            }
        })
    }

    fn reads(&self) -> Reads {
        self.0.endpoint.reads()
    }
}

impl Inner {
    /// Leave to go on, or the answer there is already.
    async fn begin(&self, key: Key, digest: Key) -> Result<(), Box<Response>> {
        let before = match &self.keeper.shared {
            None => self.keeper.outcomes.begin(key, digest),
            // Without knowing, a second time could be one too many.
            Some(shared) => shared.begin(&key, &digest).await.map_err(|_| Box::new(error::unavailable()))?,
        };
        match before {
            None => Ok(()),
            Some(Outcome::Running(known) | Outcome::Done(known, _)) if known != digest => {
                let detail = "This Idempotency-Key was used for another request. Use a new one.";
                Err(Box::new(refusal(StatusCode::UNPROCESSABLE_ENTITY, detail)))
            }
            Some(Outcome::Running(_)) => {
                let mut response = refusal(
                    StatusCode::CONFLICT,
                    "The request under this Idempotency-Key is still being answered.",
                );
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                Err(Box::new(response))
            }
            Some(Outcome::Done(_, entry)) => {
                let mut response = entry.respond();
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                Err(Box::new(response))
            }
        }
    }

    async fn run(self: Rc<Self>, key: Key, digest: Key, call: Box<Call>) -> Response {
        let running = trip::carried(async move {
            let unfinished = Unfinished { inner: Some(Rc::clone(&self)), key, digest };
            let response = settled(self.endpoint.call(call)).await;
            unfinished.finish(&response).await;
            response
        });
        // A panic was logged where it happened.
        tokio::task::spawn_local(running)
            .await
            .unwrap_or_else(|_| problem::of(StatusCode::INTERNAL_SERVER_ERROR))
    }

    async fn finish(&self, key: Key, digest: Key, entry: Option<Entry>) {
        match &self.keeper.shared {
            None => self.keeper.outcomes.finish(key, digest, entry, self.lifetime),
            Some(shared) => shared.finish(&key, &digest, entry.as_ref(), self.lifetime).await,
        }
    }
}

/// A request that may be sent again if nothing comes of it.
struct Unfinished {
    inner: Option<Rc<Inner>>,
    key: Key,
    digest: Key,
}

impl Unfinished {
    /// Keeps the answer; one that tells of a passing fault, or that is not there yet, is not one to repeat.
    async fn finish(mut self, response: &Response) {
        let status = response.status();
        let passing = status.is_server_error()
            || [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT]
                .contains(&status);
        let entry = (!passing).then(|| Entry::of(response)).flatten();
        if let Some(inner) = self.inner.take() {
            inner.finish(self.key, self.digest, entry).await;
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take()
            && inner.keeper.shared.is_none()
        {
            inner.keeper.outcomes.finish(self.key, self.digest, None, inner.lifetime);
        }
    }
}

/// The key as a structured field's string (RFC 8941), or as clients write it without quotes.
fn read(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?.trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let visible = bare.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    (visible && !bare.is_empty() && bare.len() <= MOST_BYTES).then_some(bare)
}

/// A key is its sender's, and one route's.
fn key_of(call: &Call, versions: &str, key: &str) -> Key {
    let mut parts = Parts::new("once");
    parts.add(call.request.method.as_str().as_bytes());
    parts.add(call.request.path().as_bytes());
    parts.add(versions.as_bytes());
    parts.asker(call);
    parts.add(key.as_bytes());
    parts.finish()
}

/// What must be the same when the request comes again. Files are told apart by their names and sizes.
fn digest_of(call: &Call) -> Key {
    let mut parts = Parts::new("request");
    parts.add(call.request.query().as_bytes());
    parts.add(&Sha256::digest(&call.body));
    if let Some(form) = &call.form {
        for (name, value) in &form.fields {
            parts.add(name.as_bytes());
            parts.add(value.as_bytes());
        }
        for (name, file) in &form.files {
            parts.add(name.as_bytes());
            parts.add(file.filename.as_bytes());
            parts.add(&file.size.to_le_bytes());
        }
    }
    parts.finish()
}

fn refusal(status: StatusCode, detail: &str) -> Response {
    Problem::new(status).detail(detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_and_without_quotes() {
        let long = "x".repeat(MOST_BYTES + 1);
        for (text, expected) in [
            ("\"a b\"", Some("a b")),
            ("8e03978e", Some("8e03978e")),
            ("\"\"", None),
            ("", None),
            (long.as_str(), None),
        ] {
            assert_eq!(HeaderValue::from_str(text).ok().as_ref().and_then(read), expected, "{text}");
        }
    }
}

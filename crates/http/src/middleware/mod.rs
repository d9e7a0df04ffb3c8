//! What every request and every answer passes, whichever route it is for: decided once, one file each.
//!
//! A request meets [`proxies`] (who is the client?), [`hosts`] (is it for us?), [`security`] (over HTTPS?); its answer
//! meets [`cors`], [`compression`] and [`security`] again. Where none of them is configured there is no [`Edge`], and
//! nothing of this costs anything.

mod compression;
pub mod cors;
mod hosts;
mod proxies;
mod request_id;
mod security;

use std::rc::Rc;

use http::header::{ORIGIN, SEC_WEBSOCKET_VERSION};
use http::{HeaderValue, StatusCode};

use crate::{Reply, Request, Response, problem};
pub use compression::Coding;
use compression::Compression;
pub use cors::{Cors, Policy};
use hosts::Hosts;
pub use proxies::ForwardedBy;
use proxies::Proxies;
use request_id::RequestId;
use security::Security;
pub use security::SecurityHeaders;

/// What is configured; everything is off by default but the check of hosts, which lets all pass.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// Names this server answers to; `*` for all.
    pub hosts: Vec<String>,
    /// Addresses and networks of proxies that are believed, and `unix`.
    pub proxies: Vec<String>,
    /// Which headers they write.
    pub forwarded_by: ForwardedBy,
    /// Whether they are believed about the host too.
    pub forwarded_host: bool,
    /// Whether requests are sent to HTTPS, and to which host; to their own where empty.
    pub https: Option<String>,
    /// Headers of every answer.
    pub security: SecurityHeaders,
    /// Whose pages may read answers.
    pub cors: Option<Cors>,
    /// Codings in order of preference.
    pub compression: Vec<Coding>,
    /// Bytes of a body that is worth compressing.
    pub compression_least: usize,
    /// The header that names each request.
    pub request_id: Option<String>,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            hosts: vec!["*".to_owned()],
            proxies: Vec::new(),
            forwarded_by: ForwardedBy::XForwarded,
            forwarded_host: false,
            https: None,
            security: SecurityHeaders::default(),
            cors: None,
            compression: Vec::new(),
            compression_least: 0,
            request_id: None,
        }
    }
}

/// A compiled [`EdgeConfig`].
pub struct Edge {
    hosts: Option<Hosts>,
    proxies: Option<Proxies>,
    https: Option<String>,
    security: Option<Security>,
    cors: Option<Rc<Policy>>,
    compression: Option<Compression>,
    request_id: Option<RequestId>,
    /// Whether it matters which page a request comes from.
    pages: bool,
}

/// What an answer depends on of its request.
#[derive(Default)]
pub struct Seen {
    secure: bool,
    origin: Option<HeaderValue>,
    coding: Option<Coding>,
    id: Option<HeaderValue>,
    upgrade: bool,
    /// Whether the request comes from a proxy that is believed.
    pub trusted: bool,
    /// Whose pages may read this answer.
    pub cors: Option<Rc<Policy>>,
}

impl Seen {
    /// What the request is called.
    #[must_use]
    pub fn id(&self) -> Option<&HeaderValue> {
        self.id.as_ref()
    }
}

impl Edge {
    /// Compiles it; none where there is nothing to do, unless routes have `own` policies.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn compile(config: &EdgeConfig, own: bool) -> Result<Option<Rc<Self>>, String> {
        let proxies = (!config.proxies.is_empty())
            .then(|| Proxies::new(&config.proxies, config.forwarded_by, config.forwarded_host))
            .transpose()?;
        let compression = (!config.compression.is_empty())
            .then(|| Compression { codings: config.compression.clone(), least: config.compression_least });
        let edge = Self {
            hosts: (config.hosts != ["*"]).then(|| Hosts::new(&config.hosts)),
            proxies,
            https: config.https.clone(),
            security: Security::new(&config.security)?,
            cors: config.cors.as_ref().map(Policy::new).transpose()?.map(Rc::new),
            compression,
            request_id: config.request_id.as_deref().map(RequestId::new).transpose()?,
            pages: own || config.cors.is_some(),
        };
        Ok((own || !edge.is_idle()).then(|| Rc::new(edge)))
    }

    fn is_idle(&self) -> bool {
        self.hosts.is_none()
            && self.proxies.is_none()
            && self.https.is_none()
            && self.security.is_none()
            && self.cors.is_none()
            && self.compression.is_none()
            && self.request_id.is_none()
    }

    /// Looks at a request before anybody else does; the answer, where it gets no further.
    pub fn admit(&self, request: &mut Request) -> (Seen, Option<Box<Response>>) {
        let trusted = self.proxies.as_ref().is_some_and(|proxies| proxies.apply(request));
        let mut seen = Seen {
            secure: request.secure,
            origin: self.pages.then(|| request.headers.get(ORIGIN).cloned()).flatten(),
            coding: self.compression.as_ref().and_then(|compression| compression.choose(&request.headers)),
            id: self.request_id.as_ref().map(|id| id.of(request, trusted)),
            upgrade: self.compression.is_some() && request.headers.contains_key(SEC_WEBSOCKET_VERSION),
            trusted,
            cors: self.cors.clone(),
        };
        if self.hosts.as_ref().is_some_and(|hosts| !hosts.allow(request)) {
            seen.cors = None;
            return (seen, Some(Box::new(problem::of(StatusCode::BAD_REQUEST))));
        }
        let redirect = match &self.https {
            Some(host) if !request.secure => {
                security::to_https(request, Some(host.as_str()).filter(|host| !host.is_empty()))
            }
            _ => None,
        };
        (seen, redirect.map(Box::new))
    }

    /// Adds to an answer what its request called for.
    pub fn finish(&self, seen: &Seen, response: &mut Response) {
        if let Some(policy) = &seen.cors {
            policy.finish(seen.origin.as_ref(), response);
        }
        if let (Some(compression), false) = (&self.compression, seen.upgrade) {
            compression.finish(seen.coding, response);
        }
        if let Some(security) = &self.security {
            security.finish(seen.secure, response);
        }
        if let (Some(id), Some(value)) = (&self.request_id, &seen.id) {
            response.headers_mut().insert(id.header.clone(), value.clone());
        }
    }

    /// [`Edge::finish`], also for an answer that is still to come.
    #[must_use]
    pub fn finished(self: &Rc<Self>, seen: Seen, mut reply: Reply) -> Reply {
        if let Reply::Ready(response) = &mut reply {
            self.finish(&seen, response);
            return reply;
        }
        match reply {
            Reply::Ready(response) => response.into(),
            Reply::Pending(pending) => {
                let edge = Rc::clone(self);
                Reply::pending(async move {
                    let mut response = pending.await;
                    edge.finish(&seen, &mut response);
                    response
                })
            }
        }
    }
}

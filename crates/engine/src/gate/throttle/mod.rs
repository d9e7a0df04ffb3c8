//! How often: requests are counted per [`cell`], in a [`segment`] that a host's workers share, or in [`redis`] that hosts
//! share.

mod cell;
mod redis;
mod segment;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use plectrum_http::{HeaderName, HeaderValue, Peer, Request, Response, StatusCode, header, problem};

use super::identity::Identity;
use super::spec::{Limit as LimitSpec, Per};
use cell::{Decision, Rate};
use segment::Segment;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where requests are counted.
#[derive(Debug, Clone)]
pub struct Options {
    /// The segment the supervisor made; a private one is made where absent.
    pub segment: Option<PathBuf>,
    /// Buckets of a private segment.
    pub slots: usize,
    /// Counts are kept in this Redis instead.
    pub redis: Option<String>,
    /// What Redis may take to answer.
    pub timeout: Duration,
    /// What happens where it does not.
    pub without_redis: WithoutRedis,
    /// Limits of routes that have none of their own.
    pub usual: Vec<LimitSpec>,
}

/// What happens while Redis does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutRedis {
    /// This host counts for itself.
    Local,
    /// Nothing is counted.
    Open,
    /// Requests are refused with 503.
    Closed,
}

/// Counts; one for all gates of a worker.
pub struct Counter {
    segment: Rc<Segment>,
    redis: Option<Rc<redis::Redis>>,
    without_redis: WithoutRedis,
}

/// The limits of a gate.
pub(super) struct Limits(Vec<Limit>);

/// A compiled limit.
pub(super) struct Limit {
    scope: String,
    per: Per,
    header: Option<HeaderName>,
    rate: Rate,
    name: Rc<str>,
    policy: HeaderValue,
}

/// What became of a request.
pub(super) enum Taken {
    Allowed(Quota),
    Exceeded(Quota),
    /// Redis does not answer, and the user wants to go on without.
    Uncounted,
    /// Redis does not answer, and the user wants to stop.
    Unavailable,
}

/// A count under way.
pub(super) type Taking = Pin<Box<dyn Future<Output = Taken>>>;

/// How much of a limit is left, for the headers of draft-ietf-httpapi-ratelimit-headers-10.
#[derive(Debug, Clone)]
pub struct Quota {
    name: Rc<str>,
    policy: HeaderValue,
    remaining: u32,
    /// Seconds.
    reset_after: u64,
    retry_after: u64,
}

impl Counter {
    /// Opens or makes the segment; Redis is asked for when it is first needed.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn new(options: &Options) -> Result<Self, String> {
        let segment = match &options.segment {
            Some(path) => Segment::shared(path),
            None => Segment::private(options.slots),
        };
        let segment = Rc::new(segment.map_err(|error| format!("memory for the throttle: {error}"))?);
        let redis = match &options.redis {
            Some(url) => Some(Rc::new(redis::Redis::new(url, options.timeout)?)),
            None => None,
        };
        Ok(Self { segment, redis, without_redis: options.without_redis })
    }

    /// Counts one request of `key`; the error is a count that has to be waited for.
    pub(super) fn take(&self, limit: &Limit, key: Vec<u8>) -> Result<Taken, Taking> {
        match &self.redis {
            None => Ok(limit.taken(self.segment.take(&key, limit.rate, segment::now()))),
            Some(redis) => Err(self.take_there(Rc::clone(redis), limit, key)),
        }
    }

    fn take_there(&self, redis: Rc<redis::Redis>, limit: &Limit, key: Vec<u8>) -> Taking {
        let (segment, without, limit) = (Rc::clone(&self.segment), self.without_redis, limit.clone());
        Box::pin(async move {
            let name = format!("plectrum:throttle:{}", String::from_utf8_lossy(&key).escape_default());
            match (redis.take(&name, limit.rate.interval, limit.rate.depth).await, without) {
                (Some(decision), _) => limit.taken(decision),
                (None, WithoutRedis::Local) => limit.taken(segment.take(&key, limit.rate, segment::now())),
                (None, WithoutRedis::Open) => Taken::Uncounted,
                (None, WithoutRedis::Closed) => Taken::Unavailable,
            }
        })
    }
}

impl Limits {
    pub(super) fn compile(limits: &[LimitSpec]) -> Result<Self, String> {
        limits.iter().map(Limit::compile).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Limit> {
        self.0.get(number)
    }
}

impl Clone for Limit {
    fn clone(&self) -> Self {
        let (scope, per, header) = (self.scope.clone(), self.per.clone(), self.header.clone());
        Self { scope, per, header, rate: self.rate, name: Rc::clone(&self.name), policy: self.policy.clone() }
    }
}

impl Limit {
    fn compile(spec: &LimitSpec) -> Result<Self, String> {
        if spec.quota == 0 || spec.burst == 0 || !(spec.period > 0.0 && spec.period <= 31_536_000.0) {
            return Err(format!(
                "the limit {:?} must allow at least one request, in a period of up to a year",
                spec.name
            ));
        }
        let header = match &spec.per {
            Per::Header(name) => {
                Some(name.parse().map_err(|_| format!("{name:?} cannot be the name of a header"))?)
            }
            _ => None,
        };
        let policy = format!("\"{}\";q={};w={}", spec.name, spec.quota, spec.period.ceil());
        Ok(Self {
            scope: spec.scope.clone(),
            per: spec.per.clone(),
            header,
            rate: Rate::new(spec.quota, spec.period, spec.burst),
            policy: HeaderValue::try_from(policy)
                .map_err(|_| format!("{:?} cannot be the name of a limit", spec.name))?,
            name: spec.name.as_str().into(),
        })
    }

    fn taken(&self, decision: Decision) -> Taken {
        let quota = Quota {
            name: Rc::clone(&self.name),
            policy: self.policy.clone(),
            remaining: decision.remaining,
            reset_after: seconds(decision.reset_after),
            retry_after: seconds(decision.retry_after),
        };
        if decision.allowed { Taken::Allowed(quota) } else { Taken::Exceeded(quota) }
    }
}

/// Whether a limit needs to know who it is.
pub(super) fn is_by_identity(per: &Per) -> bool {
    matches!(per, Per::User | Per::Key)
}

/// Whose bucket a request is taken from: the limit's scope, then what tells the peer from others.
pub(super) fn key_of(limit: &Limit, request: &Request, identity: &Identity) -> Vec<u8> {
    let mut key = Vec::with_capacity(limit.scope.len() + 24);
    key.extend_from_slice(limit.scope.as_bytes());
    let header = || limit.header.as_ref().and_then(|name| request.headers.get(name));
    match (&limit.per, &identity.subject, identity.scheme) {
        (Per::All, ..) => key.extend_from_slice(b" all"),
        (Per::User, Some(subject), _) => tagged(&mut key, b" user ", subject.as_bytes()),
        (Per::Key, Some(subject), Some(scheme)) => {
            key.extend_from_slice(format!(" key {scheme} ").as_bytes());
            key.extend_from_slice(subject.as_bytes());
        }
        (Per::Header(_), ..) if header().is_some() => {
            tagged(&mut key, b" header ", header().map(HeaderValue::as_bytes).unwrap_or_default());
        }
        _ => address(&mut key, request.peer),
    }
    key
}

fn tagged(key: &mut Vec<u8>, tag: &[u8], value: &[u8]) {
    key.extend_from_slice(tag);
    key.extend_from_slice(value);
}

/// A host has one IPv4 address, but a whole /64 of IPv6 ones (RFC 6177).
fn address(key: &mut Vec<u8>, peer: Peer) {
    key.extend_from_slice(b" ip ");
    match peer {
        Peer::Tcp(address) => match address.ip().to_canonical() {
            IpAddr::V4(ip) => key.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => key.extend_from_slice(ip.octets().get(..8).unwrap_or_default()),
        },
        Peer::Unix => key.extend_from_slice(b"unix"),
    }
}

impl Quota {
    /// The one of which less is left.
    pub(super) fn tighter(one: Option<Self>, other: Self) -> Option<Self> {
        match one {
            Some(one) if one.remaining <= other.remaining => Some(one),
            _ => Some(other),
        }
    }

    /// 429 that says when to come back.
    pub(super) fn refusal(&self) -> Response {
        let mut response = problem::of(StatusCode::TOO_MANY_REQUESTS);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after.max(1)));
        self.show(&mut response);
        response
    }

    /// Adds `RateLimit` and `RateLimit-Policy`.
    pub fn show(&self, response: &mut Response) {
        let text = format!("\"{}\";r={};t={}", self.name, self.remaining, self.reset_after);
        let headers = response.headers_mut();
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(RATE_LIMIT, value);
        }
    }
}

/// Microseconds as whole seconds, never early.
fn seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000)
}

//! How often: requests are counted per [`cell`], in a [`segment`] that a host's workers share, or in [`redis`] that hosts
//! share.

mod cell;
mod redis;
mod segment;

use std::cell::RefCell;
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use plectrum_http::{HeaderName, HeaderValue, Peer, Request, Response, StatusCode, header, problem};
use smallvec::SmallVec;

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
    said: RefCell<Option<Said>>,
}

/// What the last refusal said. Refusals are many where there are any, and those of one second say the same.
struct Said {
    /// Seconds.
    reset_after: u64,
    limit: HeaderValue,
    retry_after: u64,
    retry: HeaderValue,
}

/// Whose bucket a request is taken from, as bytes.
pub(super) type Key = SmallVec<[u8; 64]>;

/// What became of a request.
pub(super) enum Taken {
    Allowed(Quota),
    Exceeded(Response),
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
    pub(super) fn take(&self, limit: &Limit, key: Key) -> Result<Taken, Taking> {
        match &self.redis {
            None => Ok(limit.taken(self.segment.take(&key, limit.rate, segment::now()))),
            Some(redis) => Err(self.take_there(Rc::clone(redis), limit, key)),
        }
    }

    fn take_there(&self, redis: Rc<redis::Redis>, limit: &Limit, key: Key) -> Taking {
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

    /// Counts a request by all of them, where nothing has to be waited for: what is left of the tightest, or the refusal.
    /// `None` where something has to; nothing has been counted then.
    pub(super) fn count(
        &self,
        counter: &Counter,
        request: &Request,
    ) -> Option<Result<Option<Quota>, Box<Response>>> {
        if counter.redis.is_some() {
            return None;
        }
        let mut quota = None;
        for limit in &self.0 {
            match counter.take(limit, key_of(limit, request, None)) {
                Ok(Taken::Allowed(left)) => quota = Quota::tighter(quota, left),
                Ok(Taken::Exceeded(response)) => return Some(Err(Box::new(response))),
                // Only Redis gives these.
                Ok(Taken::Uncounted | Taken::Unavailable) | Err(_) => {}
            }
        }
        Some(Ok(quota))
    }
}

impl Clone for Limit {
    fn clone(&self) -> Self {
        let (scope, per, header) = (self.scope.clone(), self.per.clone(), self.header.clone());
        let (name, policy) = (Rc::clone(&self.name), self.policy.clone());
        Self { scope, per, header, rate: self.rate, name, policy, said: RefCell::default() }
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
            said: RefCell::default(),
        })
    }

    fn taken(&self, decision: Decision) -> Taken {
        if !decision.allowed {
            return Taken::Exceeded(self.refusal(&decision));
        }
        Taken::Allowed(Quota {
            name: Rc::clone(&self.name),
            policy: self.policy.clone(),
            remaining: decision.remaining,
            reset_after: seconds(decision.reset_after),
        })
    }

    /// 429 that says when to come back.
    fn refusal(&self, decision: &Decision) -> Response {
        let (reset_after, retry_after) =
            (seconds(decision.reset_after), seconds(decision.retry_after).max(1));
        let mut last = self.said.borrow_mut();
        let said = match last.take() {
            Some(said) if said.reset_after == reset_after && said.retry_after == retry_after => said,
            _ => Said {
                reset_after,
                limit: left(&self.name, 0, reset_after),
                retry_after,
                retry: HeaderValue::from(retry_after),
            },
        };
        let said = last.insert(said);
        let mut response = problem::of(StatusCode::TOO_MANY_REQUESTS);
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, said.retry.clone());
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        headers.insert(RATE_LIMIT, said.limit.clone());
        response
    }
}

/// Whether a limit needs to know who it is.
pub(super) fn is_by_identity(per: &Per) -> bool {
    matches!(per, Per::User | Per::Key)
}

/// Whose bucket a request is taken from: the limit's scope, then what tells the peer from others.
pub(super) fn key_of(limit: &Limit, request: &Request, identity: Option<&Identity>) -> Key {
    let mut key = Key::new();
    key.extend_from_slice(limit.scope.as_bytes());
    let header = || limit.header.as_ref().and_then(|name| request.headers.get(name));
    let subject = identity.and_then(|identity| identity.subject());
    match (&limit.per, subject, identity.and_then(|identity| identity.scheme)) {
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

fn tagged(key: &mut Key, tag: &[u8], value: &[u8]) {
    key.extend_from_slice(tag);
    key.extend_from_slice(value);
}

/// A host has one IPv4 address, but a whole /64 of IPv6 ones (RFC 6177).
fn address(key: &mut Key, peer: Peer) {
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

    /// Adds `RateLimit` and `RateLimit-Policy`.
    pub fn show(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        headers.insert(RATE_LIMIT, left(&self.name, self.remaining, self.reset_after));
    }
}

/// The value of `RateLimit`. `name` was checked to be one of a header's value.
fn left(name: &str, remaining: u32, reset_after: u64) -> HeaderValue {
    let text = format!("\"{name}\";r={remaining};t={reset_after}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// Microseconds as whole seconds, never early.
fn seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000)
}

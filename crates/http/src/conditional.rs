//! Conditional requests (RFC 9110 §13) and the entity tags they compare.

use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, SystemTime};

use http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::{Body, Response, problem};

/// What a request's conditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client believes.
    Failed,
}

/// What is known of a representation's version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validators<'a> {
    /// Its entity tag, with quotes.
    pub etag: Option<&'a str>,
    /// When it was changed last.
    pub modified: Option<SystemTime>,
}

impl<'a> Validators<'a> {
    /// Those that a response names in its headers.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let etag = headers.get(ETAG).and_then(|value| value.to_str().ok());
        Self { etag, modified: date(headers, &LAST_MODIFIED) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.modified.is_none()
    }

    /// Compares with a request's conditions, in the order of RFC 9110 §13.2.2.
    #[must_use]
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Outcome {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if headers.contains_key(IF_MATCH) {
            if !any(headers, &IF_MATCH, |tag| tag == "*" || is_strong(tag) && Some(tag) == self.etag) {
                return Outcome::Failed;
            }
        } else if let (Some(limit), Some(modified)) = (date(headers, &IF_UNMODIFIED_SINCE), self.modified)
            && whole_seconds(modified) > limit
        {
            return Outcome::Failed;
        }
        if headers.contains_key(IF_NONE_MATCH) {
            let ours = self.etag.map(opaque);
            return match any(headers, &IF_NONE_MATCH, |tag| tag == "*" || Some(opaque(tag)) == ours) {
                false => Outcome::Proceed,
                true if reads => Outcome::NotModified,
                true => Outcome::Failed,
            };
        }
        match (date(headers, &IF_MODIFIED_SINCE), self.modified) {
            (Some(since), Some(modified)) if reads && whole_seconds(modified) <= since => {
                Outcome::NotModified
            }
            _ => Outcome::Proceed,
        }
    }

    /// Whether a range may be answered: `If-Range` is absent, or names this very version (RFC 9110 §13.1.5).
    #[must_use]
    pub fn allow_range(&self, headers: &HeaderMap) -> bool {
        let Some(condition) = headers.get(IF_RANGE) else { return true };
        let Ok(condition) = condition.to_str() else { return false };
        if condition.contains('"') {
            return is_strong(condition) && Some(condition.trim()) == self.etag;
        }
        let modified = self.modified.map(whole_seconds);
        modified.is_some() && modified == httpdate::parse_http_date(condition).ok()
    }
}

/// A response to a request, or what its conditions make of it: nothing is compared where it names no version.
#[must_use]
pub fn respond(response: Response, method: &Method, asked: &HeaderMap) -> Response {
    let validators = Validators::of(response.headers());
    if validators.is_empty() || !response.status().is_success() {
        return response;
    }
    match validators.check(method, asked) {
        Outcome::Proceed => response,
        Outcome::NotModified => not_modified(response.into_parts().0.headers),
        Outcome::Failed => problem::of(StatusCode::PRECONDITION_FAILED),
    }
}

/// 304 with the headers that a 200 would have had, but for those of its body (RFC 9110 §15.4.5).
#[must_use]
pub fn not_modified(mut head: HeaderMap) -> Response {
    head.remove(CONTENT_TYPE);
    head.remove(CONTENT_LENGTH);
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.headers_mut() = head;
    response
}

/// A strong tag of a body: the same bytes have the same one on every worker and host.
#[must_use]
pub fn etag_of(body: &[u8]) -> HeaderValue {
    let mut hasher = foldhash::quality::FixedState::with_seed(0x706c_6563).build_hasher();
    hasher.write(body);
    tag(&format!("\"{:016x}{:x}\"", hasher.finish(), body.len()))
}

/// A strong tag of a file, as long as it is not changed twice within its file system's clock tick.
#[must_use]
pub fn etag_of_file(modified: SystemTime, size: u64, variant: &str) -> HeaderValue {
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    tag(&format!("\"{:x}-{size:x}{variant}\"", since.as_nanos()))
}

fn tag(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// An HTTP date; its clock has whole seconds.
#[must_use]
pub fn http_date(time: SystemTime) -> HeaderValue {
    tag(&httpdate::fmt_http_date(time))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

fn is_strong(tag: &str) -> bool {
    !tag.starts_with("W/")
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether any tag in the lines of that header fits. Tags may hold commas.
fn any(headers: &HeaderMap, name: &HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).any(|line| tags(line).any(&fits))
}

fn tags(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return None;
        }
        let quote = rest.find('"').filter(|at| !rest.get(..*at).is_some_and(|before| before.contains(',')));
        let end = match quote {
            Some(open) => {
                let close = rest.get(open + 1..).and_then(|after| after.find('"'));
                close.map_or(rest.len(), |close| open + close + 2)
            }
            None => rest.find(',').unwrap_or(rest.len()),
        };
        let (found, after) = rest.split_at(end);
        rest = after;
        Some(found.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn check(method: Method, pairs: &[(HeaderName, &'static str)]) -> Outcome {
        let modified = httpdate::parse_http_date(DATE).ok().map(|date| date + Duration::from_millis(700));
        Validators { etag: Some("\"a,b\""), modified }.check(&method, &headers(pairs))
    }

    #[test]
    fn none_match() {
        use Outcome::{Failed, NotModified, Proceed};
        for (value, outcome) in [
            ("\"a,b\"", NotModified),
            ("W/\"a,b\"", NotModified),
            ("\"x\", W/\"y,z\" ,\"a,b\"", NotModified),
            ("*", NotModified),
            ("\"a\"", Proceed),
            ("a,b", Proceed),
            ("\"open", Proceed),
            ("", Proceed),
        ] {
            assert_eq!(check(Method::GET, &[(IF_NONE_MATCH, value)]), outcome, "{value}");
        }
        assert_eq!(check(Method::HEAD, &[(IF_NONE_MATCH, "*")]), NotModified);
        assert_eq!(check(Method::PUT, &[(IF_NONE_MATCH, "*")]), Failed);
        // A date is not looked at where there is a tag.
        assert_eq!(check(Method::GET, &[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, LATER)]), Proceed);
    }

    #[test]
    fn matching_is_strong() {
        use Outcome::{Failed, Proceed};
        for (value, outcome) in [
            ("\"a,b\"", Proceed),
            ("*", Proceed),
            ("\"x\", \"a,b\"", Proceed),
            ("W/\"a,b\"", Failed),
            ("\"x\"", Failed),
        ] {
            assert_eq!(check(Method::PUT, &[(IF_MATCH, value)]), outcome, "{value}");
        }
    }

    #[test]
    fn dates() {
        use Outcome::{Failed, NotModified, Proceed};
        for (value, outcome) in
            [(DATE, NotModified), (LATER, NotModified), (EARLIER, Proceed), ("soon", Proceed)]
        {
            assert_eq!(check(Method::GET, &[(IF_MODIFIED_SINCE, value)]), outcome);
            assert_eq!(check(Method::POST, &[(IF_MODIFIED_SINCE, value)]), Proceed);
        }
        for (value, outcome) in [(DATE, Proceed), (EARLIER, Failed), (LATER, Proceed), ("soon", Proceed)] {
            assert_eq!(check(Method::PUT, &[(IF_UNMODIFIED_SINCE, value)]), outcome);
        }
        assert_eq!(check(Method::PUT, &[(IF_MATCH, "*"), (IF_UNMODIFIED_SINCE, EARLIER)]), Proceed);
    }

    #[test]
    fn if_range_wants_this_very_version() {
        let modified = httpdate::parse_http_date(DATE).ok();
        let ours = Validators { etag: Some("\"a\""), modified };
        for (value, allowed) in [
            ("\"a\"", true),
            ("W/\"a\"", false),
            ("\"b\"", false),
            (DATE, true),
            (LATER, false),
            ("x", false),
        ] {
            assert_eq!(ours.allow_range(&headers(&[(IF_RANGE, value)])), allowed, "{value}");
        }
        assert!(ours.allow_range(&HeaderMap::new()));
    }

    #[test]
    fn tags_of_bodies_tell_them_apart() {
        assert_eq!(etag_of(b"a"), etag_of(b"a"));
        assert_ne!(etag_of(b"a"), etag_of(b"b"));
        assert_ne!(etag_of(b""), etag_of(b"\0"));
    }
}

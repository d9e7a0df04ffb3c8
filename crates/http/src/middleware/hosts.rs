//! `ALLOWED_HOSTS`, matched exactly as Django does.
//!
//! Source: `django.http.request.split_domain_port`, `validate_host`, and `django.utils.http.is_same_domain`.

use std::cell::RefCell;

use http::header::HOST;
use http::{HeaderValue, Version};

use crate::{Peer, Request};

/// Names this server answers to.
pub(super) struct Hosts {
    patterns: Vec<String>,
    /// The last name that was right: nearly every request has the same.
    last: RefCell<Option<HeaderValue>>,
}

impl Hosts {
    /// `example.com`, `.example.com` with all below it, or `*`.
    pub(super) fn new(patterns: &[String]) -> Self {
        let patterns = patterns.iter().map(|pattern| pattern.to_lowercase()).collect();
        Self { patterns, last: RefCell::default() }
    }

    /// Whether the request is for one of them.
    pub(super) fn allow(&self, request: &Request) -> bool {
        let Some(host) = request.headers.get(HOST) else {
            // HTTP/1.1 without it never gets this far but in process, where there is no name to be wrong.
            let in_process = request.peer == Peer::Unix && request.version != Version::HTTP_10;
            return in_process || self.patterns.iter().any(|pattern| pattern == "*");
        };
        if self.last.borrow().as_ref() == Some(host) {
            return true;
        }
        let allowed = host.to_str().is_ok_and(|text| self.allows(text));
        if allowed {
            // A copy of its own: a clone would keep the request's buffer.
            *self.last.borrow_mut() = HeaderValue::from_bytes(host.as_bytes()).ok();
        }
        allowed
    }

    fn allows(&self, host: &str) -> bool {
        let lower = host.to_ascii_lowercase();
        let Some(domain) = domain(&lower) else { return false };
        self.patterns.iter().any(|pattern| pattern == "*" || is_same(domain, pattern))
    }
}

/// The name without its port and last dot; none where it is malformed.
fn domain(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            let (inner, after) = rest.split_at(end);
            let is_v6 = inner.split_once(':').is_some_and(|(first, others)| {
                first.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'))
                    && !others.is_empty()
                    && others.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9' | b'.' | b':'))
            });
            (is_v6.then(|| host.get(..end + 2))??, after.get(1..)?)
        }
        None => {
            let end = host.find(':').unwrap_or(host.len());
            let (name, port) = host.split_at(end);
            let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
            ((!name.is_empty() && name.bytes().all(plain)).then_some(name)?, port)
        }
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    is_port.then(|| name.strip_suffix('.').unwrap_or(name))
}

/// `django.utils.http.is_same_domain`.
fn is_same(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('.') {
        Some(bare) => host.ends_with(pattern) || host == bare || pattern == host,
        None => !pattern.is_empty() && pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_django_splits() {
        for (host, expected) in [
            ("example.com", Some("example.com")),
            ("example.com:8000", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("example.com.:80", Some("example.com")),
            ("[::1]:80", Some("[::1]")),
            ("[2001:db8::7.7.7.7]", Some("[2001:db8::7.7.7.7]")),
            ("example.com:", None),
            ("example.com:80a", None),
            ("example.com:80:80", None),
            ("user@example.com", None),
            ("example.com/x", None),
            ("ex_ample.com", None),
            ("[]", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[1]", None),
            ("", None),
            (":80", None),
            ("a b", None),
        ] {
            assert_eq!(domain(host), expected, "{host}");
        }
    }

    #[test]
    fn patterns() {
        let hosts = Hosts::new(&["Example.com".to_owned(), ".shop.org".to_owned(), "[::1]".to_owned()]);
        for host in ["example.com", "EXAMPLE.com:1", "shop.org", "a.b.shop.org", "[::1]:8"] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in
            ["a.example.com", "xshop.org", "shop.org.evil.com", "evil.com", "[::2]", "shop.org@evil.com"]
        {
            assert!(!hosts.allows(host), "{host}");
        }
        assert!(Hosts::new(&["*".to_owned()]).allows("any"));
        assert!(!Hosts::new(&["*".to_owned()]).allows("a\"b"));
        assert!(!Hosts::new(&[]).allows("any"));
    }
}

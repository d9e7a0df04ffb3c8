//! The `Set-Cookie` header (RFC 6265 §4.1, RFC 6265bis for `SameSite`, `Partitioned` and prefixes).

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use http::HeaderValue;

/// Which requests of other sites carry a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// None of them.
    Strict,
    /// Navigations.
    Lax,
    /// All; browsers want `Secure` with it.
    None,
}

impl SameSite {
    /// The attribute of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Strict, Self::Lax, Self::None].into_iter().find(|site| site.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// A cookie for the client to keep.
#[derive(Clone, Debug, Default)]
pub struct SetCookie<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
    /// The paths it is sent to.
    pub path: Option<&'a str>,
    /// The host and its subdomains it is sent to; without it, the host alone.
    pub domain: Option<&'a str>,
    /// Seconds it is kept; without it and `expires`, as long as the browser runs.
    pub max_age: Option<i64>,
    /// When it is forgotten.
    pub expires: Option<SystemTime>,
    /// Sent over TLS only.
    pub secure: bool,
    /// Not shown to scripts.
    pub http_only: bool,
    /// Which requests of other sites carry it.
    pub same_site: Option<SameSite>,
    /// Kept apart by top-level site (CHIPS).
    pub partitioned: bool,
}

/// Why a cookie would not reach the client as it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieError {
    /// Not a token (RFC 9110 §5.6.2).
    Name,
    /// Not made of cookie octets.
    Value,
    /// A path or domain with a semicolon or a control character.
    Attribute(&'static str),
    /// Browsers drop it without `Secure`.
    NeedsSecure(&'static str),
    /// `__Host-` without `Path=/`, or with a domain.
    HostPrefix,
}

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("its name must be letters, digits and !#$%&'*+-.^_`|~"),
            Self::Value => f.write_str(
                "its value must be printable ASCII without spaces, quotes, commas, semicolons and backslashes; \
                 encode it first, with urllib.parse.quote() for instance",
            ),
            Self::Attribute(name) => write!(f, "its {name} holds a semicolon or a control character"),
            Self::NeedsSecure(what) => write!(f, "browsers drop a cookie with {what} unless it has secure=True"),
            Self::HostPrefix => {
                f.write_str("a name that begins with __Host- needs path=\"/\" and no domain, or browsers drop it")
            }
        }
    }
}

impl std::error::Error for CookieError {}

impl SetCookie<'_> {
    /// The header's value.
    ///
    /// # Errors
    /// [`CookieError`] where the client would drop the cookie, or read another one.
    pub fn to_header(&self) -> Result<HeaderValue, CookieError> {
        self.check()?;
        let mut line = format!("{}={}", self.name, self.value);
        // Writing to a String cannot fail.
        let mut attribute = |name: &str, value: &dyn fmt::Display| {
            let _ = write!(line, "; {name}={value}");
        };
        if let Some(expires) = self.expires {
            attribute("expires", &httpdate::HttpDate::from(expires));
        }
        if let Some(seconds) = self.max_age {
            attribute("Max-Age", &seconds);
        }
        for (name, value) in [("Domain", self.domain), ("Path", self.path)] {
            if let Some(value) = value {
                attribute(name, &value);
            }
        }
        if let Some(site) = self.same_site {
            attribute("SameSite", &site.name());
        }
        for (name, set) in
            [("Secure", self.secure), ("HttpOnly", self.http_only), ("Partitioned", self.partitioned)]
        {
            if set {
                line.push_str("; ");
                line.push_str(name);
            }
        }
        HeaderValue::try_from(line).map_err(|_| CookieError::Value)
    }

    fn check(&self) -> Result<(), CookieError> {
        if self.name.is_empty() || !self.name.bytes().all(is_token) {
            return Err(CookieError::Name);
        }
        if !self.value.bytes().all(is_cookie_octet) {
            return Err(CookieError::Value);
        }
        let broken = |text: Option<&str>| {
            text.is_some_and(|text| text.bytes().any(|byte| byte == b';' || !matches!(byte, b' '..=b'~')))
        };
        if broken(self.path) {
            return Err(CookieError::Attribute("path"));
        }
        if broken(self.domain) {
            return Err(CookieError::Attribute("domain"));
        }
        self.check_browsers()
    }

    /// Combinations that browsers take for a mistake.
    fn check_browsers(&self) -> Result<(), CookieError> {
        if self.name.starts_with("__Host-") && (self.path != Some("/") || self.domain.is_some()) {
            return Err(CookieError::HostPrefix);
        }
        let reasons = [
            (self.same_site == Some(SameSite::None), "SameSite=None"),
            (self.partitioned, "Partitioned"),
            (self.name.starts_with("__Secure-"), "the prefix __Secure-"),
            (self.name.starts_with("__Host-"), "the prefix __Host-"),
        ];
        match reasons.into_iter().find(|(asked, _)| *asked && !self.secure) {
            Some((_, reason)) => Err(CookieError::NeedsSecure(reason)),
            None => Ok(()),
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    fn named<'a>(name: &'a str, value: &'a str) -> SetCookie<'a> {
        SetCookie { name, value, ..SetCookie::default() }
    }

    #[test]
    fn every_attribute() {
        let cookie = SetCookie {
            path: Some("/a"),
            domain: Some("example.org"),
            max_age: Some(60),
            expires: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)),
            secure: true,
            http_only: true,
            same_site: SameSite::parse("none"),
            partitioned: true,
            ..named("id", "a=b:c")
        };
        assert_eq!(
            cookie.to_header().unwrap(),
            "id=a=b:c; expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=60; Domain=example.org; Path=/a; \
             SameSite=None; Secure; HttpOnly; Partitioned"
        );
        assert_eq!(named("a", "").to_header().unwrap(), "a=");
    }

    #[test]
    fn what_would_split_or_change_the_header_is_refused() {
        for name in ["", "a b", "a;b", "a=b", "a\r\nb", "é", "a\"", "a,b", "a(b)"] {
            assert_eq!(named(name, "1").to_header(), Err(CookieError::Name), "{name:?}");
        }
        for value in ["a b", "a;b", "a\r\nset-cookie: x=1", "é", "\"a\"", "a,b", "a\\b", "\0"] {
            assert_eq!(named("a", value).to_header(), Err(CookieError::Value), "{value:?}");
        }
        for text in ["/;secure", "/\r\nx: y", "/é"] {
            let path = SetCookie { path: Some(text), ..named("a", "1") };
            assert_eq!(path.to_header(), Err(CookieError::Attribute("path")));
            let domain = SetCookie { domain: Some(text), ..named("a", "1") };
            assert_eq!(domain.to_header(), Err(CookieError::Attribute("domain")));
        }
    }

    #[test]
    fn what_browsers_drop_is_refused() {
        let needs = |what| Err(CookieError::NeedsSecure(what));
        let none = SetCookie { same_site: Some(SameSite::None), ..named("a", "1") };
        assert_eq!(none.to_header(), needs("SameSite=None"));
        let partitioned = SetCookie { partitioned: true, ..named("a", "1") };
        assert_eq!(partitioned.to_header(), needs("Partitioned"));
        assert_eq!(named("__Secure-a", "1").to_header(), needs("the prefix __Secure-"));
        let host = SetCookie { secure: true, ..named("__Host-a", "1") };
        assert_eq!(host.to_header(), Err(CookieError::HostPrefix));
        assert!(SetCookie { path: Some("/"), ..host }.to_header().is_ok());
    }

    #[test]
    fn same_site_in_any_case() {
        assert_eq!(SameSite::parse("lAX"), Some(SameSite::Lax));
        assert_eq!(SameSite::parse("nope"), None);
    }
}

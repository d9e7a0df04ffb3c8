//! Formats of text: the rules of Django's validators (`django.core.validators`), to the letter.

use regex::Regex;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// What a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `EmailValidator`
    Email,
    /// `URLValidator`, for http, https, ftp and ftps.
    Url,
    /// `validate_slug`
    Slug,
    /// `validate_unicode_slug`
    UnicodeSlug,
    /// `validate_ipv4_address`
    Ipv4,
    /// `validate_ipv6_address`
    Ipv6,
    /// `validate_ipv46_address`
    Ip,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] =
        &[Self::Email, Self::Url, Self::Slug, Self::UnicodeSlug, Self::Ipv4, Self::Ipv6, Self::Ip];

    /// Its name in descriptions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Url => "url",
            Self::Slug => "slug",
            Self::UnicodeSlug => "unicode_slug",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Ip => "ip",
        }
    }

    /// As messages call it.
    #[must_use]
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Email => "email address",
            Self::Url => "URL",
            Self::Slug => "slug of letters, numbers, underscores or hyphens",
            Self::UnicodeSlug => "slug of Unicode letters, numbers, underscores or hyphens",
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
            Self::Ip => "IPv4 or IPv6 address",
        }
    }

    /// Its `format` in JSON Schema 2020-12, where there is one.
    #[must_use]
    pub(crate) fn keyword(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("email"),
            Self::Url => Some("uri"),
            Self::Ipv4 => Some("ipv4"),
            Self::Ipv6 => Some("ipv6"),
            Self::Slug | Self::UnicodeSlug | Self::Ip => None,
        }
    }

    /// Compiles what the check needs, so that no request pays for it.
    pub(crate) fn prepare(self) {
        match self {
            Self::Email => drop((LazyLock::force(&USER), LazyLock::force(&DOMAIN))),
            Self::Url => drop(LazyLock::force(&URL)),
            Self::UnicodeSlug => drop(LazyLock::force(&UNICODE_SLUG)),
            Self::Slug | Self::Ipv4 | Self::Ipv6 | Self::Ip => {}
        }
    }

    /// Whether `text` is one.
    #[must_use]
    pub fn matches(self, text: &str) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Url => is_url(text),
            Self::Slug => {
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                !text.is_empty() && text.bytes().all(allowed)
            }
            Self::UnicodeSlug => is_match(&UNICODE_SLUG, text),
            Self::Ipv4 => is_ipv4(text),
            Self::Ipv6 => is_ipv6(text),
            Self::Ip => is_ipv4(text) || is_ipv6(text),
        }
    }
}

/// A pattern that is known to compile; `None` never happens and would refuse everything.
type Pattern = LazyLock<Option<Regex>>;

fn is_match(pattern: &Pattern, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Django's look-arounds only keep hyphens off both ends of a label; spelled out, they need none. Its upper end of
/// letters is the end of the basic plane.
const LABEL: &str = r"[a-z\u{a1}-\u{ffff}0-9](?:[a-z\u{a1}-\u{ffff}0-9-]{0,61}[a-z\u{a1}-\u{ffff}0-9])?";
const TOP_LEVEL: &str =
    r"(?:[a-z\u{a1}-\u{ffff}](?:[a-z\u{a1}-\u{ffff}-]{0,61}[a-z\u{a1}-\u{ffff}])|xn--(?:[a-z0-9]{1,59}))";
const IPV4: &str = r"(?:0|25[0-5]|2[0-4][0-9]|1[0-9]?[0-9]?|[1-9][0-9]?)(?:\.(?:0|25[0-5]|2[0-4][0-9]|1[0-9]?[0-9]?|[1-9][0-9]?)){3}";
/// What Python's `\s` matches: white space and the four ASCII separators.
const SPACE: &str = r"\s\x1c-\x1f";

static DOMAIN: Pattern =
    LazyLock::new(|| Regex::new(&format!(r"(?i)^{LABEL}(?:\.{LABEL})*\.{TOP_LEVEL}\z")).ok());

/// Dot-atoms and quoted strings. Python's case folding lets four more letters pass for `I`, `K` and `S`.
static USER: Pattern = LazyLock::new(|| {
    let atom = r"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z\u{130}\u{131}\u{17f}\u{212a}]+";
    let quoted = r#""(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f\u{130}\u{131}\u{17f}\u{212a}]|\\[\x01-\x09\x0b\x0c\x0e-\x7f\u{130}\u{131}\u{17f}\u{212a}])*""#;
    Regex::new(&format!(r"^(?:{atom}(?:\.{atom})*|{quoted})\z")).ok()
});

static URL: Pattern = LazyLock::new(|| {
    let host = format!(r"{IPV4}|\[[0-9a-f:.]+\]|(?:{LABEL}(?:\.{LABEL})*\.{TOP_LEVEL}\.?|localhost)");
    let user = format!(r"(?:[^{SPACE}:@/]+(?::[^{SPACE}:@/]*)?@)?");
    Regex::new(&format!(r"(?i)^[a-z0-9.+-]*://{user}(?:{host})(?::[0-9]{{1,5}})?(?:[/?#][^{SPACE}]*)?\z"))
        .ok()
});

static UNICODE_SLUG: Pattern = LazyLock::new(|| Regex::new(r"^[-_\p{L}\p{N}]+\z").ok());

/// RFC 3696, section 3.
const MAX_EMAIL: usize = 320;

fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else { return false };
    if text.chars().count() > MAX_EMAIL || !is_match(&USER, user) {
        return false;
    }
    domain == "localhost" || is_match(&DOMAIN, domain) || is_address_literal(domain)
}

/// `[127.0.0.1]` or `[::1]`: SMTP, RFC 5321, section 4.1.3.
fn is_address_literal(domain: &str) -> bool {
    let inner = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| !inner.contains('%') && (is_ipv4(inner) || is_ipv6(inner)))
}

/// `MAX_URL_LENGTH` of Django.
const MAX_URL: usize = 2048;
/// RFC 1034, section 3.1.
const MAX_HOST: usize = 253;

fn is_url(text: &str) -> bool {
    if text.chars().count() > MAX_URL || text.contains(['\t', '\r', '\n']) {
        return false;
    }
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let known = ["http", "https", "ftp", "ftps"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    known && is_match(&URL, text) && is_authority(rest)
}

/// What `urlsplit` and Django check besides the pattern: brackets hold an IPv6 address, nothing in the authority turns
/// into a separator under NFKC, and the host is not too long.
fn is_authority(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains(SEPARATORS_UNDER_NFKC) {
        return false;
    }
    if let Some((before, bracketed)) = authority.split_once('[') {
        let inner = bracketed.split_once(']').map(|(inner, _)| inner);
        return (before.is_empty() || before.ends_with('@')) && inner.is_some_and(is_ipv6);
    }
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = host.split(':').next().unwrap_or(host);
    !authority.contains(']') && !host.is_empty() && host.chars().count() <= MAX_HOST
}

/// The characters whose NFKC form has one of `/ ? # @ :`, which `urlsplit` refuses in an authority.
const SEPARATORS_UNDER_NFKC: [char; 19] = [
    '\u{2047}', '\u{2048}', '\u{2049}', '\u{2100}', '\u{2101}', '\u{2105}', '\u{2106}', '\u{2a74}',
    '\u{fe13}', '\u{fe16}', '\u{fe55}', '\u{fe56}', '\u{fe5f}', '\u{fe6b}', '\u{ff03}', '\u{ff0f}',
    '\u{ff1a}', '\u{ff1f}', '\u{ff20}',
];

fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// `MAX_IPV6_ADDRESS_LENGTH` of Django.
const MAX_IPV6: usize = 39;

/// An address with or without a scope (`%eth0`), as Python's `ipaddress` reads it.
fn is_ipv6(text: &str) -> bool {
    let address = match text.split_once('%') {
        Some((address, scope)) if !scope.is_empty() && !scope.contains(['%', '/']) => address,
        Some(_) => return false,
        None => text,
    };
    text.chars().count() <= MAX_IPV6 && address.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests;

//! Where requests carry what they show.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plectrum_http::{HeaderMap, header};

/// The credentials of an `Authorization` of this scheme (in lower case; RFC 9110 §11.4: any case fits).
pub(crate) fn authorization<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    // As `to_str` would, which looks at each byte by itself: a header's value has no control characters anyway.
    let all = value.iter().fold(0, |all, byte| all | byte);
    let value = std::str::from_utf8(value).ok().filter(|_| all.is_ascii())?;
    let (name, rest) = value.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim_matches(' '))
}

/// User and password of `Authorization: Basic` (RFC 7617 §2); none where they cannot be read.
pub(crate) fn basic(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use plectrum_http::HeaderValue;

    use super::*;

    fn shown(value: &'static str) -> Option<String> {
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        authorization(&headers, "bearer").map(str::to_owned)
    }

    #[test]
    fn the_scheme_in_any_case() {
        assert_eq!(shown("Bearer x.y"), Some("x.y".to_owned()));
        assert_eq!(shown("bEARER  x "), Some("x".to_owned()));
        assert_eq!(shown("Basic x"), None);
        assert_eq!(shown("Bearer"), None);
        assert_eq!(shown("Bearerx y"), None);
        assert_eq!(shown("Bearer \u{e9}"), None);
    }

    #[test]
    fn user_and_password() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(basic(&STANDARD.encode("ann:a:b é")), pair("ann", "a:b é"));
        assert_eq!(basic(&STANDARD.encode(":")), pair("", ""));
        assert_eq!(basic(&STANDARD.encode("ann")), None);
        assert_eq!(basic(&STANDARD.encode([0xff, b':'])), None);
        assert_eq!(basic("?"), None);
    }
}

//! What a client takes: `Accept` and `Accept-Encoding` (RFC 9110 §12.5).

use http::header::{ACCEPT, ACCEPT_ENCODING};
use http::{HeaderMap, HeaderName};

/// Whether the client takes `media_type`; without `Accept` it takes anything.
#[must_use]
pub fn takes_media(headers: &HeaderMap, media_type: &str) -> bool {
    if !headers.contains_key(ACCEPT) {
        return true;
    }
    let kind = media_type.split('/').next().unwrap_or_default();
    // The most specific range decides: the type, then all of its kind, then all.
    let mut best = (0, 0.0);
    for (range, quality) in items(headers, &ACCEPT) {
        let rank = if range.eq_ignore_ascii_case(media_type) {
            3
        } else if range.strip_suffix("/*").is_some_and(|of| of.eq_ignore_ascii_case(kind)) {
            2
        } else if range == "*/*" {
            1
        } else {
            continue;
        };
        if rank >= best.0 {
            best = (rank, if rank == best.0 { quality.max(best.1) } else { quality });
        }
    }
    best.1 > 0.0
}

/// Whether the client names a content coding, with a quality above zero.
#[must_use]
pub fn takes_encoding(headers: &HeaderMap, coding: &str) -> bool {
    items(headers, &ACCEPT_ENCODING).any(|(name, quality)| name.eq_ignore_ascii_case(coding) && quality > 0.0)
}

/// What `Accept` gives a parameter of its media types, such as `version`; that of the best quality where there are
/// several.
#[must_use]
pub fn parameter<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut best = (None, 0.0);
    for item in lines(headers, &ACCEPT).flat_map(|line| line.split(',')) {
        let (mut given, mut quality) = (None, 1.0);
        for (key, value) in item.split(';').skip(1).filter_map(|part| part.split_once('=')) {
            if key.trim().eq_ignore_ascii_case("q") {
                quality = value.trim().parse().unwrap_or(0.0);
            } else if key.trim().eq_ignore_ascii_case(name) {
                given = Some(value.trim().trim_matches('"'));
            }
        }
        if given.is_some() && quality > best.1 {
            best = (given, quality);
        }
    }
    best.0
}

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// The items of a list header with their qualities; parameters but `q` are left out.
fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = (&'h str, f32)> {
    lines(headers, name).flat_map(|line| line.split(',')).map(|item| {
        let mut parts = item.split(';');
        let range = parts.next().unwrap_or_default().trim();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q="));
        (range, quality.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn media_types() {
        for (value, taken) in [
            ("*/*", true),
            ("application/json", true),
            ("text/html, application/*;q=0.5", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/html", false),
            ("application/json;q=0", false),
            ("*/*, application/json;q=0", false),
            ("application/jsonx", false),
            ("", false),
        ] {
            assert_eq!(takes_media(&headers(ACCEPT, value), "application/json"), taken, "{value}");
        }
        assert!(takes_media(&HeaderMap::new(), "application/json"));
    }

    #[test]
    fn parameters_of_media_types() {
        for (value, found) in [
            ("application/json; version=2", Some("2")),
            ("text/html, application/json;Version=\"1.1\";q=0.5", Some("1.1")),
            ("application/json;q=0.1;version=1, application/json;version=2", Some("2")),
            ("application/json;version=2;q=0", None),
            ("application/json", None),
            ("application/json;versions=2", None),
            ("version=2", None),
        ] {
            assert_eq!(parameter(&headers(ACCEPT, value), "version"), found, "{value}");
        }
    }

    #[test]
    fn encodings() {
        for (value, taken) in
            [("gzip, br", true), ("br;q=0.1", true), ("br;q=0", false), ("brx", false), ("*", false)]
        {
            assert_eq!(takes_encoding(&headers(ACCEPT_ENCODING, value), "br"), taken, "{value}");
        }
    }
}

//! Media types of request bodies (RFC 9110 §8.3).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The media type without its parameters, as the peer wrote it; `None` when absent or not text.
#[must_use]
pub fn essence(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split_once(';').map_or(value, |(essence, _)| essence).trim())
}

/// A parameter of the media type (`boundary`, `charset`), unquoted; names ignore case.
#[must_use]
pub fn parameter<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').skip(1).find_map(|parameter| {
        let (known, value) = parameter.split_once('=')?;
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        known.trim().eq_ignore_ascii_case(name).then_some(unquoted)
    })
}

/// Whether the body is declared as JSON: `application/json` or any `…+json`.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    essence(headers).is_some_and(|essence| {
        essence.eq_ignore_ascii_case("application/json") || has_suffix(essence, "+json")
    })
}

/// Whether the body is declared as an HTML form without files.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    is(headers, "application/x-www-form-urlencoded")
}

/// Whether the body is declared as `media_type`, parameters aside.
#[must_use]
pub fn is(headers: &HeaderMap, media_type: &str) -> bool {
    essence(headers).is_some_and(|essence| essence.eq_ignore_ascii_case(media_type))
}

fn has_suffix(essence: &str, suffix: &str) -> bool {
    let start = essence.len().saturating_sub(suffix.len());
    essence.contains('/') && essence.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn typed(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))])
    }

    #[test]
    fn json_in_all_its_names() {
        for value in
            ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "a/b+JSON ;x"]
        {
            assert!(is_json(&typed(value)), "{value}");
        }
    }

    #[test]
    fn not_json() {
        for value in
            ["text/json", "application/jsonx", "+json", "json", "", "application/json-seq", "text/plain"]
        {
            assert!(!is_json(&typed(value)), "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn parameters_are_found_by_name() {
        let headers = typed("multipart/form-data; Boundary=\"a b\"; charset=utf-8");
        assert_eq!(essence(&headers), Some("multipart/form-data"));
        assert_eq!(parameter(&headers, "boundary"), Some("a b"));
        assert_eq!(parameter(&headers, "charset"), Some("utf-8"));
        assert_eq!(parameter(&headers, "q"), None);
    }
}

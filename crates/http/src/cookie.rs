//! The `Cookie` header, read by name and only when asked (RFC 6265 §5.4).

use http::HeaderMap;
use http::header::COOKIE;

/// The value of the first cookie called `name`, over all `Cookie` lines. Surrounding quotes are taken off.
///
/// Lines that are not visible ASCII or UTF-8 are skipped.
#[must_use]
pub fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    iter(headers).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// All cookies in order, over all `Cookie` lines.
pub fn iter(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
        .flat_map(|line| line.split(';').filter_map(pair))
}

/// One `name=value`; a piece without `=` names nothing and is skipped.
fn pair(piece: &str) -> Option<(&str, &str)> {
    let (name, value) = piece.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    (!name.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn found_over_several_lines() {
        let headers = headers(&["a=1; b=2", "c=3;d=4"]);
        assert_eq!(get(&headers, "a"), Some("1"));
        assert_eq!(get(&headers, "d"), Some("4"));
        assert_eq!(get(&headers, "x"), None);
    }

    #[test]
    fn first_one_wins_and_names_are_case_sensitive() {
        let headers = headers(&["a=1; a=2; A=3"]);
        assert_eq!(get(&headers, "a"), Some("1"));
        assert_eq!(get(&headers, "A"), Some("3"));
    }

    #[test]
    fn quotes_spaces_and_equals_signs() {
        let headers = headers(&["q=\"x y\" ;e=a=b==;  s = v ; junk; =nameless; half=\""]);
        assert_eq!(get(&headers, "q"), Some("x y"));
        assert_eq!(get(&headers, "e"), Some("a=b=="));
        assert_eq!(get(&headers, "s"), Some("v"));
        assert_eq!(get(&headers, "half"), Some("\""));
        assert_eq!(iter(&headers).count(), 4);
    }

    #[test]
    fn a_name_is_not_found_inside_another() {
        assert_eq!(get(&headers(&["sessionid2=no; xsessionid=no"]), "sessionid"), None);
    }
}

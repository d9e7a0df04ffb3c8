//! The value of a response's only field, to be put into another response.

use std::ops::Range;

use super::Fault;
use super::lex::{key_end, space, value_end};

/// Where the value of the only field of `{"data":{"field":value}}` stands.
///
/// # Errors
/// Where `response` is something else: no JSON, several fields, or errors beside the data.
pub fn only_value(response: &[u8]) -> Result<Range<usize>, Fault> {
    let data = member(response, 0)?;
    if response.get(..data).is_none_or(|head| !head.ends_with(b"\"data\":")) {
        return Err(Fault::new(0, "expected {\"data\":{…}} without white space"));
    }
    let start = member(response, data)?;
    let end = value_end(response, start, 2)?;
    match response.get(end..) {
        Some(b"}}") => Ok(start..end),
        _ => Err(Fault::new(end, "expected the end of a response of one field")),
    }
}

/// Where the value of an object's first member starts.
fn member(text: &[u8], at: usize) -> Result<usize, Fault> {
    if text.get(at) != Some(&b'{') {
        return Err(Fault::new(at, "expected an object"));
    }
    Ok(key_end(text, space(text, at + 1))?.value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::only_value;

    fn value(text: &str) -> Result<&str, usize> {
        only_value(text.as_bytes()).map(|range| &text[range]).map_err(|fault| fault.at)
    }

    #[test]
    fn finds_lists_objects_and_null() {
        assert_eq!(value(r#"{"data":{"articles":[{"id":1},null]}}"#), Ok(r#"[{"id":1},null]"#));
        assert_eq!(value(r#"{"data":{"a\"}}":{"id":"}}"}}}"#), Ok(r#"{"id":"}}"}"#));
        assert_eq!(value(r#"{"data":{"article":null}}"#), Ok("null"));
    }

    #[test]
    fn refuses_what_cannot_stand_alone() {
        for text in [
            r#"{"data":{"a":1,"b":2}}"#,
            r#"{"data":{"a":1},"errors":[]}"#,
            r#"{"errors":{"a":1}}"#,
            r#"{"data":{}}"#,
            r#"{"data":{"a":[1,]}}"#,
            r#"{"data":{"a":1}} "#,
            r#"{"data":{"a":1}"#,
            "[]",
            "",
        ] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}

//! Operations with files.
//!
//! Source: <https://github.com/jaydenseric/graphql-multipart-request-spec>

use plectrum_http::form::Form;
use plectrum_http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::request::Malformed;

/// Headers that no page of another origin can send without asking first. A form it can send, with the user's cookies.
const ASKING: [&str; 4] =
    ["graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name", "x-requested-with"];

/// The operations of a form, with the numbers of its files where the variables want them.
pub(super) fn operations(headers: &HeaderMap, form: &Form) -> Result<Value, Malformed> {
    if !ASKING.iter().any(|name| headers.get(*name).is_some_and(|value| !value.is_empty())) {
        return Err(malformed(
            "A multipart request needs the header GraphQL-Require-Preflight (with any value), so that no page of \
             another origin can send it unasked.",
        ));
    }
    let mut operations: Value = member(form, "operations")?;
    let map: Map<String, Value> = member(form, "map")?;
    for (name, places) in &map {
        let number = form.files.iter().position(|(file, _)| file == name);
        let number = number
            .ok_or_else(|| malformed(format!("The map names the file {name:?}, which is not there.")))?;
        for place in places.as_array().into_iter().flatten() {
            let place = place.as_str().unwrap_or_default();
            let slot = find(&mut operations, place).filter(|slot| slot.is_null()).ok_or_else(|| {
                malformed(format!("The map puts the file {name:?} at {place:?}, where there is no null."))
            })?;
            *slot = Value::from(number);
        }
    }
    Ok(operations)
}

fn malformed(why: impl Into<String>) -> Malformed {
    Malformed(StatusCode::BAD_REQUEST, why.into())
}

/// A field that holds JSON.
fn member<T: serde::de::DeserializeOwned>(form: &Form, name: &str) -> Result<T, Malformed> {
    let found = form.fields.iter().find(|(field, _)| field == name);
    let (_, text) = found.ok_or_else(|| malformed(format!("The form has no field {name:?}.")))?;
    serde_json::from_str(text)
        .map_err(|error| malformed(format!("The field {name:?} cannot be read: {error}.")))
}

/// The value at a path such as `variables.files.0`.
fn find<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(value, |value, step| match value {
        Value::Object(members) => members.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use plectrum_http::HeaderValue;
    use plectrum_http::form::{Content, Upload};
    use serde_json::json;

    use super::*;

    fn form(operations: &str, map: &str, files: &[&str]) -> Form {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let file = |name: &&str| {
            let content = Content::Memory(Vec::new());
            let upload = Upload { filename: (*name).to_owned(), headers: HeaderMap::new(), size: 0, content };
            ((*name).to_owned(), upload)
        };
        Form {
            fields: vec![field("operations", operations), field("map", map)],
            files: files.iter().map(file).collect(),
        }
    }

    fn read(form: &Form) -> Result<Value, Malformed> {
        let mut headers = HeaderMap::new();
        headers.insert("graphql-require-preflight", HeaderValue::from_static("1"));
        operations(&headers, form)
    }

    #[test]
    fn files_are_numbers_where_the_map_wants_them() {
        let operations = r#"{"query":"q","variables":{"a":null,"b":[null,{"c":null}]}}"#;
        let map = r#"{"x":["variables.b.1.c"],"y":["variables.a","variables.b.0"]}"#;
        let read = read(&form(operations, map, &["y", "x"])).unwrap();
        assert_eq!(read["variables"], json!({"a": 0, "b": [0, {"c": 1}]}));
    }

    #[test]
    fn what_the_map_cannot_mean_is_refused() {
        let operations = r#"{"variables":{"a":null,"b":1}}"#;
        for map in [
            r#"{"z":["variables.a"]}"#,
            r#"{"x":["variables.b"]}"#,
            r#"{"x":["variables.a.b"]}"#,
            r#"{"x":["nowhere"]}"#,
            r#"{"x":[1]}"#,
            "[]",
            "",
        ] {
            assert_eq!(read(&form(operations, map, &["x"])).unwrap_err().0, StatusCode::BAD_REQUEST, "{map}");
        }
        assert!(read(&form("", "{}", &[])).is_err());
    }

    #[test]
    fn a_page_of_another_origin_has_to_ask_first() {
        let refused = operations(&HeaderMap::new(), &form("{}", "{}", &[])).unwrap_err();
        assert!(refused.1.contains("GraphQL-Require-Preflight"));
    }
}

//! `CoerceVariableValues()` of the specification (section 6.1.2).

use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;

use crate::document::Document;
use crate::error::{Code, Error};
use crate::graph::Graph;

/// Variables of a request, each of its declared type.
pub type Variables = Valid<JsonMap>;

/// Variables as a request brings them.
pub type Given = JsonMap;

/// Variables as the schema's compiler reads them.
#[must_use]
pub fn given(members: serde_json::Map<String, serde_json::Value>) -> Given {
    members.into_iter().map(|(name, value)| (name.into(), JsonValue::from(value))).collect()
}

/// Coerces variables to the types an operation declares.
///
/// # Errors
/// One is missing, or of another type.
pub fn coerce(
    graph: &Graph,
    document: &Document,
    operation: &Operation,
    mut given: JsonMap,
) -> Result<Variables, Error> {
    for variable in &operation.variables {
        if let Some(value) = given.get_mut(variable.name.as_str()) {
            read_numbers(graph, variable.ty.inner_named_type(), value);
        }
    }
    coerce_variable_values(&graph.schema, operation, &given)
        .map_err(|error| Error::of(Code::BadUserInput, error.to_graphql_error(&document.executable.sources)))
}

/// Replaces numbers by what they mean, in lists and input objects of any depth. JSON's syntax has bounded it.
fn read_numbers(graph: &Graph, ty: &str, value: &mut JsonValue) {
    match value {
        JsonValue::Array(items) => items.iter_mut().for_each(|item| read_numbers(graph, ty, item)),
        JsonValue::Object(members) => {
            let Some(ExtendedType::InputObject(object)) = graph.schema.types.get(ty) else { return };
            for (name, value) in members.iter_mut() {
                if let Some(field) = object.fields.get(name.as_str()) {
                    read_numbers(graph, field.ty.inner_named_type(), value);
                }
            }
        }
        JsonValue::Number(number) => {
            let meant = match ty {
                "Int" => whole(&number.to_string()),
                "ID" => key(&number.to_string()),
                _ => None,
            };
            if let Some(meant) = meant {
                *value = meant;
            }
        }
        _ => {}
    }
}

/// Languages that have but one type of numbers write `1.0` where they mean 1.
fn whole(number: &str) -> Option<JsonValue> {
    let (digits, fraction) = number.split_once('.')?;
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    is_whole.then(|| digits.parse::<i64>().ok()).flatten().map(JsonValue::from)
}

/// An id may be a number of any size.
fn key(number: &str) -> Option<JsonValue> {
    let digits = match number.split_once('.') {
        Some((digits, fraction)) if fraction.bytes().all(|digit| digit == b'0') => digits,
        Some(_) => return None,
        None => number,
    };
    let is_integer = digits.trim_start_matches('-').bytes().all(|digit| digit.is_ascii_digit());
    is_integer.then(|| JsonValue::from(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_integers() {
        assert_eq!(whole("1.0"), Some(JsonValue::from(1)));
        assert_eq!((whole("1"), whole("1.5"), whole("1e3")), (None, None, None));
        assert_eq!(key("-1180591620717411303424"), Some(JsonValue::from("-1180591620717411303424")));
        assert_eq!((key("7.00"), key("7.5"), key("1e3")), (Some(JsonValue::from("7")), None, None));
    }

    #[test]
    fn numbers_in_input_objects() {
        let sdl = "input In { n: Int, id: ID, in: [In!], f: Float } type Query { x(in: In): Int }";
        let graph = Graph::parse(sdl, false, false).unwrap_or_else(|error| panic!("{error}"));
        let read = |text: &str| {
            let given: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let mut value = JsonValue::from(given);
            read_numbers(&graph, "In", &mut value);
            value.to_string()
        };
        assert_eq!(
            read(r#"{"n":1.0,"id":7,"in":{"n":[2.0],"f":1.0},"x":1.0}"#),
            r#"{"n":1,"id":"7","in":{"n":[2],"f":1.0},"x":1.0}"#
        );
    }
}

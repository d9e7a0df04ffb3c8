//! Error bodies in the shape clients of another framework expect. One place: every problem passes here, or nothing does.

use std::collections::BTreeMap;

use plectrum_http::{Body, HeaderValue, Reply, Response, StatusCode, header, problem};
use serde_json::{Map, Value, json};

/// How error bodies look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shape {
    /// RFC 9457 problem documents.
    #[default]
    Problem,
    /// As Django REST framework: `{"detail": …}`; validation is a 400 with messages by field.
    Drf,
    /// As FastAPI: `{"detail": …}`; validation is a 422 with a list of errors.
    Fastapi,
}

impl Shape {
    /// The reply with its problem, if it is one, in this shape.
    pub(crate) fn apply(self, reply: Reply) -> Reply {
        match (self, reply) {
            (Self::Problem, reply) => reply,
            (shape, Reply::Ready(response)) => shape.reshape(response).into(),
            (shape, Reply::Pending(pending)) => Reply::pending(async move { shape.reshape(pending.await) }),
        }
    }

    fn reshape(self, response: Response) -> Response {
        if response.headers().get(header::CONTENT_TYPE) != Some(&problem::MEDIA_TYPE) {
            return response;
        }
        let (mut head, body) = response.into_parts();
        let Body::Full(bytes) = body else { return Response::from_parts(head, body) };
        let Ok(Value::Object(members)) = serde_json::from_slice(&bytes) else {
            return Response::from_parts(head, Body::Full(bytes));
        };
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let errors = members.get("errors").and_then(Value::as_array);
        if errors.is_some() && self == Self::Drf {
            head.status = StatusCode::BAD_REQUEST;
        }
        let document = match (self, errors) {
            (Self::Drf, Some(errors)) => by_field(errors),
            (Self::Fastapi, Some(errors)) => json!({"detail": errors}),
            _ => json!({"detail": said(&members)}),
        };
        Response::from_parts(head, Body::from(document.to_string()))
    }
}

/// The detail, or else the title.
fn said(members: &Map<String, Value>) -> &Value {
    members.get("detail").or_else(|| members.get("title")).unwrap_or(&Value::Null)
}

/// `{"address": {"city": ["Field required"]}}`: messages at the end of each error's path, without where it began.
fn by_field(errors: &[Value]) -> Value {
    let mut tree = Tree::default();
    for error in errors {
        let steps: Vec<String> =
            error["loc"].as_array().map_or_else(Vec::new, |loc| loc.iter().skip(1).map(text).collect());
        tree.insert(&steps, text(&error["msg"]));
    }
    tree.into_value()
}

fn text(step: &Value) -> String {
    step.as_str().map_or_else(|| step.to_string(), str::to_owned)
}

/// Messages by path.
#[derive(Default)]
struct Tree {
    messages: Vec<String>,
    fields: BTreeMap<String, Tree>,
}

impl Tree {
    fn insert(&mut self, steps: &[String], message: String) {
        match steps.split_first() {
            Some((first, rest)) => self.fields.entry(first.clone()).or_default().insert(rest, message),
            None => self.messages.push(message),
        }
    }

    fn into_value(self) -> Value {
        if self.fields.is_empty() {
            return json!(self.messages);
        }
        let mut object: Map<String, Value> =
            self.fields.into_iter().map(|(name, tree)| (name, tree.into_value())).collect();
        if !self.messages.is_empty() {
            object.insert("non_field_errors".to_owned(), json!(self.messages));
        }
        Value::Object(object)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use plectrum_http::Problem;

    use super::*;

    fn shaped(shape: Shape, response: Response) -> (u16, String) {
        let Reply::Ready(response) = shape.apply(response.into()) else { unreachable!("it was ready") };
        let (head, body) = response.into_parts();
        let Body::Full(bytes) = body else { unreachable!("it has a body") };
        (head.status.as_u16(), String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn invalid() -> Response {
        let errors = br#"[{"loc":["body","address","city"],"type":"missing","msg":"Field required"},
            {"loc":["body","tags",0],"type":"string_type","msg":"Input should be a valid string"},
            {"loc":["body","address"],"type":"x","msg":"Odd"}]"#;
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY).raw("errors", errors).into_response()
    }

    #[test]
    fn drf_has_messages_by_field() {
        let expected = concat!(
            r#"{"address":{"city":["Field required"],"non_field_errors":["Odd"]},"#,
            r#""tags":{"0":["Input should be a valid string"]}}"#
        );
        assert_eq!(shaped(Shape::Drf, invalid()), (400, expected.to_owned()));
        let missing = shaped(Shape::Drf, problem::of(StatusCode::NOT_FOUND));
        assert_eq!(missing, (404, r#"{"detail":"Not Found"}"#.to_owned()));
    }

    #[test]
    fn fastapi_has_a_list_of_errors() {
        let (status, body) = shaped(Shape::Fastapi, invalid());
        assert_eq!(status, 422);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            body["detail"][0],
            json!({"loc": ["body", "address", "city"], "type": "missing", "msg": "Field required"})
        );
    }

    #[test]
    fn what_is_no_problem_stays() {
        let response = Response::new(Body::from("{}".to_owned()));
        assert_eq!(shaped(Shape::Drf, response), (200, "{}".to_owned()));
        assert_eq!(shaped(Shape::Problem, invalid()).0, 422);
    }
}

//! What a request carries (GraphQL over HTTP, section 5).

use plectrum_graphql::variables;
use plectrum_http::{Method, StatusCode, media, query};
use serde_json::{Map, Value};

use super::multipart;
use crate::endpoint::Call;

/// Parameters of one operation.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) query: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) variables: Map<String, Value>,
    pub(super) extensions: Map<String, Value>,
}

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Asked {
    One(Parameters),
    /// A list of operations.
    Many(Vec<Parameters>),
}

/// Why a request is none, with its status.
#[derive(Debug)]
pub(super) struct Malformed(pub(super) StatusCode, pub(super) String);

fn malformed(why: impl Into<String>) -> Malformed {
    Malformed(StatusCode::BAD_REQUEST, why.into())
}

/// Reads the parameters of a request.
pub(super) fn read(call: &Call) -> Result<Asked, Malformed> {
    if call.request.method == Method::POST {
        of_body(call)
    } else {
        of_query(call.request.query()).map(Asked::One)
    }
}

fn of_body(call: &Call) -> Result<Asked, Malformed> {
    if let Some(form) = &call.form {
        return of_json(multipart::operations(&call.request.headers, form)?);
    }
    if !media::is_json(&call.request.headers) {
        let why = "A POST request needs a body of the content type application/json.".to_owned();
        return Err(Malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let read = serde_json::from_slice(&call.body);
    of_json(read.map_err(|error| malformed(format!("The body is not JSON: {error}.")))?)
}

fn of_json(body: Value) -> Result<Asked, Malformed> {
    match body {
        Value::Object(members) => of_members(members).map(Asked::One),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(members) => of_members(members),
                _ => Err(malformed("Each item of a list of operations must be a JSON object.")),
            })
            .collect::<Result<_, _>>()
            .map(Asked::Many),
        _ => Err(malformed("The body must be a JSON object.")),
    }
}

pub(super) fn of_members(members: Map<String, Value>) -> Result<Parameters, Malformed> {
    let mut parameters = Parameters::default();
    for (name, value) in members {
        match name.as_str() {
            "query" => parameters.query = text(&name, value)?,
            "operationName" => parameters.operation = text(&name, value)?,
            "variables" => parameters.variables = object(&name, value)?,
            "extensions" => parameters.extensions = object(&name, value)?,
            _ => {}
        }
    }
    Ok(parameters)
}

fn text(name: &str, value: Value) -> Result<Option<String>, Malformed> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(malformed(format!("The parameter {name:?} must be a string."))),
    }
}

fn object(name: &str, value: Value) -> Result<Map<String, Value>, Malformed> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(members) => Ok(members),
        _ => Err(malformed(format!("The parameter {name:?} must be an object."))),
    }
}

fn of_query(raw: &str) -> Result<Parameters, Malformed> {
    let mut parameters = Parameters::default();
    for pair in query::pairs(raw) {
        let (Ok(name), Ok(value)) = pair else { return Err(malformed("The query string is not UTF-8.")) };
        let json = |value: &str| {
            if value.is_empty() {
                return Ok(Map::new());
            }
            let read = serde_json::from_str(value);
            object(
                &name,
                read.map_err(|error| malformed(format!("The parameter {name:?} is not JSON: {error}.")))?,
            )
        };
        match &*name {
            "query" => parameters.query = Some(value.into_owned()),
            "operationName" => parameters.operation = Some(value.into_owned()),
            "variables" => parameters.variables = json(&value)?,
            "extensions" => parameters.extensions = json(&value)?,
            _ => {}
        }
    }
    Ok(parameters)
}

impl Parameters {
    /// The variables as the schema's compiler reads them.
    pub(super) fn take_variables(&mut self) -> variables::Given {
        variables::given(std::mem::take(&mut self.variables))
    }
}

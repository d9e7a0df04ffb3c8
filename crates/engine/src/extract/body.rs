//! The request's body, as far as it is understood before its parts are validated.

use std::collections::HashMap;

use plectrum_http::{HeaderMap, form, media};
use plectrum_json::read::{Broken, MAX_DEPTH, Peek, Reader};
use plectrum_schema::error::Error;
use plectrum_schema::error::table::Code;
use plectrum_schema::node::{Length, StrRule};
use plectrum_schema::sink::Sink;
use plectrum_schema::{Node, Schema, validate_json};

use super::Texts;
use crate::blueprint::{Route, Source};

/// What the body of a route's requests is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// Nobody asks for it.
    None,
    /// One JSON value.
    Json,
    /// A JSON object whose keys are arguments.
    Keys,
    /// `application/x-www-form-urlencoded` or `multipart/form-data`.
    Form,
    /// Bytes of any type.
    Raw,
}

impl BodyForm {
    pub(super) fn of(route: &Route) -> Self {
        let has = |source| route.parameters.iter().any(|parameter| parameter.source == source);
        if has(Source::Body) {
            Self::Json
        } else if has(Source::BodyField) {
            Self::Keys
        } else if has(Source::Form) {
            Self::Form
        } else if has(Source::Raw) {
            Self::Raw
        } else {
            Self::None
        }
    }

    /// Whether a body of the declared media type can be read. JSON need not be declared.
    pub(super) fn accepts(self, headers: &HeaderMap) -> bool {
        match self {
            Self::Form => media::is_form(headers) || form::is_multipart(headers),
            _ => media::is_json(headers) || media::essence(headers).is_none(),
        }
    }
}

/// A body, split as its route's form says.
pub(super) enum Body<'a> {
    Absent,
    Json(&'a [u8]),
    Keys(HashMap<String, &'a [u8]>),
    Form(Texts<'a>),
    /// Not an object, though its keys are arguments.
    Refused(Vec<Error>),
}

impl<'a> Body<'a> {
    pub(super) fn form(&self) -> Option<&Texts<'a>> {
        if let Self::Form(texts) = self { Some(texts) } else { None }
    }

    /// The JSON of the argument called `wire`.
    pub(super) fn json_of(&self, wire: &str) -> Option<&[u8]> {
        match self {
            Self::Json(bytes) => Some(bytes),
            Self::Keys(keys) => keys.get(wire).copied(),
            Self::Absent | Self::Form(_) | Self::Refused(_) => None,
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// What is wrong with the body as a whole.
    pub(super) fn into_errors(self) -> impl Iterator<Item = Error> {
        if let Self::Refused(errors) = self { errors } else { Vec::new() }.into_iter()
    }
}

/// Takes an object apart without building its values.
pub(super) fn split<'a, S: Sink>(bytes: &'a [u8], sink: &mut S) -> Body<'a> {
    match members(bytes) {
        Ok(Some(keys)) => Body::Keys(keys),
        Ok(None) | Err(Broken) => Body::Refused(why_no_object(bytes, sink)),
    }
}

/// The members of an object, their values as they stand; of a repeated key the last. `None` where it is no object.
fn members(bytes: &[u8]) -> Result<Option<HashMap<String, &[u8]>>, Broken> {
    let mut reader = Reader::new(bytes);
    if reader.peek()? != Peek::Object {
        return Ok(None);
    }
    let mut found = HashMap::new();
    let mut more = reader.first_member()?;
    while more {
        let key = reader.key()?.to_owned();
        let value = reader.peek()?;
        let start = reader.at();
        reader.skip(value, MAX_DEPTH - 1)?;
        found.insert(key, reader.since(start));
        more = reader.next_member()?;
    }
    reader.finish()?;
    Ok(Some(found))
}

/// The validator's own words for JSON that is malformed or no object.
fn why_no_object<S: Sink>(bytes: &[u8], sink: &mut S) -> Vec<Error> {
    let object = Schema {
        root: Node::Dict {
            key: Box::new(Node::Str(StrRule::default())),
            value: Box::new(Node::Any),
            length: Length::default(),
        },
        definitions: Vec::new(),
    };
    validate_json(&object, bytes, sink).err().unwrap_or_else(|| vec![Error::from(Code::DictType)])
}

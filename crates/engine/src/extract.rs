//! A request's arguments: found by compiled extractors, validated into whatever a sink builds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use plectrum_http::{HeaderMap, HeaderName, cookie, media, query};
use plectrum_schema::error::table::Code;
use plectrum_schema::error::{Error, Step};
use plectrum_schema::sink::Sink;
use plectrum_schema::{Node, Schema, validate_json, validate_text, validate_texts};
use serde_json::value::RawValue;

use crate::blueprint::{Parameter, Route, Source};
use crate::endpoint::Call;

/// A route's arguments, compiled at registration.
pub struct Extractor {
    arguments: Vec<Argument>,
    query: bool,
    body: BodyForm,
}

/// What the body is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyForm {
    None,
    Json,
    Keys,
    Form,
}

struct Argument {
    wire: Box<str>,
    place: Place,
    schema: Arc<Schema>,
    required: bool,
    many: bool,
}

enum Place {
    Path(usize),
    Query,
    Header(HeaderName),
    Cookie,
    Body,
    BodyKey,
    Form,
    /// Filled by the binding.
    Request,
}

/// Why the arguments of a request could not be had.
#[derive(Debug)]
pub enum Refusal {
    /// 422: everything that is wrong.
    Invalid(Vec<Error>),
    /// 415: the body is not of a type this route reads.
    MediaType,
    /// 400: the query string or form is not text.
    Malformed(&'static str),
}

/// One slot per argument; `None` where absent and optional, and for the request itself.
pub type Slots<V> = Vec<Option<V>>;

type Texts<'a> = Vec<(usize, Cow<'a, str>)>;

impl Extractor {
    /// Compiles a route's parameters. `path_names` are the pattern's, in order.
    ///
    /// # Errors
    /// A sentence for the user: an unknown path name, a bad header name.
    pub fn compile(route: &Route, path_names: &[&str]) -> Result<Self, String> {
        let arguments: Vec<_> =
            route.parameters.iter().map(|parameter| Argument::compile(parameter, path_names)).collect::<Result<_, _>>()?;
        let has = |source| route.parameters.iter().any(|parameter| parameter.source == source);
        let body = if has(Source::Body) {
            BodyForm::Json
        } else if has(Source::BodyField) {
            BodyForm::Keys
        } else if has(Source::Form) {
            BodyForm::Form
        } else {
            BodyForm::None
        };
        Ok(Self { arguments, query: has(Source::Query), body })
    }

    /// Whether the whole body is needed.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        self.body != BodyForm::None
    }

    /// How many arguments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arguments.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arguments.is_empty()
    }

    /// Validates every argument.
    ///
    /// # Errors
    /// All that is wrong with the request, at once.
    pub fn extract<S: Sink>(&self, call: &Call, sink: &mut S) -> Result<Slots<S::Value>, Refusal> {
        if self.arguments.is_empty() {
            return Ok(Vec::new());
        }
        let query = if self.query { self.texts(call.request.query(), |place| matches!(place, Place::Query))? } else { Vec::new() };
        let body = self.read_body(call)?;
        let mut slots = Vec::with_capacity(self.arguments.len());
        let mut errors = Vec::new();
        for (index, argument) in self.arguments.iter().enumerate() {
            let value = match argument.place {
                Place::Query => argument.from_texts(index, &query, sink),
                Place::Form => argument.from_texts(index, body.form(), sink),
                Place::Body | Place::BodyKey => argument.from_json(body.json_of(argument), sink),
                _ => argument.from_head(call, sink),
            };
            match value {
                Ok(value) => slots.push(value),
                Err(found) => argument.report(found, &mut errors),
            }
        }
        if errors.is_empty() { Ok(slots) } else { Err(Refusal::Invalid(errors)) }
    }

    /// Pairs of a urlencoded text that belong to an argument, in order of appearance.
    fn texts<'a>(&self, text: &'a str, belongs: fn(&Place) -> bool) -> Result<Texts<'a>, Refusal> {
        let mut found = Vec::new();
        for (name, value) in query::pairs(text) {
            let (name, value) = (name.map_err(not_text)?, value.map_err(not_text)?);
            let position = self.arguments.iter().position(|a| belongs(&a.place) && *a.wire == *name);
            if let Some(index) = position {
                found.push((index, value));
            }
        }
        Ok(found)
    }

    fn read_body<'a>(&self, call: &'a Call) -> Result<BodyInput<'a>, Refusal> {
        let body = call.body.as_ref();
        match self.body {
            BodyForm::None => Ok(BodyInput::Absent),
            _ if body.is_empty() => Ok(BodyInput::Absent),
            BodyForm::Json if json_or_silent(&call.request.headers) => Ok(BodyInput::Json(body)),
            BodyForm::Keys if json_or_silent(&call.request.headers) => Ok(match serde_json::from_slice(body) {
                Ok(keys) => BodyInput::Keys(keys),
                Err(_) => BodyInput::Json(body),
            }),
            BodyForm::Form if media::is_form(&call.request.headers) => {
                let text = std::str::from_utf8(body).map_err(|_| not_text(query::NotUtf8))?;
                Ok(BodyInput::Form(self.texts(text, |place| matches!(place, Place::Form))?))
            }
            _ => Err(Refusal::MediaType),
        }
    }
}

/// The body, as far as it is understood before validation.
enum BodyInput<'a> {
    Absent,
    Json(&'a [u8]),
    Keys(HashMap<Cow<'a, str>, &'a RawValue>),
    Form(Texts<'a>),
}

impl<'a> BodyInput<'a> {
    fn form(&self) -> &[(usize, Cow<'a, str>)] {
        if let Self::Form(texts) = self { texts } else { &[] }
    }

    fn json_of(&self, argument: &Argument) -> Option<&[u8]> {
        match self {
            Self::Json(bytes) => Some(bytes),
            Self::Keys(keys) => keys.get(&*argument.wire).map(|raw| raw.get().as_bytes()),
            Self::Absent | Self::Form(_) => None,
        }
    }
}

impl Argument {
    fn compile(parameter: &Parameter, path_names: &[&str]) -> Result<Self, String> {
        let wire = parameter.wire.as_str();
        let place = match parameter.source {
            Source::Path => {
                let position = path_names.iter().position(|name| *name == wire);
                Place::Path(position.ok_or_else(|| format!("the path has no parameter {{{wire}}}"))?)
            }
            Source::Query => Place::Query,
            Source::Header => {
                Place::Header(wire.parse().map_err(|_| format!("{wire:?} cannot be the name of a header"))?)
            }
            Source::Cookie => Place::Cookie,
            Source::Body => Place::Body,
            Source::BodyField => Place::BodyKey,
            Source::Form => Place::Form,
            Source::Request => Place::Request,
        };
        let schema = parameter.schema.clone().unwrap_or_else(|| Arc::new(Schema { root: Node::Any, definitions: Vec::new() }));
        Ok(Self { wire: wire.into(), place, schema, required: parameter.required, many: parameter.many })
    }

    fn absent<V>(&self) -> Result<Option<V>, Vec<Error>> {
        if self.required { Err(vec![Error::from(Code::Missing)]) } else { Ok(None) }
    }

    fn from_texts<S: Sink>(
        &self,
        index: usize,
        texts: &[(usize, Cow<'_, str>)],
        sink: &mut S,
    ) -> Result<Option<S::Value>, Vec<Error>> {
        let mut own = texts.iter().filter(|(owner, _)| *owner == index).map(|(_, text)| &**text);
        if self.many {
            let all: Vec<&str> = own.collect();
            return if all.is_empty() { self.absent() } else { validate_texts(&self.schema, &all, sink).map(Some) };
        }
        // As Django's QueryDict: the last value of a repeated name counts.
        match own.next_back() {
            Some(text) => validate_text(&self.schema, text, sink).map(Some),
            None => self.absent(),
        }
    }

    fn from_json<S: Sink>(&self, json: Option<&[u8]>, sink: &mut S) -> Result<Option<S::Value>, Vec<Error>> {
        match json {
            Some(json) => validate_json(&self.schema, json, sink).map(Some),
            None => self.absent(),
        }
    }

    fn from_head<S: Sink>(&self, call: &Call, sink: &mut S) -> Result<Option<S::Value>, Vec<Error>> {
        match &self.place {
            Place::Path(position) => match call.path_value(*position) {
                Some(text) => validate_text(&self.schema, text, sink).map(Some),
                None => self.absent(),
            },
            Place::Header(name) => self.from_header(call, name, sink),
            Place::Cookie => match cookie::get(&call.request.headers, &self.wire) {
                Some(text) => validate_text(&self.schema, text, sink).map(Some),
                None => self.absent(),
            },
            _ => Ok(None),
        }
    }

    fn from_header<S: Sink>(
        &self,
        call: &Call,
        name: &HeaderName,
        sink: &mut S,
    ) -> Result<Option<S::Value>, Vec<Error>> {
        let mut values = call.request.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        if self.many {
            let all: Vec<_> = values.collect();
            let all: Vec<&str> = all.iter().map(AsRef::as_ref).collect();
            return if all.is_empty() { self.absent() } else { validate_texts(&self.schema, &all, sink).map(Some) };
        }
        match values.next() {
            Some(text) => validate_text(&self.schema, &text, sink).map(Some),
            None => self.absent(),
        }
    }

    /// Adds `found` under this argument's own place: `["query", "page"]`, `["body", …]`.
    fn report(&self, found: Vec<Error>, errors: &mut Vec<Error>) {
        let mut prefix = vec![Step::Key(Cow::Borrowed(self.place.name()))];
        if !matches!(self.place, Place::Body) {
            prefix.push(Step::Key(Cow::Owned(self.wire.to_string())));
        }
        errors.extend(found.into_iter().map(|mut error| {
            error.loc.splice(0..0, prefix.iter().cloned());
            error
        }));
    }
}

impl Place {
    fn name(&self) -> &'static str {
        match self {
            Self::Path(_) => "path",
            Self::Query => "query",
            Self::Header(_) => "header",
            Self::Cookie => "cookie",
            Self::Body | Self::BodyKey | Self::Form => "body",
            Self::Request => "request",
        }
    }
}

fn not_text(_: query::NotUtf8) -> Refusal {
    Refusal::Malformed("The query or form is not UTF-8 text.")
}

/// Whether the body may be read as JSON: declared so, or not declared at all.
fn json_or_silent(headers: &HeaderMap) -> bool {
    media::essence(headers).is_none() || media::is_json(headers)
}

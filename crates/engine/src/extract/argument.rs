//! One argument: where it stands in a request, and what it must be.

use std::borrow::Cow;
use std::sync::Arc;

use plectrum_http::{HeaderName, HeaderValue, cookie};
use plectrum_schema::error::{Error, Step};
use plectrum_schema::sink::Sink;
use plectrum_schema::{Node, Schema, validate_json, validate_text, validate_texts};

use serde_json::Value;

use super::body::Body;
use super::given::{self, Given, Model};
use super::{Name, Texts, within};
use crate::blueprint::{Parameter, Source};
use crate::endpoint::Call;

pub(super) struct Argument {
    pub(super) wire: Box<str>,
    pub(super) place: Place,
    schema: Arc<Schema>,
    required: bool,
    many: bool,
    /// Its fields are parameters by themselves.
    model: Option<Model>,
    upload: bool,
}

pub(super) enum Place {
    /// Position among the path's parameters.
    Path(usize),
    Query,
    Header(HeaderName),
    Cookie,
    Body,
    BodyKey,
    /// The whole body, whatever it is.
    Raw,
    Form,
    Claim,
    /// Filled by the binding.
    Given,
}

/// A value, or that it is absent and may be.
pub(super) type Extracted<V> = Result<Option<V>, Vec<Error>>;

impl Argument {
    pub(super) fn compile(parameter: &Parameter, path_names: &[&str]) -> Result<Self, String> {
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
            Source::Raw => Place::Raw,
            Source::Claim => Place::Claim,
            Source::Request | Source::Websocket | Source::Background | Source::Responder => Place::Given,
        };
        let schema = parameter.schema.clone().unwrap_or_else(|| Arc::new(Schema::any()));
        Ok(Self {
            wire: wire.into(),
            place,
            required: parameter.required,
            many: parameter.many,
            model: Model::of(&schema, parameter.source),
            upload: given::is_upload(&schema),
            schema,
        })
    }

    /// The names in a query string or form that are this argument's, which has number `index`.
    pub(super) fn names(&self, index: usize) -> Vec<Name> {
        match &self.model {
            Some(model) => {
                let fields = model.wires.iter().enumerate();
                fields.map(|(field, wire)| Name { wire: wire.clone(), owner: (index, field) }).collect()
            }
            None => vec![Name { wire: self.wire.clone(), owner: (index, 0) }],
        }
    }

    /// From the pairs of a query string or form; `index` is this argument's own.
    pub(super) fn in_texts<S: Sink>(
        &self,
        index: usize,
        found: &Texts<'_>,
        sink: &mut S,
    ) -> Extracted<S::Value> {
        if let Some(model) = &self.model {
            return model.read(&self.schema, self.required, |field| found.given((index, field)), sink);
        }
        if self.upload {
            let value = found.given((index, 0)).read(&self.schema, &self.schema.root, sink)?;
            return if value.is_none() { self.absent() } else { Ok(value) };
        }
        let mut own = found.pairs.iter().filter(|(owner, _)| *owner == (index, 0)).map(|(_, text)| &**text);
        if self.many {
            return self.all(&own.collect::<Vec<_>>(), sink);
        }
        // As Django's QueryDict: the last value of a repeated name counts.
        self.one(own.next_back(), sink)
    }

    /// From the body, or its key of this name.
    pub(super) fn in_body<S: Sink>(&self, body: &Body<'_>, sink: &mut S) -> Extracted<S::Value> {
        match body.json_of(&self.wire) {
            Some(json) => validate_json(&self.schema, json, sink).map(Some),
            // The body's own errors say it all.
            None if body.is_refused() => Ok(None),
            None => self.absent(),
        }
    }

    /// The whole body as it is.
    pub(super) fn as_bytes<S: Sink>(&self, call: &Call, sink: &mut S) -> Extracted<S::Value> {
        if call.body.is_empty() && !self.required {
            return Ok(None);
        }
        let Node::Bytes(length) = self.schema.plain(&self.schema.root) else {
            return Ok(Some(sink.bytes(&call.body)));
        };
        let (least, most) = (length.min_length.unwrap_or(0), length.max_length.unwrap_or(usize::MAX));
        if call.body.len() < least {
            return Err(vec![Error::new(
                "bytes_too_short",
                format!("Data should have at least {least} bytes"),
            )]);
        }
        if call.body.len() > most {
            return Err(vec![Error::new("bytes_too_long", format!("Data should have at most {most} bytes"))]);
        }
        Ok(Some(sink.bytes(&call.body)))
    }

    /// From the claims of whoever makes the request; `sub` is there without claims, too.
    pub(super) fn in_claims<S: Sink>(&self, call: &Call, sink: &mut S) -> Extracted<S::Value> {
        let Some(identity) = call.identity.as_deref() else { return self.absent() };
        match identity.claim(&self.wire) {
            Some(Value::String(text)) => self.one(Some(text), sink),
            Some(value) => validate_json(&self.schema, value.to_string().as_bytes(), sink).map(Some),
            None if &*self.wire == "sub" => self.one(identity.subject(), sink),
            None => self.absent(),
        }
    }

    /// From the path or the headers.
    pub(super) fn in_head<S: Sink>(&self, call: &Call, sink: &mut S) -> Extracted<S::Value> {
        if let Some(model) = &self.model {
            let given = |field: usize| self.head_texts(call, model.wires.get(field).map_or("", |wire| wire));
            return model.read(&self.schema, self.required, given, sink);
        }
        match &self.place {
            Place::Path(position) => self.one(call.path_value(*position), sink),
            Place::Cookie => self.one(cookie::get(&call.request.headers, &self.wire), sink),
            Place::Header(name) => {
                let mut values = call.request.headers.get_all(name).iter().map(header_text);
                if self.many {
                    let all: Vec<_> = values.collect();
                    return self.all(&all.iter().map(AsRef::as_ref).collect::<Vec<_>>(), sink);
                }
                self.one(values.next().as_deref(), sink)
            }
            _ => Ok(None),
        }
    }

    /// What a header or cookie of that name holds.
    fn head_texts<'a>(&self, call: &'a Call, wire: &str) -> Given<'a> {
        let headers = &call.request.headers;
        let texts = match self.place {
            Place::Header(_) => headers.get_all(wire).iter().map(header_text).collect(),
            _ => cookie::get(headers, wire).into_iter().map(Cow::Borrowed).collect(),
        };
        Given { texts, uploads: Vec::new() }
    }

    fn one<S: Sink>(&self, text: Option<&str>, sink: &mut S) -> Extracted<S::Value> {
        match text {
            Some(text) => validate_text(&self.schema, text, sink).map(Some),
            None => self.absent(),
        }
    }

    fn all<S: Sink>(&self, texts: &[&str], sink: &mut S) -> Extracted<S::Value> {
        if texts.is_empty() { self.absent() } else { validate_texts(&self.schema, texts, sink).map(Some) }
    }

    fn absent<V>(&self) -> Extracted<V> {
        if self.required { Err(given::missing()) } else { Ok(None) }
    }

    /// Adds `found` under this argument's own place: `["query", "page"]`, `["body", …]`.
    pub(super) fn report(&self, found: Vec<Error>, errors: &mut Vec<Error>) {
        let mut outer = vec![Step::Key(Cow::Borrowed(self.place.name()))];
        if !matches!(self.place, Place::Body | Place::Raw) && self.model.is_none() {
            outer.push(Step::key(&self.wire));
        }
        errors.extend(found.into_iter().map(|error| within(error, &outer)));
    }
}

/// A header's value; bytes past ASCII are Latin-1, as WSGI and ASGI servers read them.
fn header_text(value: &HeaderValue) -> Cow<'_, str> {
    match value.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

impl Place {
    fn name(&self) -> &'static str {
        match self {
            Self::Path(_) => "path",
            Self::Query => "query",
            Self::Header(_) => "header",
            Self::Cookie => "cookie",
            Self::Body | Self::BodyKey | Self::Form | Self::Raw => "body",
            Self::Claim => "claim",
            Self::Given => "request",
        }
    }
}

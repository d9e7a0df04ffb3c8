//! A request's arguments: found by compiled extractors, validated into whatever a sink builds.
//!
//! `argument` is one of them; `body` is what the request's body is read as before any is validated.

mod argument;
mod body;

use std::borrow::Cow;

use plectrum_http::query;
use plectrum_schema::error::{Error, Step};
use plectrum_schema::sink::Sink;

use crate::blueprint::Route;
use crate::endpoint::Call;
use argument::{Argument, Place};
use body::{Body, BodyForm};

/// A route's arguments, compiled at registration.
pub struct Extractor {
    arguments: Vec<Argument>,
    query: bool,
    body: BodyForm,
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

/// Decoded texts of a query string or form, each with the index of the argument it belongs to.
type Texts<'a> = Vec<(usize, Cow<'a, str>)>;

impl Extractor {
    /// Compiles a route's parameters. `path_names` are the pattern's, in order.
    ///
    /// # Errors
    /// A sentence for the user: an unknown path name, a bad header name.
    pub fn compile(route: &Route, path_names: &[&str]) -> Result<Self, String> {
        let compile = |parameter| Argument::compile(parameter, path_names);
        let arguments = route.parameters.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let query = arguments.iter().any(|argument| matches!(argument.place, Place::Query));
        Ok(Self { body: BodyForm::of(route), query, arguments })
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
        let query = if self.query { self.texts(call.request.query(), Place::is_query)? } else { Vec::new() };
        let body = self.read_body(call, sink)?;
        let mut slots = Vec::with_capacity(self.arguments.len());
        let mut errors = Vec::new();
        for (index, argument) in self.arguments.iter().enumerate() {
            let value = match argument.place {
                Place::Query => argument.in_texts(index, &query, sink),
                Place::Form => argument.in_texts(index, body.form(), sink),
                Place::Body | Place::BodyKey => argument.in_body(&body, sink),
                _ => argument.in_head(call, sink),
            };
            match value {
                Ok(value) => slots.push(value),
                Err(found) => argument.report(found, &mut errors),
            }
        }
        errors.extend(body.into_errors().map(|error| within(error, &[Step::Key(Cow::Borrowed("body"))])));
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

    fn read_body<'a, S: Sink>(&self, call: &'a Call, sink: &mut S) -> Result<Body<'a>, Refusal> {
        let (headers, bytes) = (&call.request.headers, call.body.as_ref());
        if bytes.is_empty() || self.body == BodyForm::None {
            return Ok(Body::Absent);
        }
        if !self.body.accepts(headers) {
            return Err(Refusal::MediaType);
        }
        Ok(match self.body {
            BodyForm::Form => {
                let text = std::str::from_utf8(bytes).map_err(|_| not_text(query::NotUtf8))?;
                Body::Form(self.texts(text, Place::is_form)?)
            }
            BodyForm::Keys => body::split(bytes, sink),
            BodyForm::Json | BodyForm::None => Body::Json(bytes),
        })
    }
}

/// `error` at its place inside of what stands at `outer`.
fn within(mut error: Error, outer: &[Step]) -> Error {
    error.loc.splice(0..0, outer.iter().cloned());
    error
}

fn not_text(_: query::NotUtf8) -> Refusal {
    Refusal::Malformed("The query or form is not UTF-8 text.")
}

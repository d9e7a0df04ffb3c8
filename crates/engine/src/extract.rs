//! A request's arguments: found by compiled extractors, validated into whatever a sink builds.
//!
//! `argument` is one of them; `body` is what the request's body is read as before any is validated; `given` what there is
//! under one name, for models whose fields are parameters, and for uploaded files.

mod argument;
mod body;
mod given;
mod unknown;

use std::borrow::Cow;

use plectrum_http::form::{Form, Upload};
use plectrum_http::query;
use plectrum_schema::error::{Error, Step};
use plectrum_schema::sink::Sink;

use crate::blueprint::Route;
use crate::endpoint::{Call, Reads};
use argument::{Argument, Place};
use body::{Body, BodyForm};
use given::Given;

/// A route's arguments, compiled at registration.
pub struct Extractor {
    arguments: Vec<Argument>,
    /// Names that are looked for in the query string.
    query: Vec<Name>,
    /// Names that are looked for in a form.
    form: Vec<Name>,
    body: BodyForm,
    /// Query parameters it does not know are refused.
    strict: bool,
    /// Query parameters that are read before the arguments, by what authenticates.
    read_before: Vec<Box<str>>,
}

/// Why the arguments of a request could not be had.
#[derive(Debug)]
pub enum Refusal {
    /// 422: everything that is wrong.
    Invalid(Vec<Error>),
    /// 415: the body is not of a type this route reads.
    MediaType,
    /// 403: this claim is not among those that the request is authenticated with, or is not what is wanted.
    Unclaimed(Box<str>),
    /// 400: the query string or form is not text.
    Malformed(&'static str),
}

/// One slot per argument; `None` where absent and optional, and for the request itself.
pub type Slots<V> = Vec<Option<V>>;

/// An argument by number, and its field where it is a model.
type Owner = (usize, usize);

/// A name on the wire, and whose it is.
struct Name {
    wire: Box<str>,
    owner: Owner,
}

/// What a query string or form holds for arguments, in order of appearance.
#[derive(Default)]
struct Texts<'a> {
    pairs: Vec<(Owner, Cow<'a, str>)>,
    /// With their numbers in the form.
    uploads: Vec<(Owner, usize, &'a Upload)>,
}

impl<'a> Texts<'a> {
    /// Everything for one owner.
    fn given(&self, owner: Owner) -> Given<'a> {
        let texts = self.pairs.iter().filter(|(of, _)| *of == owner).map(|(_, text)| text.clone());
        let uploads = self.uploads.iter().filter(|(of, ..)| *of == owner);
        Given {
            texts: texts.collect(),
            uploads: uploads.map(|(_, number, upload)| (*number, *upload)).collect(),
        }
    }
}

impl Extractor {
    /// Compiles a route's parameters. `path_names` are the pattern's, in order.
    ///
    /// # Errors
    /// A sentence for the user: an unknown path name, a bad header name.
    pub fn compile(route: &Route, path_names: &[&str]) -> Result<Self, String> {
        let compile = |parameter| Argument::compile(parameter, path_names);
        let arguments = route.parameters.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let names = |belongs: fn(&Place) -> bool| {
            let mine = arguments.iter().enumerate().filter(|(_, argument)| belongs(&argument.place));
            mine.flat_map(|(index, argument)| argument.names(index)).collect()
        };
        let query = names(|place| matches!(place, Place::Query));
        let form = names(|place| matches!(place, Place::Form));
        Ok(Self {
            body: BodyForm::of(route),
            query,
            form,
            arguments,
            strict: route.strict_query,
            read_before: Vec::new(),
        })
    }

    /// For whoever takes no arguments.
    #[must_use]
    pub fn none() -> Self {
        Self {
            body: BodyForm::None,
            query: Vec::new(),
            form: Vec::new(),
            arguments: Vec::new(),
            strict: false,
            read_before: Vec::new(),
        }
    }

    /// Query parameters that something else reads, and that are known where unknown ones are refused.
    #[must_use]
    pub fn beside(mut self, names: impl Iterator<Item = Box<str>>) -> Self {
        self.read_before.extend(names);
        self
    }

    /// Whether the whole body is needed.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        self.body != BodyForm::None
    }

    /// What is needed of the body.
    #[must_use]
    pub fn reads(&self) -> Reads {
        match self.body {
            BodyForm::None => Reads::Nothing,
            BodyForm::Form => Reads::Form,
            BodyForm::Json | BodyForm::Keys | BodyForm::Raw => Reads::Bytes,
        }
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
        if self.arguments.is_empty() && !self.strict {
            return Ok(Vec::new());
        }
        let query =
            if self.query.is_empty() { Texts::default() } else { texts(&self.query, call.request.query())? };
        let body = self.read_body(call, sink)?;
        let mut slots = Vec::with_capacity(self.arguments.len());
        let mut errors = if self.strict { self.unknown(call.request.query()) } else { Vec::new() };
        let nothing = Texts::default();
        for (index, argument) in self.arguments.iter().enumerate() {
            let value = match argument.place {
                Place::Query => argument.in_texts(index, &query, sink),
                Place::Form => argument.in_texts(index, body.form().unwrap_or(&nothing), sink),
                Place::Raw => argument.as_bytes(call, sink),
                Place::Body | Place::BodyKey => argument.in_body(&body, sink),
                Place::Claim => Ok(argument
                    .in_claims(call, sink)
                    .map_err(|_| Refusal::Unclaimed(argument.wire.clone()))?),
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

    /// Query parameters that are nobody's.
    fn unknown(&self, text: &str) -> Vec<Error> {
        let known = self.query.iter().map(|name| &*name.wire);
        unknown::errors(text, &known.chain(self.read_before.iter().map(|name| &**name)).collect::<Vec<_>>())
    }

    /// What a form with files holds for arguments.
    fn multipart<'a>(&self, form: &'a Form) -> Texts<'a> {
        let owner = |name: &str| self.form.iter().find(|known| *known.wire == *name).map(|known| known.owner);
        let pair = |(name, value): &'a (String, String)| Some((owner(name)?, Cow::Borrowed(value.as_str())));
        let upload =
            |(number, (name, upload)): (usize, &'a (String, Upload))| Some((owner(name)?, number, upload));
        Texts {
            pairs: form.fields.iter().filter_map(pair).collect(),
            uploads: form.files.iter().enumerate().filter_map(upload).collect(),
        }
    }

    fn read_body<'a, S: Sink>(&self, call: &'a Call, sink: &mut S) -> Result<Body<'a>, Refusal> {
        let (headers, bytes) = (&call.request.headers, call.body.as_ref());
        if let Some(form) = &call.form {
            return Ok(Body::Form(self.multipart(form)));
        }
        if bytes.is_empty() || matches!(self.body, BodyForm::None | BodyForm::Raw) {
            return Ok(Body::Absent);
        }
        if !self.body.accepts(headers) {
            return Err(Refusal::MediaType);
        }
        Ok(match self.body {
            BodyForm::Form => {
                let text = std::str::from_utf8(bytes).map_err(|_| not_text(query::NotUtf8))?;
                Body::Form(texts(&self.form, text)?)
            }
            BodyForm::Keys => body::split(bytes, sink),
            BodyForm::Json | BodyForm::None | BodyForm::Raw => Body::Json(bytes),
        })
    }
}

/// Pairs of a urlencoded text that belong to an argument.
fn texts<'a>(names: &[Name], text: &'a str) -> Result<Texts<'a>, Refusal> {
    let mut found = Texts::default();
    for (name, value) in query::pairs(text) {
        let (name, value) = (name.map_err(not_text)?, value.map_err(not_text)?);
        if let Some(known) = names.iter().find(|known| *known.wire == *name) {
            found.pairs.push((known.owner, value));
        }
    }
    Ok(found)
}

/// `error` at its place inside of what stands at `outer`.
fn within(mut error: Error, outer: &[Step]) -> Error {
    error.loc.splice(0..0, outer.iter().cloned());
    error
}

fn not_text(_: query::NotUtf8) -> Refusal {
    Refusal::Malformed("The query or form is not UTF-8 text.")
}

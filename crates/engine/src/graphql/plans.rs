//! Plans of root fields: made by the binding, once per shape.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use plectrum_db::Operation;
use plectrum_db::value::Value;
use plectrum_graphql::{Code, Error, RootField};
use plectrum_http::form::Upload;
use plectrum_http::{HeaderName, Request};
use plectrum_schema::{Schema, validate_json, validate_text, validate_texts};
use serde_json::Value as Json;

use super::answer::Answer;
use super::live::Watched;
use super::resolve::Resolved;
use crate::database::Database;
use crate::endpoint::Call;
use crate::gate::authority::Head;
use crate::gate::identity::Identity;
use crate::native::Zones;
use crate::values::{Enums, ValueSink};

/// Makes the plans of a graph's root fields. Implemented by the binding.
pub trait Planner {
    /// The plan of a shape (see `plectrum_graphql::lower`).
    ///
    /// # Errors
    /// Why there is none.
    fn plan(&self, shape: &str) -> Result<Plan, Refusal>;

    /// Asks the function of a field for its values.
    ///
    /// * `ty`, `field`: name of the object type, and of its field;
    /// * `parents`: JSON arrays, one for each object: its key, and what else the function wants of it.
    ///
    /// # Errors
    /// Why there are none.
    fn resolve<'a>(
        &'a self,
        ty: &'a str,
        field: &'a str,
        parents: String,
        viewer: &'a Viewer,
    ) -> LocalBoxFuture<'a, Result<Vec<Resolved>, Refusal>>;

    /// Calls the function that answers a root field.
    ///
    /// # Errors
    /// Why it has no answer.
    fn call<'a>(
        &'a self,
        kind: Kind,
        field: &'a RootField,
        viewer: &'a Viewer,
    ) -> LocalBoxFuture<'a, Result<Answer, Refusal>>;

    /// What feeds a field of `Subscription`.
    ///
    /// # Errors
    /// Why there is nothing.
    fn subscribe(&self, field: &RootField, viewer: &Viewer) -> Result<Source, Refusal>;
}

/// What an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Hears.
    Subscription,
}

impl Kind {
    /// Name of its root type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Mutation => "Mutation",
            Self::Subscription => "Subscription",
        }
    }
}

/// Where the events of a subscription come from.
pub enum Source {
    /// A function's, one by one; it is told to stop by being dropped.
    Function(LocalBoxStream<'static, Result<Answer, Refusal>>),
    /// The changes of a table.
    Changes(Watched),
}

/// Why a shape cannot be planned.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The client's to mend.
    Input(String),
    /// Not for this client.
    Refused(Code, String),
    /// Ours; the reason is logged already. In development it is shown.
    Fault(Option<String>),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Input(why) => Self::new(Code::BadUserInput, why),
            Refusal::Refused(code, why) => Self::new(code, why),
            Refusal::Fault(why) => {
                Self::new(Code::Internal, why.unwrap_or_else(|| "Internal server error.".to_owned()))
            }
        }
    }
}

/// How one root field is answered.
pub struct Plan {
    /// Statements and what their rows become.
    pub operation: Arc<Operation>,
    /// What they bind.
    pub arguments: Vec<Argument>,
    /// Where it runs.
    pub database: Database,
    /// How datetimes are written.
    pub zones: Zones,
    /// Whether functions give some of its fields.
    pub resolves: bool,
    /// What has to live as long as the plan.
    pub kept: Box<dyn Any>,
}

/// One argument of a plan.
#[derive(Debug)]
pub struct Argument {
    /// For people.
    pub name: String,
    /// What it must look like.
    pub schema: Arc<Schema>,
    /// Whether it is read as text: ids and big integers are strings, whatever they are to the database.
    pub text: bool,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an argument comes from.
#[derive(Debug)]
pub enum Origin {
    /// The shape's value of the same number.
    Given,
    /// A header.
    Header(HeaderName),
    /// Who makes the request.
    Subject,
    /// A claim of who makes the request.
    Claim(String),
    /// Nowhere: the plan does not ask for it.
    Unused,
}

/// Who makes a request, and what it brings besides its document.
#[derive(Clone)]
pub struct Viewer {
    /// The request without its body.
    pub head: Head,
    /// Who makes it, where the route has a gate.
    pub identity: Option<Arc<Identity>>,
    /// What a WebSocket's client said of itself, as JSON.
    pub params: Option<Rc<str>>,
    /// Files of a form, as its variables number them.
    pub files: Rc<[Upload]>,
}

impl Viewer {
    /// Who makes a call.
    pub(super) fn of(call: Call) -> Self {
        let Call { request, identity, form, .. } = call;
        let Request { method, uri, headers, peer, secure, .. } = request;
        let files = form.map(|form| form.files.into_iter().map(|(_, upload)| upload).collect());
        Self {
            head: Head { method, uri, headers, peer, secure },
            identity,
            params: None,
            files: files.unwrap_or_default(),
        }
    }
}

impl Plan {
    /// What a request binds.
    ///
    /// # Errors
    /// The numbers of the values that are none of their types', and what is wrong with each.
    pub(super) fn bind(
        &self,
        values: &[Box<[u8]>],
        viewer: &Viewer,
    ) -> Result<Vec<Value>, Vec<(usize, Error)>> {
        let mut failing = Vec::new();
        let mut bound = Vec::with_capacity(self.arguments.len());
        for (index, argument) in self.arguments.iter().enumerate() {
            match argument.read(values.get(index).map(AsRef::as_ref), viewer) {
                Ok(value) => bound.push(value),
                Err(error) => failing.push((index, error)),
            }
        }
        if failing.is_empty() { Ok(bound) } else { Err(failing) }
    }
}

impl Argument {
    fn read(&self, value: Option<&[u8]>, viewer: &Viewer) -> Result<Value, Error> {
        if !matches!(self.origin, Origin::Given) {
            // Whoever cannot say who they are is nobody: comparisons with NULL let no row pass.
            return Ok(self.read_of(viewer).unwrap_or(Value::Null));
        }
        let enums = Enums::default();
        let mut sink = ValueSink::new(&enums);
        let read = match value {
            Some(json) if self.text => read_text(&self.schema, json, &mut sink),
            Some(json) => validate_json(&self.schema, json, &mut sink),
            None => return Ok(Value::Null),
        };
        read.map_err(|errors| {
            let why = errors.first().map_or("it has another type", |error| &*error.message);
            Error::new(Code::BadUserInput, format!("The value of {} cannot be used: {why}.", self.name))
        })
    }

    /// The value as the request's maker has it.
    fn read_of(&self, viewer: &Viewer) -> Option<Value> {
        let enums = Enums::default();
        let mut sink = ValueSink::new(&enums);
        let identity = viewer.identity.as_deref();
        match &self.origin {
            Origin::Header(name) => {
                validate_text(&self.schema, viewer.head.headers.get(name)?.to_str().ok()?, &mut sink).ok()
            }
            Origin::Subject => validate_text(&self.schema, identity?.subject()?, &mut sink).ok(),
            Origin::Claim(name) => {
                validate_json(&self.schema, identity?.claim(name)?.to_string().as_bytes(), &mut sink).ok()
            }
            Origin::Given | Origin::Unused => None,
        }
    }
}

/// A JSON string or number, or a list of them, as text.
fn read_text(
    schema: &Schema,
    json: &[u8],
    sink: &mut ValueSink<'_>,
) -> Result<Value, Vec<plectrum_schema::Error>> {
    let text = |value: Json| match value {
        Json::String(text) => text,
        other => other.to_string(),
    };
    match serde_json::from_slice(json).unwrap_or(Json::Null) {
        Json::Array(items) => {
            let texts: Vec<String> = items.into_iter().map(text).collect();
            validate_texts(schema, &texts.iter().map(String::as_str).collect::<Vec<_>>(), sink)
        }
        single => validate_text(schema, &text(single), sink),
    }
}

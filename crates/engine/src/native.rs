//! The native endpoint: arguments → statement → JSON, without the binding.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_db::cursor::Signer;
use plectrum_db::error::Error;
use plectrum_db::value::Value;
use plectrum_db::zone::Zone;
use plectrum_db::{Context, Operation, Outcome, buffer};
use plectrum_http::{
    Body, HeaderMap, HeaderValue, Method, Reply, Response, StatusCode, Uri, conditional, header, problem,
};
use plectrum_schema::{Schema, validate_json};

use crate::blueprint::{self, Route};
use crate::database::Database;
use crate::endpoint::{Call, Endpoint, Reads};
use crate::error;
use crate::extract::{Extractor, Slots};
use crate::values::{Enums, ValueSink};
use crate::variants::{Planner, Plans};

/// Zones of an alias, for writing aware datetimes.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    /// What they are written in.
    pub current: Zone,
    /// The database session's.
    pub session: Zone,
}

/// Answers a native route.
pub struct Native(Rc<Inner>);

struct Inner {
    name: String,
    status: StatusCode,
    extractor: Extractor,
    enums: Enums,
    /// Stand in for absent arguments.
    defaults: Vec<Value>,
    plans: Plans,
    database: Database,
    zones: Zones,
    signer: Option<Arc<Signer>>,
    /// The request's address is needed for links.
    links: bool,
    /// Answers to GET carry a tag of their bytes.
    etags: bool,
    /// What an execution may take.
    limit: Option<Duration>,
}

/// What a native endpoint is made of besides its route.
pub struct Parts {
    /// Its arguments.
    pub extractor: Extractor,
    /// The plan without variations.
    pub operation: Arc<Operation>,
    /// Makes the others.
    pub planner: Rc<dyn Planner>,
    /// Where it runs.
    pub database: Database,
    /// How datetimes are written.
    pub zones: Zones,
    /// Signs and reads cursors.
    pub signer: Option<Arc<Signer>>,
}

impl Native {
    /// An endpoint for `route`, whose `native` part is `native`.
    #[must_use]
    pub fn new(route: &Route, native: &blueprint::Native, parts: Parts) -> Self {
        let enums = Enums::of(route);
        Self(Rc::new(Inner {
            name: route.name.clone(),
            status: StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
            extractor: parts.extractor,
            defaults: route.parameters.iter().map(|parameter| default_of(parameter, &enums)).collect(),
            enums,
            plans: Plans::new(route, native, parts.operation, parts.planner),
            database: parts.database,
            zones: parts.zones,
            signer: parts.signer,
            links: native.links,
            etags: false,
            limit: route.statement_limit(),
        }))
    }

    /// The same endpoint, whose answers to GET carry an `ETag` where `on`, and 304 instead of what the client has.
    #[must_use]
    pub fn with_etags(mut self, on: bool) -> Self {
        if let Some(inner) = Rc::get_mut(&mut self.0) {
            inner.etags = on;
        }
        self
    }
}

/// A default has passed no validation yet; its type's reading is taken, as a request's would be, where it fits.
fn default_of(parameter: &blueprint::Parameter, enums: &Enums) -> Value {
    let Some(default) = parameter.default.as_ref().filter(|default| !default.is_null()) else {
        return Value::Null;
    };
    let read = |schema: &Arc<Schema>| {
        validate_json(schema, default.to_string().as_bytes(), &mut ValueSink::new(enums))
    };
    match parameter.schema.as_ref().map(read) {
        Some(Ok(value)) => value,
        _ => plain(default),
    }
}

fn plain(default: &serde_json::Value) -> Value {
    match default {
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Text(number.to_string()), Value::Int)
        }
        _ => Value::Null,
    }
}

impl Endpoint for Native {
    fn call(&self, call: Box<Call>) -> Reply {
        let mut slots = match self.0.extractor.extract(&call, &mut ValueSink::new(&self.0.enums)) {
            Ok(slots) => slots,
            Err(refusal) => return error::of_refusal(&refusal).into(),
        };
        let operation = match self.0.plans.choose(&mut slots, self.0.signer.as_deref()) {
            Ok(operation) => operation,
            Err(response) => return (*response).into(),
        };
        let url = if self.0.links {
            address(&call.request.uri, call.request.headers.get(header::HOST), call.request.secure)
        } else {
            String::new()
        };
        let context = Context {
            zone: call.zone.unwrap_or_else(|| self.0.zones.current.clone()),
            session: self.0.zones.session.clone(),
            url,
            signer: self.0.signer.clone(),
            failures: None,
        };
        let args = self.0.args(slots);
        let inner = Rc::clone(&self.0);
        // The methods of one route are those of GET.
        let conditions = self.0.etags.then_some((call.request.method, call.request.headers));
        Reply::pending(async move {
            let outcome = inner.database.run_within(inner.limit, &operation, args, context).await;
            let response = respond(outcome, inner.status, &inner.name);
            match conditions {
                Some((method, headers)) => tagged(response, &method, &headers),
                None => response,
            }
        })
    }

    fn reads(&self) -> Reads {
        self.0.extractor.reads()
    }
}

impl Inner {
    fn args(&self, slots: Slots<Value>) -> Vec<Value> {
        let defaults = self.defaults.iter().map(Some).chain(std::iter::repeat(None));
        let fill = |(slot, default): (Option<Value>, Option<&Value>)| {
            slot.or_else(|| default.cloned()).unwrap_or(Value::Null)
        };
        slots.into_iter().zip(defaults).map(fill).collect()
    }
}

/// An execution's outcome as a response; shared with the queryset way.
#[must_use]
pub fn respond(outcome: Result<Outcome, Error>, status: StatusCode, route: &str) -> Response {
    match outcome {
        Ok(Outcome::Found(bytes)) => {
            let mut response = Response::new(Body::Full(buffer::freeze(bytes)));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Ok(Outcome::NotFound) => problem::of(StatusCode::NOT_FOUND),
        Err(failure) => error::of_database(&failure, route),
    }
}

/// A response with the tag of its bytes, or 304 where the client has them.
#[must_use]
pub fn tagged(mut response: Response, method: &Method, asked: &HeaderMap) -> Response {
    if response.status() != StatusCode::OK || !matches!(*method, Method::GET | Method::HEAD) {
        return response;
    }
    if let Body::Full(bytes) = response.body() {
        let tag = conditional::etag_of(bytes);
        response.headers_mut().insert(header::ETAG, tag);
    }
    conditional::respond(response, method, asked)
}

/// A request's absolute address, as far as it names its host.
#[must_use]
pub fn address(uri: &Uri, host: Option<&HeaderValue>, secure: bool) -> String {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    match host.and_then(|host| host.to_str().ok()) {
        Some(host) => format!("{}://{host}{target}", if secure { "https" } else { "http" }),
        None => target.to_owned(),
    }
}

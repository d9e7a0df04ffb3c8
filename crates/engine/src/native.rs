//! The native endpoint: arguments → statement → JSON, without the binding.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use plectrum_db::error::Error;
use plectrum_db::value::Value;
use plectrum_db::zone::Zone;
use plectrum_db::{Context, Operation, Outcome, buffer};
use plectrum_http::{Body, HeaderValue, Reply, Response, StatusCode, Uri, header, problem};

use crate::blueprint::{self, Route};
use crate::database::Database;
use crate::endpoint::{Call, Endpoint};
use crate::error;
use crate::extract::{Extractor, Slots};
use crate::values::{Enums, ValueSink};

/// Plans of one route kept at most; past that all are forgotten and planned again as they are asked for.
const MAX_VARIANTS: usize = 512;

/// Makes the plans of a route's variations. Implemented by the binding.
pub trait Planner {
    /// The operation for the optional parameters at `present` and a value of the ordering parameter.
    ///
    /// # Errors
    /// The answer to give instead; the reason is logged already.
    fn plan(&self, present: &[usize], ordering: Option<&str>) -> Result<Arc<Operation>, Response>;
}

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
    /// The request's address is needed for links.
    links: bool,
}

/// A route's plans.
enum Plans {
    One(Arc<Operation>),
    Many(Variants),
}

struct Variants {
    optional: Vec<usize>,
    ordering: Option<usize>,
    planner: Rc<dyn Planner>,
    known: RefCell<HashMap<Variant, Arc<Operation>>>,
}

/// Bit `n`: the nth optional parameter is there.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Variant {
    present: u64,
    ordering: Option<String>,
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
}

impl Native {
    /// An endpoint for `route`, whose `native` part is `native`.
    #[must_use]
    pub fn new(route: &Route, native: &blueprint::Native, parts: Parts) -> Self {
        let varies = !native.optional.is_empty() || native.ordering.is_some();
        let plans = if varies {
            Plans::Many(Variants {
                optional: native.optional.clone(),
                ordering: native.ordering,
                planner: parts.planner,
                known: RefCell::new(HashMap::from([(Variant { present: 0, ordering: None }, parts.operation)])),
            })
        } else {
            Plans::One(parts.operation)
        };
        Self(Rc::new(Inner {
            name: route.name.clone(),
            status: StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
            extractor: parts.extractor,
            enums: Enums::of(route),
            defaults: route.parameters.iter().map(default_of).collect(),
            plans,
            database: parts.database,
            zones: parts.zones,
            links: native.links,
        }))
    }
}

fn default_of(parameter: &blueprint::Parameter) -> Value {
    match &parameter.default {
        Some(serde_json::Value::Bool(value)) => Value::Bool(*value),
        Some(serde_json::Value::String(text)) => Value::Text(text.clone()),
        Some(serde_json::Value::Number(number)) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Text(number.to_string()),
        },
        _ => Value::Null,
    }
}

impl Endpoint for Native {
    fn call(&self, call: Call) -> Reply {
        let slots = match self.0.extractor.extract(&call, &mut ValueSink::new(&self.0.enums)) {
            Ok(slots) => slots,
            Err(refusal) => return error::of_refusal(&refusal).into(),
        };
        let operation = match self.0.plans.choose(&slots) {
            Ok(operation) => operation,
            Err(response) => return response.into(),
        };
        let url = if self.0.links { address(&call.request.uri, call.request.headers.get(header::HOST)) } else { String::new() };
        let context = Context { zone: self.0.zones.current.clone(), session: self.0.zones.session.clone(), url };
        let args = self.0.args(slots);
        let inner = Rc::clone(&self.0);
        Reply::pending(async move {
            let outcome = inner.database.run(&operation, args, context).await;
            respond(outcome, inner.status, &inner.name)
        })
    }

    fn reads_body(&self) -> bool {
        self.0.extractor.reads_body()
    }
}

impl Inner {
    fn args(&self, slots: Slots<Value>) -> Vec<Value> {
        let fill = |(slot, default): (Option<Value>, &Value)| slot.unwrap_or_else(|| default.clone());
        slots.into_iter().zip(&self.defaults).map(fill).collect()
    }
}

impl Plans {
    fn choose(&self, slots: &Slots<Value>) -> Result<Arc<Operation>, Response> {
        match self {
            Self::One(operation) => Ok(Arc::clone(operation)),
            Self::Many(variants) => variants.choose(slots),
        }
    }
}

impl Variants {
    fn choose(&self, slots: &Slots<Value>) -> Result<Arc<Operation>, Response> {
        let is_present = |index: &usize| slots.get(*index).is_some_and(Option::is_some);
        let bits = self.optional.iter().enumerate().filter(|(_, index)| is_present(index));
        let ordering = match self.ordering.and_then(|index| slots.get(index)) {
            Some(Some(Value::Text(field))) => Some(field.clone()),
            _ => None,
        };
        let variant = Variant { present: bits.fold(0, |set, (bit, _)| set | 1 << (bit % 64)), ordering };
        if let Some(operation) = self.known.borrow().get(&variant) {
            return Ok(Arc::clone(operation));
        }
        let present: Vec<usize> = self.optional.iter().copied().filter(|index| is_present(index)).collect();
        let operation = self.planner.plan(&present, variant.ordering.as_deref())?;
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_VARIANTS {
            known.clear();
        }
        known.insert(variant, Arc::clone(&operation));
        Ok(operation)
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

/// A request's absolute address, as far as it names its host.
#[must_use]
pub fn address(uri: &Uri, host: Option<&HeaderValue>) -> String {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    match host.and_then(|host| host.to_str().ok()) {
        Some(host) => format!("http://{host}{target}"),
        None => target.to_owned(),
    }
}

//! `App`: routes to endpoints; the one pipeline of tests, development and production.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use plectrum_http::form::Limits;
use plectrum_http::middleware::cors::{self, Policy};
use plectrum_http::middleware::{Edge, EdgeConfig};
use plectrum_http::router::{Pattern, RouteError, TrailingSlash};
use plectrum_http::{
    Body, HeaderMap, HeaderValue, Match, Method, Reply, Request, Response, Router, RouterBuilder, Service,
    StatusCode, header, problem,
};

use crate::blueprint::{Blueprint, Route};
use crate::budget::{self, Budget, Budgets};
use crate::cache::{self, Keeper};
use crate::docs;
use crate::endpoint::{Call, Endpoint, PathValues};
use crate::extract::Extractor;
use crate::gate::authority::Authority;
use crate::gate::{Gate, Gates, Nobody as NoAuthority, Pass, spec, throttle};
use crate::observe::{self, Observer, trip};
use crate::reading::{self, Allowance};
use crate::shape::Shape;
use crate::statics;

/// An API on one worker.
pub struct App {
    router: Router<Rc<Place>>,
    /// Sites mounted beside the API, asked about paths that are none of its own.
    mounts: Option<Router<Rc<Place>>>,
    /// WebSockets of those, at the same paths.
    sockets: Option<Router<Rc<Place>>>,
    errors: Shape,
    edge: Option<Rc<Edge>>,
    /// Whether routes have policies of their own for pages of other origins.
    own_cors: bool,
    observer: Option<Rc<Observer>>,
}

/// Who answers on a route, and what stands before.
struct Place {
    endpoint: Rc<dyn Endpoint>,
    gate: Option<Rc<Gate>>,
    allowance: Allowance,
    cors: Option<Rc<Policy>>,
    /// Where its requests are counted.
    slot: usize,
    budgets: Option<Budgets>,
}

impl Place {
    fn open(endpoint: Rc<dyn Endpoint>, form: &Rc<Limits>) -> Rc<Self> {
        Self::behind(None, endpoint, form)
    }

    fn behind(gate: Option<Rc<Gate>>, endpoint: Rc<dyn Endpoint>, form: &Rc<Limits>) -> Rc<Self> {
        let (allowance, slot) = (Allowance::nothing(form), observe::BUILT_IN);
        Rc::new(Self { endpoint, gate, allowance, cors: None, slot, budgets: None })
    }
}

/// What an app is built with besides its blueprint.
#[derive(Debug, Clone)]
pub struct Options {
    /// What a path that differs only by its last slash gets.
    pub slash: TrailingSlash,
    /// Bytes of a request body at most, where its route says nothing else.
    pub max_body: usize,
    /// What forms may hold.
    pub form: Limits,
    /// Whether documents are served.
    pub docs: bool,
    /// How error bodies look.
    pub errors: Shape,
    /// Where requests are counted.
    pub throttle: throttle::Options,
    /// What every request and answer passes.
    pub edge: EdgeConfig,
    /// Where answers are kept.
    pub cache: cache::Options,
    /// How many requests to routes are answered at once.
    pub budget: Option<budget::Spec>,
    /// What an answer may take, where its route says nothing else.
    pub timeout: Option<Duration>,
    /// Paths of what is served besides routes and documents.
    pub built_in: Vec<String>,
}

/// What an app has besides its routes.
pub struct Beside {
    /// Decides what only the binding can.
    pub authority: Rc<dyn Authority>,
    /// Sees all requests.
    pub observer: Option<Rc<Observer>>,
    /// Who answers on each of [`Options::built_in`].
    pub endpoints: Vec<(String, Rc<dyn Endpoint>)>,
}

impl Default for Beside {
    fn default() -> Self {
        Self { authority: Rc::new(NoAuthority), observer: None, endpoints: Vec::new() }
    }
}

/// Why an API cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// Index of the route at fault in the blueprint; none where it is a document's.
    pub route: Option<usize>,
    /// The route that was there first, where two are in each other's way.
    pub other: Option<usize>,
    /// A sentence for the user.
    pub reason: String,
}

impl App {
    /// Compiles routes and registers an endpoint for each; `endpoint` makes them.
    ///
    /// # Errors
    /// [`BuildError`]: a malformed or conflicting path, a parameter that is not in it, or what `endpoint` said.
    pub fn build(
        blueprint: &Blueprint,
        options: &Options,
        endpoint: impl FnMut(usize, &Route, Extractor) -> Result<Rc<dyn Endpoint>, String>,
    ) -> Result<Self, BuildError> {
        let endpoints = options.built_in.iter().map(|path| (path.clone(), Rc::new(Nobody) as _)).collect();
        Self::build_with(blueprint, options, Beside { endpoints, ..Beside::default() }, endpoint)
    }

    /// [`App::build`], with what the binding puts beside it.
    ///
    /// # Errors
    /// [`BuildError`], also of a gate.
    pub fn build_with(
        blueprint: &Blueprint,
        options: &Options,
        beside: Beside,
        mut endpoint: impl FnMut(usize, &Route, Extractor) -> Result<Rc<dyn Endpoint>, String>,
    ) -> Result<Self, BuildError> {
        let gates = gates(blueprint, options, beside.authority)?;
        let form = Rc::new(options.form.clone());
        let mut router = RouterBuilder::new();
        router.trailing_slash(options.slash);
        let (mut mounts, mut sockets) = (None, None);
        let shared = options.budget.map(Budget::new);
        let keeper = keeper(blueprint, options)?;
        for (index, route) in blueprint.routes.iter().enumerate() {
            let at_fault = |reason| BuildError { route: Some(index), other: None, reason };
            let (method, extractor) = compile(route).map_err(at_fault)?;
            let extractor = extractor.beside(blueprint.security.query_names(route.gate.as_ref()));
            let endpoint = endpoint(index, route, extractor).map_err(at_fault)?;
            let endpoint = match &keeper {
                Some(keeper) => {
                    keeper.around(endpoint, route.cache.as_ref(), route.once.as_ref()).map_err(at_fault)?
                }
                None => endpoint,
            };
            let allowance = Allowance::of(route, options.max_body, options.timeout, &form);
            let gate = gate_of(gates.as_ref(), route).map_err(at_fault)?;
            let cors = route.cors.as_ref().map(|cors| Policy::new(cors).map(Rc::new));
            let cors = cors.transpose().map_err(at_fault)?;
            let (slot, budgets) = (observe::slot_of(index), budgets(route, shared.as_ref()));
            let place = Rc::new(Place { endpoint, gate, allowance, cors, slot, budgets });
            let builder = match (route.mounted, &route.websocket) {
                (false, _) => &mut router,
                (true, None) => mounts.get_or_insert_with(RouterBuilder::new),
                (true, Some(_)) => sockets.get_or_insert_with(RouterBuilder::new),
            };
            builder.route(method, &route.path, place).map_err(|error| BuildError {
                other: first_of(&error, &blueprint.routes),
                ..at_fault(error.to_string())
            })?;
        }
        for mount in &blueprint.statics {
            let at_fault = |reason| BuildError { route: None, other: None, reason };
            for (path, endpoint) in statics::endpoints(mount).map_err(at_fault)? {
                router
                    .route(Method::GET, &path, Place::open(endpoint, &form))
                    .map_err(|error| at_fault(format!("static files at `{}`: {error}", mount.path)))?;
            }
        }
        for (path, endpoint) in beside.endpoints {
            router.route(Method::GET, &path, Place::open(endpoint, &form)).map_err(|error| BuildError {
                route: first_of(&error, &blueprint.routes),
                other: None,
                reason: format!(
                    "`{path}` is served already, as a setting says: give the route another path, or change METRICS_PATH, \
                     HEALTH_PATH or READY_PATH"
                ),
            })?;
        }
        if options.docs {
            let at_fault = |reason| BuildError { route: None, other: None, reason };
            let gate = docs_gate(gates.as_ref(), blueprint).map_err(at_fault)?;
            for (path, endpoint) in docs::endpoints(blueprint) {
                let place = Place::behind(gate.clone(), Rc::from(endpoint), &form);
                router.route(Method::GET, &path, place).map_err(|error| BuildError {
                    route: first_of(&error, &blueprint.routes),
                    other: None,
                    reason: format!(
                        "a document is served at `{path}` already: give the route another path, or the document \
                         (openapi_url=, docs_url=, redoc_url=)"
                    ),
                })?;
            }
        }
        let own_cors = blueprint.routes.iter().any(|route| route.cors.is_some());
        let edge = Edge::compile(&options.edge, own_cors);
        let edge = edge.map_err(|reason| BuildError { route: None, other: None, reason })?;
        Ok(Self {
            router: router.build(),
            mounts: mounts.map(RouterBuilder::build),
            sockets: sockets.map(RouterBuilder::build),
            errors: options.errors,
            edge,
            own_cors,
            observer: beside.observer,
        })
    }

    /// What [`App::build`] would say of the routes, without their endpoints.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn check(blueprint: &Blueprint, options: &Options) -> Result<(), BuildError> {
        Self::build(blueprint, options, |_, _, _| Ok(Rc::new(Nobody))).map(drop)
    }
}

/// What keeps answers, where any route wants that.
fn keeper(blueprint: &Blueprint, options: &Options) -> Result<Option<Rc<Keeper>>, BuildError> {
    let wanted = blueprint.routes.iter().any(|route| route.cache.is_some() || route.once.is_some());
    let keeper = wanted.then(|| Keeper::new(&options.cache)).transpose();
    keeper.map_err(|reason| BuildError { route: None, other: None, reason })
}

/// A route's own budget, then everybody's: who waits for a crowded route takes nobody else's place.
fn budgets(route: &Route, shared: Option<&Rc<Budget>>) -> Option<Budgets> {
    let found: Vec<_> = route.concurrency.map(Budget::new).into_iter().chain(shared.cloned()).collect();
    (!found.is_empty()).then(|| found.into())
}

/// Lets a call into its route's budgets, where there are some.
fn enter(place: &Rc<Place>, call: Call) -> Reply {
    match &place.budgets {
        None => admit(place, call),
        Some(budgets) => {
            let place = Rc::clone(place);
            budget::within(budgets, move || admit(&place, call))
        }
    }
}

/// Lets a call pass its route's gate, then answers it.
fn admit(place: &Place, call: Call) -> Reply {
    let Some(gate) = &place.gate else { return reading::answer(&place.endpoint, call, &place.allowance) };
    if place.endpoint.introduces(&call) {
        return place.endpoint.call(Call { gate: Some(Rc::clone(gate)), ..call });
    }
    match gate.pass(call) {
        Pass::Refused(response) => response.into(),
        Pass::Open(call, quota) => shown(reading::answer(&place.endpoint, call, &place.allowance), quota),
        Pass::Pending(visit) => {
            let (endpoint, allowance) = (Rc::clone(&place.endpoint), place.allowance.clone());
            Reply::pending(async move {
                match visit.await {
                    Ok((call, quota)) => {
                        settled(shown(reading::answer(&endpoint, call, &allowance), quota)).await
                    }
                    Err(response) => response,
                }
            })
        }
    }
}

/// The reply with what is left of a limit, where there is one.
fn shown(reply: Reply, quota: Option<throttle::Quota>) -> Reply {
    match (quota, reply) {
        (None, reply) => reply,
        (Some(quota), Reply::Ready(mut response)) => {
            quota.show(&mut response);
            response.into()
        }
        (Some(quota), Reply::Pending(pending)) => Reply::pending(async move {
            let mut response = pending.await;
            quota.show(&mut response);
            response
        }),
    }
}

/// Waits for a reply.
pub(crate) async fn settled(reply: Reply) -> Response {
    match reply {
        Reply::Ready(response) => response,
        Reply::Pending(pending) => pending.await,
    }
}

/// What gates share, where there are any.
fn gates(
    blueprint: &Blueprint,
    options: &Options,
    authority: Rc<dyn Authority>,
) -> Result<Option<Rc<Gates>>, BuildError> {
    let at_fault = |reason| BuildError { route: None, other: None, reason };
    let open = blueprint.docs.gate.is_none() && blueprint.routes.iter().all(|route| route.gate.is_none());
    if options.throttle.usual.is_empty() && open {
        return Ok(None);
    }
    let gates = Gates::compile(blueprint.security.clone(), authority, &options.throttle, options.max_body);
    gates.map(|gates| Some(Rc::new(gates))).map_err(at_fault)
}

/// A route's gate; one without a word of its own has the usual limits.
fn gate_of(gates: Option<&Rc<Gates>>, route: &Route) -> Result<Option<Rc<Gate>>, String> {
    let Some(gates) = gates else { return Ok(None) };
    let usual = spec::Gate::default();
    let gate = gates.gate(route.gate.as_ref().unwrap_or(&usual))?;
    Ok((!gate.is_open()).then(|| Rc::new(gate)))
}

/// What stands before the documents, whom the usual limits do not count.
fn docs_gate(gates: Option<&Rc<Gates>>, blueprint: &Blueprint) -> Result<Option<Rc<Gate>>, String> {
    let (Some(gates), Some(gate)) = (gates, &blueprint.docs.gate) else { return Ok(None) };
    let gate = gates.gate(gate)?;
    Ok((!gate.is_open()).then(|| Rc::new(gate)))
}

/// Holds the place of an endpoint while routes are checked.
struct Nobody;

impl Endpoint for Nobody {
    fn call(&self, _call: Call) -> Reply {
        problem::of(StatusCode::NOT_FOUND).into()
    }
}

/// What a route says about its requests.
fn compile(route: &Route) -> Result<(Method, Extractor), String> {
    let method = Method::from_bytes(route.method.as_bytes())
        .map_err(|_| format!("{:?} is not an HTTP method", route.method))?;
    let pattern = Pattern::parse(&route.path).map_err(|error| format!("route `{}`: {error}", route.path))?;
    let names: Vec<&str> = pattern.params().iter().map(|param| &*param.name).collect();
    let extractor = Extractor::compile(route, &names)
        .map_err(|error| format!("route `{} {}`: {error}", route.method, route.path))?;
    Ok((method, extractor))
}

/// The route that another one would have hidden.
fn first_of(error: &RouteError, routes: &[Route]) -> Option<usize> {
    let RouteError::Duplicate { method, existing, .. } = error else { return None };
    routes.iter().position(|route| route.method == method.as_str() && *route.path == **existing)
}

impl Service for App {
    fn call(&self, request: Request) -> Reply {
        match &self.observer {
            None => self.pass(request),
            Some(observer) => observer.watch(request, |request| self.pass(request)),
        }
    }
}

impl App {
    /// Through the edge to whoever answers, and back.
    fn pass(&self, mut request: Request) -> Reply {
        let Some(edge) = &self.edge else {
            self.identify(&mut request, None, false);
            return self.errors.apply(self.answer(request));
        };
        let (mut seen, refused) = edge.admit(&mut request);
        self.identify(&mut request, seen.id(), seen.trusted);
        if let Some(response) = refused {
            return edge.finished(seen, self.errors.apply(response.into()));
        }
        if let Some(method) = cors::preflight_for(&request)
            && let Some(policy) = self.policy(&method, request.path(), seen.cors.as_ref())
        {
            let response = policy.preflight(&request, self.methods_of(request.path()));
            seen.cors = None;
            return edge.finished(seen, response.into());
        }
        if self.own_cors {
            seen.cors = self.policy(&request.method, request.path(), seen.cors.as_ref());
        }
        edge.finished(seen, self.errors.apply(self.answer(request)))
    }

    fn identify(&self, request: &mut Request, id: Option<&HeaderValue>, trusted: bool) {
        if let Some(observer) = &self.observer {
            observer.identify(request, id, trusted);
        }
    }

    /// Whose pages may read what a route answers: the route's own word, or everybody's.
    fn policy(&self, method: &Method, path: &str, usual: Option<&Rc<Policy>>) -> Option<Rc<Policy>> {
        match self.find(method, path) {
            Match::Found { endpoint, .. } => endpoint.cors.as_ref().or(usual).cloned(),
            _ => usual.cloned(),
        }
    }

    fn methods_of(&self, path: &str) -> Option<HeaderValue> {
        match self.find(&Method::OPTIONS, path) {
            Match::Options { allow } => Some(allow),
            _ => None,
        }
    }

    /// Who answers: a path of the API is the API's with all methods, every other one may be a mounted site's.
    fn find<'r, 'p>(&'r self, method: &'r Method, path: &'p str) -> Match<'r, 'p, Rc<Place>> {
        match (self.router.find(method, path), &self.mounts) {
            (own @ (Match::NotFound | Match::Redirect { .. }), Some(mounts)) => {
                match mounts.find(method, path) {
                    Match::NotFound => own,
                    mounted => mounted,
                }
            }
            (own, _) => own,
        }
    }

    /// As [`Self::find`]; a mounted application's WebSockets are at the paths of its pages.
    fn find_for<'r>(&'r self, request: &'r Request) -> Match<'r, 'r, Rc<Place>> {
        if let Some(sockets) = &self.sockets
            && asks_for_socket(&request.headers)
            && let Match::NotFound | Match::Redirect { .. } =
                self.router.find(&request.method, request.path())
        {
            return sockets.find(&request.method, request.path());
        }
        self.find(&request.method, request.path())
    }

    fn answer(&self, request: Request) -> Reply {
        let (place, path) = match self.find_for(&request) {
            Match::Found { endpoint, params, .. } => {
                (Rc::clone(endpoint), PathValues::new(request.path(), params.into_values()))
            }
            Match::NotFound => return problem::of(StatusCode::NOT_FOUND).into(),
            Match::Malformed => return problem::of(StatusCode::BAD_REQUEST).into(),
            Match::Options { allow } => return allowing(empty(StatusCode::NO_CONTENT), allow),
            Match::MethodNotAllowed { allow } => {
                return allowing(problem::of(StatusCode::METHOD_NOT_ALLOWED), allow);
            }
            Match::Redirect { path } => return redirect(&path, request.uri.query()).into(),
        };
        if self.observer.is_some() {
            trip::routed(place.slot);
        }
        let (form, identity, zone, gate) = (None, None, None, None);
        enter(&place, Call { request, path, body: Bytes::new(), form, identity, zone, gate })
    }
}

/// Whether a request asks for a WebSocket (RFC 6455, section 4.2.1).
fn asks_for_socket(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// To the same address with another slash at the end of its path.
fn redirect(path: &str, query: Option<&str>) -> Response {
    let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    match HeaderValue::try_from(location) {
        Ok(location) => with_header(empty(StatusCode::PERMANENT_REDIRECT), header::LOCATION, location),
        Err(_) => problem::of(StatusCode::BAD_REQUEST),
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}

fn allowing(response: Response, methods: HeaderValue) -> Reply {
    with_header(response, header::ALLOW, methods).into()
}

fn with_header(mut response: Response, name: header::HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

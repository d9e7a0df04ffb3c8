//! Blueprint → [`App`]: every route compiled, every mistake found.

use std::rc::Rc;
use std::time::Duration;

use plectrum_http::form::Limits;
use plectrum_http::middleware::cors::Policy;
use plectrum_http::middleware::{Edge, EdgeConfig};
use plectrum_http::router::{Pattern, RouteError, TrailingSlash};
use plectrum_http::{Method, Reply, RouterBuilder, StatusCode, problem};

use super::{App, Place};
use crate::blueprint::{Blueprint, Route};
use crate::budget::{self, Budget, Budgets};
use crate::cache::{self, Keeper};
use crate::docs;
use crate::endpoint::{Call, Endpoint};
use crate::extract::Extractor;
use crate::gate::authority::Authority;
use crate::gate::{Gate, Gates, Nobody as NoAuthority, spec, throttle};
use crate::observe::{self, Observer};
use crate::openapi::Shown;
use crate::reading::Allowance;
use crate::shape::Shape;
use crate::statics;
use crate::versions::Versions;

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
        let mut plan = Plan::new(blueprint, options, beside.authority)?;
        for (index, route) in blueprint.routes.iter().enumerate() {
            plan.route(index, route, &mut endpoint)?;
        }
        plan.statics()?;
        plan.built_in(beside.endpoints)?;
        if options.docs {
            plan.documents()?;
        }
        plan.finish(beside.observer)
    }

    /// What [`App::build`] would say of the routes, without their endpoints.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn check(blueprint: &Blueprint, options: &Options) -> Result<(), BuildError> {
        Self::build(blueprint, options, |_, _, _| Ok(Rc::new(Nobody))).map(drop)
    }
}

/// An app in the making.
struct Plan<'a> {
    blueprint: &'a Blueprint,
    options: &'a Options,
    gates: Option<Rc<Gates>>,
    keeper: Option<Rc<Keeper>>,
    budget: Option<Rc<Budget>>,
    form: Rc<Limits>,
    router: RouterBuilder<Rc<Place>>,
    /// By name, in the blueprint's order.
    versions: Vec<(&'a str, RouterBuilder<Rc<Place>>)>,
    mounts: Option<RouterBuilder<Rc<Place>>>,
    sockets: Option<RouterBuilder<Rc<Place>>>,
}

impl<'a> Plan<'a> {
    fn new(
        blueprint: &'a Blueprint,
        options: &'a Options,
        authority: Rc<dyn Authority>,
    ) -> Result<Self, BuildError> {
        let router = || {
            let mut router = RouterBuilder::new();
            router.trailing_slash(options.slash);
            router
        };
        let versions = blueprint.versioning.iter().flat_map(|versioning| &versioning.versions);
        Ok(Self {
            blueprint,
            options,
            gates: gates(blueprint, options, authority)?,
            keeper: keeper(blueprint, options)?,
            budget: options.budget.map(Budget::new),
            form: Rc::new(options.form.clone()),
            router: router(),
            versions: versions.map(|name| (name.as_str(), router())).collect(),
            mounts: None,
            sockets: None,
        })
    }

    fn route(
        &mut self,
        index: usize,
        route: &Route,
        make: &mut impl FnMut(usize, &Route, Extractor) -> Result<Rc<dyn Endpoint>, String>,
    ) -> Result<(), BuildError> {
        let at_fault = |reason| BuildError { route: Some(index), other: None, reason };
        let (method, extractor) = compile(route).map_err(at_fault)?;
        let extractor = extractor.beside(self.blueprint.security.query_names(route.gate.as_ref()));
        let endpoint = make(index, route, extractor).map_err(at_fault)?;
        let place = Rc::new(self.place(index, route, endpoint).map_err(at_fault)?);
        let routes = &self.blueprint.routes;
        for router in self.routers_of(route) {
            router.route(method.clone(), &route.path, Rc::clone(&place)).map_err(|error| BuildError {
                other: first_of(&error, routes),
                ..at_fault(error.to_string())
            })?;
        }
        Ok(())
    }

    fn place(&self, index: usize, route: &Route, endpoint: Rc<dyn Endpoint>) -> Result<Place, String> {
        let endpoint = match &self.keeper {
            Some(keeper) => {
                keeper.around(endpoint, route.cache.as_ref(), route.once.as_ref(), &route.versions)?
            }
            None => endpoint,
        };
        let options = self.options;
        Ok(Place {
            endpoint,
            gate: gate_of(self.gates.as_ref(), route)?,
            allowance: Allowance::of(route, options.max_body, options.timeout, &self.form),
            cors: route.cors.as_ref().map(|cors| Policy::new(cors).map(Rc::new)).transpose()?,
            slot: observe::slot_of(index),
            budgets: budgets(route, self.budget.as_ref()),
        })
    }

    fn routers_of(&mut self, route: &Route) -> Vec<&mut RouterBuilder<Rc<Place>>> {
        if !route.versions.is_empty() {
            let has = |name: &str| route.versions.iter().any(|version| version == name);
            let own = self.versions.iter_mut().filter(|(name, _)| has(name));
            return own.map(|(_, router)| router).collect();
        }
        vec![match (route.mounted, &route.websocket) {
            (false, _) => &mut self.router,
            (true, None) => self.mounts.get_or_insert_with(RouterBuilder::new),
            (true, Some(_)) => self.sockets.get_or_insert_with(RouterBuilder::new),
        }]
    }

    fn statics(&mut self) -> Result<(), BuildError> {
        for mount in &self.blueprint.statics {
            for (path, endpoint) in statics::endpoints(mount).map_err(nobodys)? {
                self.router
                    .route(Method::GET, &path, Place::open(endpoint, &self.form))
                    .map_err(|error| nobodys(format!("static files at `{}`: {error}", mount.path)))?;
            }
        }
        Ok(())
    }

    fn built_in(&mut self, endpoints: Vec<(String, Rc<dyn Endpoint>)>) -> Result<(), BuildError> {
        for (path, endpoint) in endpoints {
            let place = Place::open(endpoint, &self.form);
            self.beside(None, &path, place, |path| {
                format!(
                    "`{path}` is served already, as a setting says: give the route another path, or change METRICS_PATH, \
                     HEALTH_PATH or READY_PATH"
                )
            })?;
        }
        Ok(())
    }

    fn documents(&mut self) -> Result<(), BuildError> {
        let gate = docs_gate(self.gates.as_ref(), self.blueprint).map_err(nobodys)?;
        let versions: Vec<_> = match &self.blueprint.versioning {
            None => vec![None],
            Some(versioning) => versioning.versions.iter().enumerate().map(Some).collect(),
        };
        for version in versions {
            let shown = Shown {
                version: version.map(|(_, name)| name.as_str()),
                throttled: !self.options.throttle.usual.is_empty(),
            };
            for (path, endpoint) in docs::endpoints(self.blueprint, shown) {
                let place = Place::behind(gate.clone(), Rc::from(endpoint), &self.form);
                self.beside(version.map(|(number, _)| number), &path, place, |path| {
                    format!(
                        "a document is served at `{path}` already: give the route another path, or the document \
                         (openapi_url=, docs_url=, redoc_url=)"
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Serves what is no route of the user's, in a version or in all; `taken` says what is wrong where one has the path.
    fn beside(
        &mut self,
        version: Option<usize>,
        path: &str,
        place: Rc<Place>,
        taken: fn(&str) -> String,
    ) -> Result<(), BuildError> {
        let own = version.and_then(|number| self.versions.get_mut(number)).map(|(_, router)| router);
        own.unwrap_or(&mut self.router).route(Method::GET, path, place).map(drop).map_err(|error| {
            BuildError { route: first_of(&error, &self.blueprint.routes), other: None, reason: taken(path) }
        })
    }

    fn finish(self, observer: Option<Rc<Observer>>) -> Result<App, BuildError> {
        let own_cors = self.blueprint.routes.iter().any(|route| route.cors.is_some());
        let versions = self.versions.into_iter().map(|(_, router)| router.build()).collect();
        let versioning = self.blueprint.versioning.as_ref();
        Ok(App {
            router: self.router.build(),
            versions: versioning.map(|spec| Versions::new(spec, versions)).transpose().map_err(nobodys)?,
            mounts: self.mounts.map(RouterBuilder::build),
            sockets: self.sockets.map(RouterBuilder::build),
            errors: self.options.errors,
            edge: Edge::compile(&self.options.edge, own_cors).map_err(nobodys)?,
            own_cors,
            observer,
        })
    }
}

/// A mistake that no route made.
fn nobodys(reason: String) -> BuildError {
    BuildError { route: None, other: None, reason }
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

/// What keeps answers, where any route wants that.
fn keeper(blueprint: &Blueprint, options: &Options) -> Result<Option<Rc<Keeper>>, BuildError> {
    let wanted = blueprint.routes.iter().any(|route| route.cache.is_some() || route.once.is_some());
    let keeper = wanted.then(|| Keeper::new(&options.cache)).transpose();
    keeper.map_err(nobodys)
}

/// A route's own budget, then everybody's: who waits for a crowded route takes nobody else's place.
fn budgets(route: &Route, shared: Option<&Rc<Budget>>) -> Option<Budgets> {
    let found: Vec<_> = route.concurrency.map(Budget::new).into_iter().chain(shared.cloned()).collect();
    (!found.is_empty()).then(|| found.into())
}

/// What gates share, where there are any.
fn gates(
    blueprint: &Blueprint,
    options: &Options,
    authority: Rc<dyn Authority>,
) -> Result<Option<Rc<Gates>>, BuildError> {
    let open = blueprint.docs.gate.is_none() && blueprint.routes.iter().all(|route| route.gate.is_none());
    if options.throttle.usual.is_empty() && open {
        return Ok(None);
    }
    let gates = Gates::compile(blueprint.security.clone(), authority, &options.throttle, options.max_body);
    gates.map(|gates| Some(Rc::new(gates))).map_err(nobodys)
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
    fn call(&self, _call: Box<Call>) -> Reply {
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

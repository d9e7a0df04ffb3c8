//! `App`: routes to endpoints; the one pipeline of tests, development and production.
//!
//! * [`build`]: a blueprint becomes an app;
//! * [`admission`]: budgets and gates before an endpoint.

mod admission;
mod build;

use std::rc::Rc;

use bytes::Bytes;
use plectrum_http::middleware::Edge;
use plectrum_http::middleware::cors::{self, Policy};
use plectrum_http::{
    Body, HeaderMap, HeaderValue, Match, Method, Reply, Request, Response, Router, Service, StatusCode,
    header, problem,
};

pub use build::{Beside, BuildError, Options};

use crate::budget::Budgets;
use crate::endpoint::{Call, Endpoint, PathValues};
use crate::gate::Gate;
use crate::observe::{Observer, trip};
use crate::reading::Allowance;
use crate::shape::Shape;
use crate::versions::{self, Versions};

/// An API on one worker.
pub struct App {
    router: Router<Rc<Place>>,
    /// What only some versions have.
    versions: Option<Versions<Rc<Place>>>,
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
            return edge.finished(seen, self.errors.apply((*response).into()));
        }
        if let Some(method) = cors::preflight_for(&request)
            && let Some(policy) = self.policy(self.anywhere(&method, request.path()), seen.cors.as_ref())
        {
            let response = policy.preflight(&request, self.methods_of(request.path()));
            seen.cors = None;
            return edge.finished(seen, response.into());
        }
        if self.own_cors {
            seen.cors = self.policy(self.find_for(&request, self.version(&request)), seen.cors.as_ref());
        }
        edge.finished(seen, self.errors.apply(self.answer(request)))
    }

    fn identify(&self, request: &mut Request, id: Option<&HeaderValue>, trusted: bool) {
        if let Some(observer) = &self.observer {
            observer.identify(request, id, trusted);
        }
    }

    /// Whose pages may read what a route answers: the route's own word, or everybody's.
    fn policy(&self, found: Match<'_, '_, Rc<Place>>, usual: Option<&Rc<Policy>>) -> Option<Rc<Policy>> {
        match found {
            Match::Found { endpoint, .. } => endpoint.cors.as_ref().or(usual).cloned(),
            _ => usual.cloned(),
        }
    }

    fn methods_of(&self, path: &str) -> Option<HeaderValue> {
        match self.anywhere(&Method::OPTIONS, path) {
            Match::Options { allow } => Some(allow),
            _ => None,
        }
    }

    /// Who answers in any version: for browsers that ask beforehand.
    fn anywhere<'r, 'p>(&'r self, method: &'r Method, path: &'p str) -> Match<'r, 'p, Rc<Place>> {
        match self.versions.as_ref().map(|versions| versions.anywhere(method, path)) {
            None | Some(Match::NotFound) => self.find(None, method, path),
            Some(found) => found,
        }
    }

    /// Who answers: a path of the API is the API's with all methods, every other one may be a mounted site's.
    fn find<'r, 'p>(
        &'r self,
        version: Option<&'r Router<Rc<Place>>>,
        method: &'r Method,
        path: &'p str,
    ) -> Match<'r, 'p, Rc<Place>> {
        match (self.own(version, method, path), &self.mounts) {
            (own @ (Match::NotFound | Match::Redirect { .. }), Some(mounts)) => {
                match mounts.find(method, path) {
                    Match::NotFound => own,
                    mounted => mounted,
                }
            }
            (own, _) => own,
        }
    }

    /// Who answers of the API's own: what a version has goes before what all have.
    fn own<'r, 'p>(
        &'r self,
        version: Option<&'r Router<Rc<Place>>>,
        method: &'r Method,
        path: &'p str,
    ) -> Match<'r, 'p, Rc<Place>> {
        let common = self.router.find(method, path);
        match version {
            None => common,
            Some(version) => versions::either(version.find(method, path), common),
        }
    }

    /// As [`Self::find`]; a mounted application's WebSockets are at the paths of its pages.
    fn find_for<'r>(
        &'r self,
        request: &'r Request,
        version: Option<&'r Router<Rc<Place>>>,
    ) -> Match<'r, 'r, Rc<Place>> {
        if let Some(sockets) = &self.sockets
            && asks_for_socket(&request.headers)
            && let Match::NotFound | Match::Redirect { .. } =
                self.own(version, &request.method, request.path())
        {
            return sockets.find(&request.method, request.path());
        }
        self.find(version, &request.method, request.path())
    }

    fn answer(&self, request: Request) -> Reply {
        let Some(versions) = &self.versions else { return self.route(request, None) };
        versions.marked(match versions.router(&request.headers) {
            Ok(version) => self.route(request, version),
            Err(refusal) => (*refusal).into(),
        })
    }

    /// What the version that is asked for has of its own.
    fn version(&self, request: &Request) -> Option<&Router<Rc<Place>>> {
        self.versions.as_ref()?.router(&request.headers).ok().flatten()
    }

    fn route(&self, request: Request, version: Option<&Router<Rc<Place>>>) -> Reply {
        let (place, path) = match self.find_for(&request, version) {
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
        let call = Call { request, path, body: Bytes::new(), form, identity, zone, gate };
        admission::enter(&place, Box::new(call))
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

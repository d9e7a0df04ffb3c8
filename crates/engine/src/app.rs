//! `App`: routes to endpoints; the one pipeline of tests, development and production.

use std::rc::Rc;

use bytes::Bytes;
use plectrum_http::router::{Pattern, TrailingSlash};
use plectrum_http::{
    Body, HeaderValue, Match, Method, Reply, Request, Response, Router, RouterBuilder, Service, StatusCode, header, problem,
};

use crate::blueprint::{Blueprint, Route};
use crate::docs;
use crate::endpoint::{Call, Endpoint, PathValues};
use crate::error;
use crate::extract::Extractor;

/// An API on one worker.
pub struct App {
    router: Router<Rc<dyn Endpoint>>,
    max_body: usize,
}

/// What an app is built with besides its blueprint.
#[derive(Debug, Clone)]
pub struct Options {
    /// What a path that differs only by its last slash gets.
    pub slash: TrailingSlash,
    /// Bytes of a request body at most.
    pub max_body: usize,
    /// Whether documents are served.
    pub docs: bool,
}

impl App {
    /// Compiles routes and registers an endpoint for each; `endpoint` makes them.
    ///
    /// # Errors
    /// A sentence for the user: a malformed or conflicting path, a parameter that is not in it.
    pub fn build(
        blueprint: &Blueprint,
        options: &Options,
        mut endpoint: impl FnMut(usize, &Route, Extractor) -> Result<Rc<dyn Endpoint>, String>,
    ) -> Result<Self, String> {
        let mut router = RouterBuilder::new();
        router.trailing_slash(options.slash);
        for (index, route) in blueprint.routes.iter().enumerate() {
            let method = Method::from_bytes(route.method.as_bytes())
                .map_err(|_| format!("{:?} is not an HTTP method", route.method))?;
            let pattern = Pattern::parse(&route.path).map_err(|error| format!("{}: {error}", route.path))?;
            let names: Vec<&str> = pattern.params().iter().map(|param| &*param.name).collect();
            let extractor = Extractor::compile(route, &names).map_err(|error| format!("{}: {error}", route.path))?;
            add(&mut router, method, &route.path, endpoint(index, route, extractor)?)?;
        }
        if options.docs {
            for (path, endpoint) in docs::endpoints(blueprint) {
                add(&mut router, Method::GET, &path, Rc::from(endpoint))?;
            }
        }
        Ok(Self { router: router.build(), max_body: options.max_body })
    }

    fn found(&self, endpoint: Rc<dyn Endpoint>, mut call: Call) -> Reply {
        if !endpoint.reads_body() || call.request.body.is_end() {
            return endpoint.call(call);
        }
        let limit = self.max_body;
        let body = std::mem::take(&mut call.request.body);
        Reply::pending(async move {
            match body.collect(limit).await {
                Ok(bytes) => {
                    call.body = bytes;
                    match endpoint.call(call) {
                        Reply::Ready(response) => response,
                        Reply::Pending(pending) => pending.await,
                    }
                }
                Err(failure) => error::of_body(failure),
            }
        })
    }
}

fn add(
    router: &mut RouterBuilder<Rc<dyn Endpoint>>,
    method: Method,
    path: &str,
    endpoint: Rc<dyn Endpoint>,
) -> Result<(), String> {
    router.route(method, path, endpoint).map(drop).map_err(|error| error.to_string())
}

impl Service for App {
    fn call(&self, request: Request) -> Reply {
        match self.route(&request) {
            Ok((endpoint, path)) => self.found(endpoint, Call { request, path, body: Bytes::new() }),
            Err(response) => response.into(),
        }
    }
}

impl App {
    /// Who answers, or the answer that needs nobody.
    fn route(&self, request: &Request) -> Result<(Rc<dyn Endpoint>, PathValues), Response> {
        match self.router.find(&request.method, request.path()) {
            Match::Found { endpoint, params, .. } => {
                Ok((Rc::clone(endpoint), PathValues::new(request.path(), params.into_values())))
            }
            Match::NotFound => Err(problem::of(StatusCode::NOT_FOUND)),
            Match::MethodNotAllowed { allow } => {
                Err(with_header(problem::of(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, allow))
            }
            Match::Options { allow } => Err(with_header(empty(StatusCode::NO_CONTENT), header::ALLOW, allow)),
            Match::Redirect { path } => Err(redirect(&path, request.uri.query())),
            Match::Malformed => Err(problem::of(StatusCode::BAD_REQUEST)),
        }
    }
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

fn with_header(mut response: Response, name: header::HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

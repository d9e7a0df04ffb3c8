//! An API made of JSON descriptions, endpoints that show their arguments, and requests without a socket.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

pub mod database;
mod show;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use plectrum_engine::app::{App, BuildError, Options};
use plectrum_engine::blueprint::Blueprint;
use plectrum_engine::endpoint::{Call, Endpoint, Reads};
use plectrum_engine::error;
use plectrum_engine::extract::Extractor;
use plectrum_engine::gate::throttle::{self, WithoutRedis};
use plectrum_engine::shape::Shape;
use plectrum_http::form::Limits;
use plectrum_http::middleware::EdgeConfig;
use plectrum_http::router::TrailingSlash;
use plectrum_http::{
    Body, Bytes, HeaderMap, HeaderName, HeaderValue, Method, Reply, Request, RequestBody, Response, Service,
};
use serde_json::{Value as Json, json};
pub use show::Show;

/// Answers with the arguments it got, as a JSON array; absent ones are `"absent"`.
pub struct Echo(pub Extractor);

impl Endpoint for Echo {
    fn call(&self, call: Box<Call>) -> Reply {
        let slots = match self.0.extract(&call, &mut Show) {
            Ok(slots) => slots,
            Err(refusal) => return error::of_refusal(&refusal).into(),
        };
        let shown = slots.into_iter().map(|slot| slot.unwrap_or_else(|| "absent".into())).collect();
        Response::new(Body::from(Json::Array(shown).to_string())).into()
    }

    fn reads(&self) -> Reads {
        self.0.reads()
    }
}

pub fn options() -> Options {
    let throttle = throttle::Options {
        segment: None,
        slots: 64,
        redis: None,
        timeout: Duration::from_secs(1),
        without_redis: WithoutRedis::Local,
        usual: Vec::new(),
    };
    Options {
        slash: TrailingSlash::Strict,
        max_body: 1000,
        form: Limits::default(),
        docs: false,
        errors: Shape::Problem,
        throttle,
        edge: EdgeConfig::default(),
        cache: plectrum_engine::cache::Options::default(),
        budget: None,
        timeout: None,
        built_in: Vec::new(),
    }
}

/// A route with everything but method, path and parameters left as usual.
pub fn route(method: &str, path: &str, parameters: Json) -> Json {
    json!({
        "method": method, "path": path, "name": "route", "way": "object", "status": 200,
        "parameters": parameters, "summary": null, "description": null, "native": null,
    })
}

/// A required parameter of a leaf type.
pub fn parameter(source: &str, name: &str, node: Json) -> Json {
    json!({
        "name": name, "wire": name, "source": source, "required": true, "description": null,
        "schema": {"root": node, "definitions": []},
    })
}

/// `object` with other members.
pub fn with(mut object: Json, members: Json) -> Json {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

pub fn blueprint(routes: &[Json]) -> Blueprint {
    described(json!({"routes": routes}))
}

/// A blueprint with the members that matter.
pub fn described(members: Json) -> Blueprint {
    let usual = json!({
        "info": {"title": "Test", "version": "1", "description": null},
        "docs": {"openapi": null, "swagger": null, "redoc": null, "assets": null},
        "routes": [],
    });
    serde_json::from_value(with(usual, members)).unwrap()
}

/// An app whose routes show their arguments.
pub fn echo(routes: &[Json]) -> App {
    build(&blueprint(routes), &options()).unwrap()
}

pub fn build(blueprint: &Blueprint, options: &Options) -> Result<App, BuildError> {
    App::build(blueprint, options, |_, _, extractor| Ok(Rc::new(Echo(extractor))))
}

/// A request under construction.
pub struct Ask {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

pub fn get(target: &str) -> Ask {
    ask("GET", target)
}

pub fn ask(method: &str, target: &str) -> Ask {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    Ask { method, target: target.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
}

impl Ask {
    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Bytes::copy_from_slice(body.as_ref());
        self
    }

    pub fn json(self, body: &Json) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub fn form(self, body: &str) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Sends it to an app whose answers need no runtime.
    pub fn to(self, app: &App) -> Answer {
        run(self.send(app))
    }

    pub async fn send(self, app: &App) -> Answer {
        let mut request =
            Request::new(self.method, self.target.parse().unwrap(), RequestBody::from(self.body));
        request.headers = self.headers;
        let response = match app.call(request) {
            Reply::Ready(response) => response,
            Reply::Pending(pending) => pending.await,
        };
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `loc` and `type` of each validation error.
    pub fn errors(&self) -> Json {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let errors = self.json()["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| json!([error["loc"], error["type"]])).collect()
    }
}

/// Runs a future as a worker would.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(tokio::runtime::LocalOptions::default()).unwrap();
    runtime.block_on(future)
}

//! Answers requests over HTTP: methods, media types, statuses.

use std::rc::Rc;

use futures_util::future::join_all;
use plectrum_db::buffer;
use plectrum_graphql::error::write_errors;
use plectrum_graphql::{Code, Error, Graph};
use plectrum_http::media::is_json;
use plectrum_http::{Body, Method, Reply, Response, StatusCode, header, problem, websocket};

use super::call;
use super::description::{Description, Live};
use super::live;
use super::media::Media;
use super::page;
use super::persisted::Persisted;
use super::plans::{Kind, Planner, Viewer};
use super::prepare::{Prepared, Preparer};
use super::request::{self, Asked, Malformed, Parameters};
use super::run;
use crate::endpoint::{Call, Endpoint, Reads};

/// Answers one graph.
pub struct GraphQl(Rc<Inner>);

pub(super) struct Inner {
    pub(super) preparer: Preparer,
    persisted: Persisted,
    page: bool,
    batch: usize,
    pub(super) live: Live,
    /// What a WebSocket may take.
    pub(super) sockets: websocket::Limits,
    pub(super) channels: live::Channels,
    /// Bytes of a request's JSON at most.
    most: usize,
}

/// An operation prepared, or why it is not executed.
pub(super) type Ready = Result<Rc<Prepared>, Vec<Error>>;

impl GraphQl {
    /// An endpoint for a graph whose shapes `planner` plans. `sockets` is what a WebSocket may take, `origins` are those
    /// whose pages may connect by one, besides the graph's own.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn new(
        description: &Description,
        planner: Box<dyn Planner>,
        sockets: websocket::Limits,
        origins: Vec<String>,
    ) -> Result<Self, String> {
        let graph = Graph::parse(&description.sdl, description.global_ids, description.introspection)?;
        let limits = description.limits.limits();
        let preparer = Preparer::new(graph, limits, planner, &description.functions, description.cache);
        let persisted =
            Persisted::new(description.persisted, description.allowed.as_deref(), description.cache);
        Ok(Self(Rc::new(Inner {
            preparer,
            persisted,
            page: description.page,
            batch: description.batch,
            live: description.live.clone().with_origins(origins),
            sockets,
            channels: live::Channels::default(),
            most: description.limits.request(),
        })))
    }
}

impl Endpoint for GraphQl {
    fn call(&self, call: Box<Call>) -> Reply {
        if self.is_conversation(&call) {
            return live::connect(&self.0, call);
        }
        let Some(media) = Media::of(&call.request.headers) else {
            return problem::of(StatusCode::NOT_ACCEPTABLE).into();
        };
        if media == Media::Html && self.0.page && call.request.method == Method::GET {
            return respond(StatusCode::OK, media, page::HTML.as_bytes().to_vec()).into();
        }
        let media = if media == Media::Html { Media::Json } else { media };
        let plain = if media == Media::Events { Media::Json } else { media };
        if call.body.len() > self.0.most && is_json(&call.request.headers) {
            return too_large(plain, call.body.len(), self.0.most).into();
        }
        match request::read(&call) {
            Ok(Asked::One(parameters)) => {
                let may_write = call.request.method == Method::POST;
                self.0.one(parameters, Viewer::of(*call), media, may_write)
            }
            Ok(Asked::Many(operations)) => self.0.many(operations, Viewer::of(*call), plain),
            Err(Malformed(status, why)) => {
                refuse(status, plain, &[Error::new(Code::ParseFailed, why)]).into()
            }
        }
    }

    fn reads(&self) -> Reads {
        if self.0.preparer.has_uploads() { Reads::Form } else { Reads::Bytes }
    }

    fn introduces(&self, call: &Call) -> bool {
        self.is_conversation(call)
    }
}

impl GraphQl {
    /// Whether a WebSocket is asked for.
    fn is_conversation(&self, call: &Call) -> bool {
        self.0.preparer.has_subscriptions()
            && call.request.method == Method::GET
            && call.request.headers.contains_key(header::UPGRADE)
    }
}

impl Inner {
    fn one(self: &Rc<Self>, parameters: Parameters, viewer: Viewer, media: Media, may_write: bool) -> Reply {
        if parameters.query.is_none() && !parameters.extensions.contains_key("persistedQuery") {
            let error = Error::new(Code::ParseFailed, "The request has no query.");
            return refuse(StatusCode::BAD_REQUEST, media, &[error]).into();
        }
        if media == Media::Events {
            return self.stream(parameters, viewer, may_write);
        }
        match self.prepare(parameters) {
            Ok(prepared) if prepared.kind == Kind::Mutation && !may_write => only_by_post(media).into(),
            Ok(prepared) if prepared.kind == Kind::Subscription => {
                let why = "Subscriptions are heard as an event stream (Accept: text/event-stream) or over a WebSocket \
                           (graphql-transport-ws).";
                let error = Error::new(Code::OperationResolution, why);
                refuse(status_of_refusal(media), media, &[error]).into()
            }
            Ok(prepared) => {
                let inner = Rc::clone(self);
                Reply::pending(async move {
                    let body = inner.run(prepared, viewer).await;
                    respond(StatusCode::OK, media, body)
                })
            }
            Err(errors) => refuse(status_of_refusal(media), media, &errors).into(),
        }
    }

    /// A GET must not change anything, whatever is answered.
    fn stream(self: &Rc<Self>, parameters: Parameters, viewer: Viewer, may_write: bool) -> Reply {
        match self.prepare(parameters) {
            Ok(prepared) if prepared.kind == Kind::Mutation && !may_write => only_by_post(Media::Json).into(),
            ready => live::stream(self, ready, viewer).into(),
        }
    }

    pub(super) fn prepare(&self, mut parameters: Parameters) -> Ready {
        self.persisted.resolve(&mut parameters).map_err(|error| vec![error])?;
        self.preparer.prepare(&mut parameters)
    }

    pub(super) async fn run(&self, prepared: Rc<Prepared>, viewer: Viewer) -> Vec<u8> {
        match prepared.kind {
            Kind::Mutation => call::serially(&self.preparer, &prepared, &viewer).await,
            _ if prepared.calls => call::together(&self.preparer, &prepared, &viewer).await,
            _ => run::run(&self.preparer, &prepared, &viewer).await,
        }
    }

    fn many(self: &Rc<Self>, operations: Vec<Parameters>, viewer: Viewer, media: Media) -> Reply {
        if self.batch == 0 || operations.is_empty() || operations.len() > self.batch {
            let why = match self.batch {
                0 => "A request holds one operation: lists are not accepted.".to_owned(),
                most => format!("A request holds 1 to {most} operations, this one {}.", operations.len()),
            };
            let error = Error::new(Code::LimitExceeded, why);
            return refuse(StatusCode::BAD_REQUEST, media, &[error]).into();
        }
        let ready: Vec<Ready> = operations.into_iter().map(|parameters| self.prepare(parameters)).collect();
        let inner = Rc::clone(self);
        Reply::pending(async move {
            let bodies = ready.into_iter().map(|ready| {
                let (viewer, inner) = (viewer.clone(), &inner);
                async move {
                    match ready {
                        Ok(prepared) if prepared.kind == Kind::Subscription => errors_body(&[one_by_one()]),
                        Ok(prepared) => inner.run(prepared, viewer).await,
                        Err(errors) => errors_body(&errors),
                    }
                }
            });
            let mut body = vec![b'['];
            for (index, part) in join_all(bodies).await.into_iter().enumerate() {
                if index > 0 {
                    body.push(b',');
                }
                body.extend_from_slice(&part);
                buffer::give(part);
            }
            body.push(b']');
            respond(StatusCode::OK, media, body)
        })
    }
}

/// A list is answered at once.
fn one_by_one() -> Error {
    Error::new(Code::OperationResolution, "A list of operations cannot hold subscriptions.")
}

/// A request error's status: the older media type has no other way to say that the response is GraphQL's.
fn status_of_refusal(media: Media) -> StatusCode {
    if media == Media::Response { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}

/// A GET must not change anything (RFC 9110, section 9.2.1).
fn only_by_post(media: Media) -> Response {
    let error = Error::new(Code::OperationResolution, "Mutations are executed by POST only.");
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, media, &[error]);
    response.headers_mut().insert(header::ALLOW, plectrum_http::HeaderValue::from_static("POST"));
    response
}

/// Reading more than this would take longer than a request may that is refused in the end.
fn too_large(media: Media, found: usize, most: usize) -> Response {
    let why = format!("The request has {found} bytes, its variables included; at most {most} are allowed.");
    refuse(StatusCode::PAYLOAD_TOO_LARGE, media, &[Error::new(Code::LimitExceeded, why)])
}

pub(super) fn errors_body(errors: &[Error]) -> Vec<u8> {
    let mut body = buffer::take();
    body.push(b'{');
    write_errors(&mut body, errors);
    body.push(b'}');
    body
}

fn refuse(status: StatusCode, media: Media, errors: &[Error]) -> Response {
    respond(status, media, errors_body(errors))
}

fn respond(status: StatusCode, media: Media, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::Full(buffer::freeze(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, media.header());
    response.headers_mut().insert(header::VARY, plectrum_http::HeaderValue::from_static("Accept"));
    response
}

//! Answers requests over HTTP: methods, media types, statuses.

use std::rc::Rc;

use futures_util::future::join_all;
use plectrum_db::buffer;
use plectrum_graphql::error::write_errors;
use plectrum_graphql::{Code, Error, Graph};
use plectrum_http::{Body, Method, Reply, Response, StatusCode, header, problem};

use super::description::Description;
use super::media::Media;
use super::mutate;
use super::page;
use super::persisted::Persisted;
use super::plans::{Planner, Viewer};
use super::prepare::{Prepared, Preparer};
use super::request::{self, Asked, Malformed, Parameters};
use super::run;
use crate::endpoint::{Call, Endpoint};

/// Answers one graph.
pub struct GraphQl(Rc<Inner>);

struct Inner {
    preparer: Preparer,
    persisted: Persisted,
    page: bool,
    batch: usize,
}

/// An operation prepared, or why it is not executed.
type Ready = Result<Rc<Prepared>, Vec<Error>>;

impl GraphQl {
    /// An endpoint for a graph whose shapes `planner` plans.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn new(description: &Description, planner: Box<dyn Planner>) -> Result<Self, String> {
        let graph = Graph::parse(&description.sdl, description.global_ids, description.introspection)?;
        let preparer = Preparer::new(graph, description.limits.limits(), planner, description.cache);
        let persisted =
            Persisted::new(description.persisted, description.allowed.as_deref(), description.cache);
        Ok(Self(Rc::new(Inner { preparer, persisted, page: description.page, batch: description.batch })))
    }
}

impl Endpoint for GraphQl {
    fn call(&self, call: Call) -> Reply {
        let Some(media) = Media::of(&call.request.headers) else {
            return problem::of(StatusCode::NOT_ACCEPTABLE).into();
        };
        if media == Media::Html && self.0.page && call.request.method == Method::GET {
            return respond(StatusCode::OK, media, page::HTML.as_bytes().to_vec()).into();
        }
        let media = if media == Media::Html { Media::Json } else { media };
        match request::read(&call) {
            Ok(Asked::One(parameters)) => {
                let may_write = call.request.method == Method::POST;
                self.0.one(parameters, viewer(call), media, may_write)
            }
            Ok(Asked::Many(operations)) => self.0.many(operations, viewer(call), media),
            Err(Malformed(status, why)) => {
                refuse(status, media, &[Error::new(Code::ParseFailed, why)]).into()
            }
        }
    }

    fn reads_body(&self) -> bool {
        true
    }
}

impl Inner {
    fn one(self: &Rc<Self>, parameters: Parameters, viewer: Viewer, media: Media, may_write: bool) -> Reply {
        if parameters.query.is_none() && !parameters.extensions.contains_key("persistedQuery") {
            let error = Error::new(Code::ParseFailed, "The request has no query.");
            return refuse(StatusCode::BAD_REQUEST, media, &[error]).into();
        }
        match self.prepare(parameters) {
            Ok(prepared) if prepared.mutates && !may_write => only_by_post(media).into(),
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

    fn prepare(&self, mut parameters: Parameters) -> Ready {
        self.persisted.resolve(&mut parameters).map_err(|error| vec![error])?;
        self.preparer.prepare(&mut parameters)
    }

    async fn run(&self, prepared: Rc<Prepared>, viewer: Viewer) -> Vec<u8> {
        match prepared.mutates {
            true => mutate::run(&self.preparer, &prepared, &viewer).await,
            false => run::run(&self.preparer, &prepared, &viewer).await,
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

fn viewer(call: Call) -> Viewer {
    Viewer { headers: call.request.headers, identity: call.identity }
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

fn errors_body(errors: &[Error]) -> Vec<u8> {
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

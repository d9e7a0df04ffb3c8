//! A request's body, read before its endpoint is called, as the endpoint wants it and its route allows.

use std::rc::Rc;
use std::time::Duration;

use plectrum_http::form::{self, FormError, Limits};
use plectrum_http::{Reply, RequestBody, Response, StatusCode, accept, media, problem};

use crate::blueprint::Route;
use crate::endpoint::settled;
use crate::endpoint::{Call, Endpoint, Reads};
use crate::error;
use crate::observe::trip;

/// What the requests of a route are allowed.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    max_body: u64,
    timeout: Option<Duration>,
    form: Rc<Limits>,
    /// The one media type there is.
    produces: Option<Rc<str>>,
}

impl Allowance {
    /// `max_body` and `timeout` where the route says nothing. A WebSocket takes as long as it takes.
    pub(crate) fn of(route: &Route, max_body: usize, timeout: Option<Duration>, form: &Rc<Limits>) -> Self {
        let own = route.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self {
            max_body: route.max_body.unwrap_or(max_body as u64),
            timeout: own.or(timeout.filter(|_| route.websocket.is_none())),
            form: Rc::clone(form),
            produces: route.produces.as_deref().map(Rc::from),
        }
    }

    /// Of routes that read nothing.
    pub(crate) fn nothing(form: &Rc<Limits>) -> Self {
        Self { max_body: 0, timeout: None, form: Rc::clone(form), produces: None }
    }
}

/// Answers a call, once its body has been read where the endpoint wants it.
pub(crate) fn answer(endpoint: &Rc<dyn Endpoint>, call: Box<Call>, allowance: &Allowance) -> Reply {
    if let Some(produces) = &allowance.produces
        && !accept::takes_media(&call.request.headers, produces)
    {
        return problem::of(StatusCode::NOT_ACCEPTABLE).into();
    }
    let reply = read(endpoint, call, allowance);
    match (allowance.timeout, reply) {
        // What was running is dropped.
        (Some(limit), Reply::Pending(pending)) => Reply::pending(async move {
            let timed = tokio::time::timeout(limit, pending).await;
            timed.unwrap_or_else(|_| problem::of(StatusCode::GATEWAY_TIMEOUT))
        }),
        (_, reply) => reply,
    }
}

fn read(endpoint: &Rc<dyn Endpoint>, mut call: Box<Call>, allowance: &Allowance) -> Reply {
    let reads = endpoint.reads();
    if reads == Reads::Nothing || call.request.body.is_end() {
        return start(endpoint, call);
    }
    let body = match std::mem::take(&mut call.request.body).limited(allowance.max_body) {
        Ok(body) => body,
        Err(failure) => return error::of_body(failure).into(),
    };
    if reads == Reads::Stream {
        call.request.body = body;
        return start(endpoint, call);
    }
    let (endpoint, allowance) = (Rc::clone(endpoint), allowance.clone());
    if reads == Reads::Form && form::is_multipart(&call.request.headers) {
        return Reply::pending(with_form(endpoint, call, body, allowance));
    }
    let is_form = reads == Reads::Form && !media::is_json(&call.request.headers);
    let fields = if is_form { allowance.form.fields } else { usize::MAX };
    Reply::pending(async move {
        match body.collect(usize::try_from(allowance.max_body).unwrap_or(usize::MAX)).await {
            Ok(bytes) if fields < usize::MAX && pairs(&bytes) > fields => {
                error::of_form(FormError::TooMuch("form fields", fields as u64), call.request.path())
            }
            Ok(bytes) => {
                call.body = bytes;
                settled(start(&endpoint, call)).await
            }
            Err(failure) => error::of_body(failure),
        }
    })
}

/// Calls, as late as a request can be said to have waited.
fn start(endpoint: &Rc<dyn Endpoint>, call: Box<Call>) -> Reply {
    trip::started();
    endpoint.call(call)
}

/// How many pairs a urlencoded form has, at most.
fn pairs(form: &[u8]) -> usize {
    form.iter().filter(|byte| **byte == b'&').count() + 1
}

/// Reads a form with files, then calls.
async fn with_form(
    endpoint: Rc<dyn Endpoint>,
    mut call: Box<Call>,
    body: RequestBody,
    allowance: Allowance,
) -> Response {
    match form::read(&call.request.headers, body, allowance.max_body, &allowance.form).await {
        Ok(form) => {
            call.form = Some(form);
            settled(start(&endpoint, call)).await
        }
        Err(failure) => error::of_form(failure, call.request.path()),
    }
}

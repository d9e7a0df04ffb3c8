//! One request and its response: hyper's idea of a service on one side, ours on the other.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, SERVER};
use http::{HeaderValue, Method, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::events;
use super::pulse::{Order, Phase, Pulse};
use crate::body::StreamError;
use crate::{Body, Config, Peer, Reply, Request, RequestBody, Response, Service, problem};

/// Answers the requests of one connection.
pub(crate) struct Exchange<S> {
    pub(crate) service: Rc<S>,
    pub(crate) config: Rc<Config>,
    pub(crate) pulse: Rc<Pulse>,
    pub(crate) peer: Peer,
    /// The connection is encrypted.
    pub(crate) secure: bool,
}

impl<S: Service> hyper::service::Service<hyper::Request<Incoming>> for Exchange<S> {
    type Response = http::Response<Outgoing>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: hyper::Request<Incoming>) -> Answer {
        self.pulse.begin();
        let multiplexed = request.version() == Version::HTTP_2;
        let plain = request.version() == Version::HTTP_11
            && request.method() == Method::GET
            && request.body().is_end_stream();
        let reply = match self.refusal(&request) {
            Some(status) => self.refuse(request, status),
            None => self.answer(request),
        };
        Answer {
            reply: Some(reply),
            server: self.config.server_header.clone(),
            pulse: Rc::clone(&self.pulse),
            date: self.config.date_header,
            plain,
            multiplexed,
        }
    }
}

impl<S: Service> Exchange<S> {
    /// The limits that hyper does not know.
    fn refusal(&self, request: &hyper::Request<Incoming>) -> Option<StatusCode> {
        let config = &*self.config;
        if let Some(status) = config.refuses(request.uri(), request.headers()) {
            return Some(status);
        }
        if !request.body().is_end_stream() && request.body().size_hint().lower() > config.max_body {
            return Some(StatusCode::PAYLOAD_TOO_LARGE);
        }
        // RFC 9112 §3.2: exactly one Host in HTTP/1.1, at most one in HTTP/1.0.
        let mut hosts = request.headers().get_all(HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(_), None) => None,
            (None, None) if request.version() == Version::HTTP_10 => None,
            _ => Some(StatusCode::BAD_REQUEST),
        }
    }

    /// Answers without the service; the body is dropped unread, which ends the connection after the answer.
    fn refuse(&self, request: hyper::Request<Incoming>, status: StatusCode) -> Reply {
        drop(self.body(request.into_body()));
        Reply::Ready(problem::of(status))
    }

    fn answer(&self, request: hyper::Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let request = Request {
            method: parts.method,
            uri: parts.uri,
            version: parts.version,
            headers: parts.headers,
            peer: self.peer,
            secure: self.secure,
            extensions: parts.extensions,
            body: self.body(body),
        };
        let call = AssertUnwindSafe(|| self.service.call(request));
        catch_unwind(call).unwrap_or_else(|panic| Reply::Ready(after_panic(&*panic)))
    }

    fn body(&self, incoming: Incoming) -> RequestBody {
        RequestBody::wire(incoming, || Rc::clone(&self.pulse) as _, self.config.max_body)
    }
}

/// The reply on its way to hyper.
pub(crate) struct Answer {
    reply: Option<Reply>,
    server: Option<http::HeaderValue>,
    pulse: Rc<Pulse>,
    date: bool,
    /// A GET of HTTP/1.1, which events are best written to without hyper.
    plain: bool,
    /// A request of HTTP/2, whose answers say nothing of connections.
    multiplexed: bool,
}

impl Future for Answer {
    type Output = Result<http::Response<Outgoing>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match self.reply.take() {
            Some(Reply::Ready(response)) => response,
            Some(Reply::Pending(mut future)) => {
                match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                    Ok(Poll::Ready(response)) => response,
                    Ok(Poll::Pending) => {
                        self.reply = Some(Reply::Pending(future));
                        return Poll::Pending;
                    }
                    Err(panic) => after_panic(&*panic),
                }
            }
            None => return Poll::Pending,
        };
        if self.plain && matches!(response.body(), Body::Events(_)) && self.pulse.order() == Order::Serve {
            let (parts, body) = response.into_parts();
            if let Body::Events(events) = body {
                let head = events::head(&parts, self.server.take(), self.date);
                self.pulse.take_over(head, events);
            }
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.send(response)))
    }
}

impl Answer {
    fn send(&mut self, mut response: Response) -> http::Response<Outgoing> {
        if let Some(server) = self.server.take() {
            response.headers_mut().entry(SERVER).or_insert(server);
        }
        if let Body::Socket(socket) = response.body() {
            if self.pulse.order() == Order::Serve && !self.multiplexed {
                self.pulse.upgrade(Rc::clone(socket));
                return response.map(|body| Outgoing { body, streaming: None });
            }
            response = problem::of(StatusCode::SERVICE_UNAVAILABLE);
        }
        if self.pulse.order() != Order::Serve && !self.multiplexed {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // A length that contradicts the body would desynchronize the connection; the body knows best.
        if response.body().len().is_some() && !matches!(response.body(), Body::Empty) {
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        response.map(|body| Outgoing::new(body, &self.pulse))
    }
}

pub(super) fn after_panic(panic: &(dyn Any + Send)) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(message, "a request handler panicked");
    problem::of(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A response body that tells the pulse when its last byte is known.
pub(crate) struct Outgoing {
    body: Body,
    /// Only for streams: dropped with the body, and hyper drops the body at its end.
    streaming: Option<Streaming>,
}

impl Outgoing {
    fn new(body: Body, pulse: &Rc<Pulse>) -> Self {
        if matches!(body, Body::Stream(_) | Body::Events(_)) {
            pulse.enter(Phase::Streaming);
            return Self { body, streaming: Some(Streaming(Rc::clone(pulse))) };
        }
        pulse.enter(Phase::Responding);
        Self { body, streaming: None }
    }
}

impl Outgoing {
    /// No body at all.
    pub(super) fn nothing() -> Self {
        Self { body: Body::Empty, streaming: None }
    }
}

struct Streaming(Rc<Pulse>);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.enter(Phase::Responding);
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let this = &mut *self;
        if this.streaming.as_ref().is_some_and(|streaming| streaming.0.order() != Order::Serve) {
            match &mut this.body {
                Body::Stream(stream) => stream.as_mut().drain(),
                Body::Events(events) => events.stop(),
                Body::Empty | Body::Full(_) | Body::Socket(_) => {}
            }
        }
        let body = Pin::new(&mut this.body);
        catch_unwind(AssertUnwindSafe(|| body.poll_frame(cx))).unwrap_or_else(|panic| {
            after_panic(&*panic);
            Poll::Ready(Some(Err("the response stream panicked".into())))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

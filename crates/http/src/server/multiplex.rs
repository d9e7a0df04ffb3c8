//! HTTP/2 (RFC 9113): one connection, many requests, each answered as one of HTTP/1.1 is.
//!
//! hyper's engine bounds what a peer may ask of it (streams, headers, frames that continue them, streams that it resets
//! before they are looked at). What is left to us is the peer that opens and resets streams as fast as they are looked at,
//! and one that never opens any.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Method, Uri};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;

use super::connection::Worker;
use super::exchange::{Answer, Outgoing};
use super::pulse::{Order, Phase, Pulse};
use super::wire::Wire;
use crate::body::StreamError;
use crate::{Config, Peer, Service};

/// Streams of one connection that a peer may reset before they were answered, over those it let be answered.
const MOST_ABANDONED: usize = 100;
/// Streams reset before we looked at them (CVE-2023-44487); the connection ends at the next.
const MOST_PENDING_RESETS: usize = 20;
/// What one stream, and all of a connection together, may send before we have read it.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What waits in memory for one stream's peer to take it.
const SEND_BUFFER: usize = 256 * 1024;

/// The engine's settings.
pub(crate) fn protocol(config: &Config) -> Builder<Here> {
    let mut builder = Builder::new(Here);
    builder
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(u32::try_from(config.max_head_size).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MOST_PENDING_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .auto_date_header(config.date_header);
    builder
}

/// Runs the engine's tasks where everything else runs.
#[derive(Clone, Copy)]
pub(crate) struct Here;

impl<F: Future + 'static> hyper::rt::Executor<F> for Here {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

/// Serves a connection to its end.
pub(crate) async fn run<S: Service + 'static>(
    wire: Wire,
    worker: Rc<Worker<S>>,
    pulse: Rc<Pulse>,
    peer: Peer,
) {
    let traffic = Rc::new(Traffic { pulse: Rc::clone(&pulse), open: Cell::new(0), abandoned: Cell::new(0) });
    pulse.enter(Phase::Idle);
    let requests = Requests { worker: Rc::clone(&worker), traffic, peer, secure: wire.is_secure() };
    let mut connection = Box::pin(worker.multiplex.serve_connection(wire, requests));
    let mut leaving = false;
    poll_fn(|cx| {
        pulse.attach(cx.waker());
        let leave = match pulse.order() {
            Order::Serve | Order::LastCall => false,
            // Streams that run are finished (GOAWAY, RFC 9113 §6.8).
            Order::Drain => true,
            Order::Expire(_) if leaving => return Poll::Ready(()),
            Order::Expire(overdue) if overdue.is_silence() => {
                pulse.obeyed();
                true
            }
            Order::Expire(_) | Order::Abort => return Poll::Ready(()),
        };
        if leave && !std::mem::replace(&mut leaving, true) {
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx).map(drop)
    })
    .await;
}

/// What the streams of a connection have in common.
struct Traffic {
    pulse: Rc<Pulse>,
    /// Streams that are not answered yet.
    open: Cell<usize>,
    /// Streams that ended without an answer, less those that had one.
    abandoned: Cell<usize>,
}

impl Traffic {
    fn begin(self: &Rc<Self>) -> Running {
        self.open.set(self.open.get() + 1);
        self.pulse.enter(Phase::Responding);
        Running { traffic: Rc::clone(self), answered: false }
    }
}

/// One stream, for as long as it runs.
struct Running {
    traffic: Rc<Traffic>,
    answered: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        let Traffic { pulse, open, abandoned } = &*self.traffic;
        open.set(open.get().saturating_sub(1));
        if open.get() == 0 {
            pulse.enter(Phase::Idle);
        }
        if self.answered {
            abandoned.set(abandoned.get().saturating_sub(1));
            return;
        }
        abandoned.set(abandoned.get() + 1);
        if abandoned.get() > MOST_ABANDONED && pulse.order() == Order::Serve {
            tracing::warn!("a peer that resets its streams is cut off");
            pulse.command(Order::Abort);
        }
    }
}

/// The engine's idea of a service.
struct Requests<S> {
    worker: Rc<Worker<S>>,
    traffic: Rc<Traffic>,
    peer: Peer,
    secure: bool,
}

impl<S: Service + 'static> hyper::service::Service<hyper::Request<Incoming>> for Requests<S> {
    type Response = http::Response<Streamed>;
    type Error = Infallible;
    type Future = Answered;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Answered {
        as_in_http1(&mut request);
        let head = request.method() == Method::HEAD;
        // A pulse of its own: the reaper watches over the body of each.
        let exchange = self.worker.exchange(self.peer, self.secure, &self.traffic.pulse);
        exchange.pulse.read_parked();
        let pulse = Rc::clone(&exchange.pulse);
        let answer = hyper::service::Service::call(&exchange, request);
        Answered { answer, pulse, head, running: Some(self.traffic.begin()) }
    }
}

/// The authority is where HTTP/1.1 has it, and the target as short: whatever looks at a request finds it alike.
fn as_in_http1(request: &mut hyper::Request<Incoming>) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(target) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(target);
    }
}

/// The answer on its way to hyper.
struct Answered {
    answer: Answer,
    pulse: Rc<Pulse>,
    /// A request for the head alone.
    head: bool,
    running: Option<Running>,
}

impl Future for Answered {
    type Output = Result<http::Response<Streamed>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.pulse.attach(cx.waker());
        Pin::new(&mut this.answer).poll(cx).map_ok(|mut response| {
            if this.head {
                without_body(&mut response);
            }
            let mut running = this.running.take();
            running.iter_mut().for_each(|running| running.answered = true);
            response.map(|body| Streamed { body, pulse: Rc::clone(&this.pulse), running })
        })
    }
}

/// hyper does this in HTTP/1.1 only.
fn without_body(response: &mut http::Response<Outgoing>) {
    let length = response.body().size_hint().exact();
    *response.body_mut() = Outgoing::nothing();
    if let Some(length) = length {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
}

/// An answer's body, whose end is the stream's.
struct Streamed {
    body: Outgoing,
    pulse: Rc<Pulse>,
    #[allow(dead_code, reason = "dropped with the stream")]
    running: Option<Running>,
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let this = &mut *self;
        this.pulse.attach(cx.waker());
        // We are asked for more once the peer has room for it.
        this.pulse.wrote();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_ready() {
            this.pulse.write_blocked();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! One connection: hyper drives the protocol, the pulse's orders decide when it ends.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use http::StatusCode;
use hyper::server::conn::http1::{Builder, Connection};
use hyper::server::conn::http2;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::events;
use super::exchange::Exchange;
use super::multiplex::{self, Here};
use super::pulse::{Clock, Next, Order, Overdue, Pulse, TickLimits};
use super::stream::Stream;
use super::tls::{Tls, speaks_http2};
use super::wire::{Scratch, Wire};
use crate::websocket::drive;
use crate::{Config, Peer, Service};

/// For how many bytes a closed connection still listens to a peer that keeps sending.
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// What all connections of one worker share.
pub(crate) struct Worker<S> {
    service: Rc<S>,
    protocol: Builder,
    pub(crate) multiplex: http2::Builder<Here>,
    tls: Option<Rc<Tls>>,
    scratch: Scratch,
    /// One permit per connection that may be open.
    pub(crate) slots: Arc<Semaphore>,
    clocked: Rc<Clocked>,
}

/// The part of a worker that the reaper and the drain look at.
pub(crate) struct Clocked {
    pub(crate) config: Rc<Config>,
    pub(crate) clock: Rc<Clock>,
    pub(crate) limits: TickLimits,
    /// Open connections; closed ones are swept out by the reaper.
    pub(crate) pulses: RefCell<Vec<Weak<Pulse>>>,
}

impl<S: Service + 'static> Worker<S> {
    pub(crate) fn new(config: Rc<Config>, service: Rc<S>, tls: Option<Rc<Tls>>) -> Self {
        Self {
            service,
            protocol: protocol(&config),
            multiplex: multiplex::protocol(&config),
            tls,
            scratch: Scratch::default(),
            slots: Arc::new(Semaphore::new(config.max_connections.clamp(1, Semaphore::MAX_PERMITS))),
            clocked: Rc::new(Clocked {
                clock: Rc::default(),
                limits: TickLimits::new(&config.timeouts),
                pulses: RefCell::default(),
                config,
            }),
        }
    }

    pub(crate) fn clocked(&self) -> Rc<Clocked> {
        Rc::clone(&self.clocked)
    }

    /// What answers a request that has a pulse of its own, over a connection that has another.
    pub(crate) fn exchange(&self, peer: Peer, secure: bool, above: &Rc<Pulse>) -> Exchange<S> {
        let pulse = Rc::new(Pulse::below(Rc::clone(above), Rc::clone(&self.clocked.clock)));
        self.clocked.pulses.borrow_mut().push(Rc::downgrade(&pulse));
        let (service, config) = (Rc::clone(&self.service), Rc::clone(&self.clocked.config));
        Exchange { service, config, pulse, peer, secure }
    }

    /// Starts a connection's task.
    pub(crate) fn open(self: &Rc<Self>, stream: Stream, peer: Peer, slot: OwnedSemaphorePermit) {
        let pulse = Rc::new(Pulse::new(Rc::clone(&self.clocked.clock)));
        self.clocked.pulses.borrow_mut().push(Rc::downgrade(&pulse));
        match (&self.tls, stream) {
            (Some(tls), Stream::Tcp(stream)) => {
                let (tls, worker) = (Rc::clone(tls), Rc::clone(self));
                tokio::task::spawn_local(async move {
                    let Some(stream) = tls.accept(stream, &pulse).await else { return };
                    if speaks_http2(&stream) {
                        worker.begin_multiplexed(stream, Vec::new(), peer, slot, pulse);
                    } else {
                        worker.begin(stream, peer, slot, pulse);
                    }
                });
            }
            (_, stream) => self.begin(stream, peer, slot, pulse),
        }
    }

    fn begin(self: &Rc<Self>, stream: Stream, peer: Peer, slot: OwnedSemaphorePermit, pulse: Rc<Pulse>) {
        let config = Rc::clone(&self.clocked.config);
        let secure = stream.is_secure();
        let wire = Wire::new(stream, Rc::clone(&pulse), Rc::clone(&self.scratch), &config);
        let service = Rc::clone(&self.service);
        let exchange = Exchange { service, config, pulse: Rc::clone(&pulse), peer, secure };
        let connection = self.protocol.serve_connection(wire, exchange);
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            if let Some(upgraded) = run(connection, &pulse).await {
                worker.go_on(upgraded, peer, slot, pulse);
            }
        });
    }

    /// Starts the task of what was hyper's connection: much smaller than one that has served requests.
    fn go_on(self: &Rc<Self>, upgraded: Upgraded, peer: Peer, slot: OwnedSemaphorePermit, pulse: Rc<Pulse>) {
        let (stream, leftover, next) = upgraded;
        match next {
            Next::Conversation(socket) => {
                tokio::task::spawn_local(async move {
                    drive::run(stream, leftover, socket, pulse).await;
                    drop(slot);
                });
            }
            Next::Events(head, events) => {
                pulse.beat(events.heartbeat(), &self.clocked.limits);
                let half_close = self.clocked.config.half_close;
                tokio::task::spawn_local(async move {
                    events::run(stream, head, events, pulse, half_close).await;
                    drop(slot);
                });
            }
            Next::Multiplexed(received) => self.begin_multiplexed(stream, received, peer, slot, pulse),
        }
    }

    /// `received` is what the peer has said already.
    fn begin_multiplexed(
        self: &Rc<Self>,
        stream: Stream,
        received: Vec<u8>,
        peer: Peer,
        slot: OwnedSemaphorePermit,
        pulse: Rc<Pulse>,
    ) {
        pulse.served_elsewhere();
        let wire = Wire::bare(stream, Rc::clone(&pulse), Rc::clone(&self.scratch), received);
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            multiplex::run(wire, worker, pulse, peer).await;
            drop(slot);
        });
    }
}

fn protocol(config: &Config) -> Builder {
    let mut builder = Builder::new();
    builder
        .half_close(config.half_close)
        .header_read_timeout(None)
        .max_header_size(config.max_head_size)
        .auto_date_header(config.date_header);
    // hyper's own limit of 100 lives on the stack; a lower one is checked after parsing.
    if config.max_headers > 100 {
        builder.max_headers(config.max_headers);
    }
    builder
}

enum End {
    /// The protocol is over, for whichever reason.
    Finished,
    Overdue(Overdue),
    Aborted,
}

/// What a connection goes on with that is hyper's no more, and what was read of it already.
type Upgraded = (Stream, BytesMut, Next);

async fn run<S: Service + 'static>(
    mut connection: Connection<Wire, Exchange<S>>,
    pulse: &Rc<Pulse>,
) -> Option<Upgraded> {
    let mut draining = false;
    let end = poll_fn(|cx| supervise(&mut connection, pulse, &mut draining, cx)).await;
    match pulse.take_next() {
        Some(next) if matches!(end, End::Finished) => {
            let parts = connection.into_parts();
            return Some((parts.io.into_stream(), parts.read_buf.into(), next));
        }
        Some(Next::Conversation(socket)) => socket.abandon(),
        Some(Next::Events(..) | Next::Multiplexed(_)) | None => {}
    }
    let mut wire = match end {
        End::Finished if pulse.left_body_behind() => connection.into_parts().io,
        End::Overdue(Overdue::Head) => {
            let mut wire = connection.into_parts().io;
            wire.say_farewell(StatusCode::REQUEST_TIMEOUT);
            wire
        }
        End::Finished | End::Overdue(Overdue::Silence | Overdue::Write | Overdue::Quiet) | End::Aborted => {
            return None;
        }
    };
    if wire.send_farewell().await.is_ok() {
        wire.into_stream().linger(LINGER_BYTES).await;
    }
    None
}

/// Polls the protocol, then looks whether somebody outside wants it to end.
fn supervise<S: Service + 'static>(
    connection: &mut Connection<Wire, Exchange<S>>,
    pulse: &Pulse,
    draining: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<End> {
    pulse.attach(cx.waker());
    match pulse.order() {
        Order::Expire(overdue) => return Poll::Ready(End::Overdue(overdue)),
        Order::Abort => return Poll::Ready(End::Aborted),
        Order::Serve | Order::LastCall | Order::Drain => {}
    }
    let mut connection = Pin::new(connection);
    let mut over = connection.as_mut().poll(cx).is_ready() || pulse.is_taken();
    // Asked to drain: requests that had already arrived were started by the poll above.
    if !over && pulse.order() == Order::Drain && !std::mem::replace(draining, true) {
        connection.as_mut().graceful_shutdown();
        over = connection.poll(cx).is_ready() || pulse.is_taken();
    }
    if over { Poll::Ready(End::Finished) } else { Poll::Pending }
}

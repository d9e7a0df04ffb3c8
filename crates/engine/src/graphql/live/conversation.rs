//! A WebSocket's client: introduced, acknowledged, and its operations.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use plectrum_graphql::{Code, Error};
use plectrum_http::websocket::{Close, Opening, Socket, Watcher, handshake};
use plectrum_http::{HeaderMap, HeaderValue, Reply, StatusCode, header};
use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::protocol::{self, Said};
use super::responses::{self, Responses};
use crate::endpoint::Call;
use crate::gate::{Gate, Pass};
use crate::graphql::endpoint::Inner;
use crate::graphql::plans::Viewer;
use crate::graphql::request::Parameters;

/// Longest time a client may take to introduce itself, where what is asked for cannot be waited for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers the request for a WebSocket, and begins the conversation.
pub(in crate::graphql) fn connect(inner: &Rc<Inner>, mut call: Box<Call>) -> Reply {
    let opening = match handshake(&call.request, &inner.sockets, &inner.live.origins) {
        Ok(opening) => opening,
        Err(response) => return (*response).into(),
    };
    if !opening.protocols().iter().any(|offered| **offered == *protocol::NAME) {
        return refuse(&opening);
    }
    // The headers live as long as the conversation, and would keep the buffer they were read into.
    call.request.compact();
    let wait = Duration::try_from_secs_f64(inner.live.init_timeout).map_or(LONGEST, |wait| wait.min(LONGEST));
    let signals = Rc::new(Signals::default());
    opening.socket.watch(Rc::clone(&signals) as Rc<dyn Watcher>);
    let conversation = Rc::new(Conversation {
        inner: Rc::clone(inner),
        socket: Rc::clone(&opening.socket),
        signals,
        due: Instant::now() + wait,
        stranger: Cell::new(Some(call)),
        viewer: RefCell::default(),
        operations: RefCell::default(),
    });
    tokio::task::spawn_local(async move { conversation.run().await });
    opening.accept(Some(HeaderValue::from_static(protocol::NAME)), HeaderMap::new()).into()
}

/// Says what is wrong where the client can hear it: a script cannot read the status of a handshake.
fn refuse(opening: &Opening) -> Reply {
    opening.socket.close(&protocol::unacceptable());
    opening.accept(None, HeaderMap::new()).into()
}

/// What the connection's task tells the conversation.
#[derive(Default)]
struct Signals {
    readable: Notify,
    writable: Notify,
}

impl Watcher for Signals {
    fn readable(&self) {
        self.readable.notify_one();
    }

    fn writable(&self) {
        self.writable.notify_waiters();
    }
}

struct Conversation {
    inner: Rc<Inner>,
    socket: Rc<Socket>,
    signals: Rc<Signals>,
    /// When it has to be introduced.
    due: Instant,
    /// The request, until its maker is introduced.
    stranger: Cell<Option<Box<Call>>>,
    /// Who it is, once acknowledged.
    viewer: RefCell<Option<Viewer>>,
    operations: RefCell<HashMap<Box<str>, Operation>>,
}

/// An operation that runs; it stops when this is dropped.
struct Operation(Option<AbortHandle>);

impl Drop for Operation {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Conversation {
    async fn run(self: Rc<Self>) {
        loop {
            let result = match self.socket.receive() {
                Some(Ok(message)) if message.text => self.hear(&message.data).await,
                Some(Ok(_)) => {
                    Err(Close::new(plectrum_http::websocket::Code(4400), "Invalid message: it is not text"))
                }
                Some(Err(_)) => break,
                None => self.wait().await,
            };
            if let Err(close) = result {
                self.socket.close(&close);
                break;
            }
        }
        self.operations.borrow_mut().clear();
    }

    /// Until there is something to receive, or it is too late for an introduction.
    async fn wait(&self) -> Result<(), Close> {
        if self.viewer.borrow().is_some() {
            self.signals.readable.notified().await;
            return Ok(());
        }
        tokio::select! {
            () = self.signals.readable.notified() => Ok(()),
            () = sleep_until(self.due) => Err(protocol::silent()),
        }
    }

    async fn hear(self: &Rc<Self>, text: &[u8]) -> Result<(), Close> {
        match protocol::read(text)? {
            Said::Init(payload) => self.introduce(payload).await,
            Said::Ping(payload) => {
                self.say(&protocol::pong(payload.as_deref()));
                Ok(())
            }
            Said::Pong => Ok(()),
            Said::Subscribe(id, parameters) => self.subscribe(id, parameters),
            Said::Complete(id) => {
                self.operations.borrow_mut().remove(&id);
                Ok(())
            }
        }
    }

    /// What cannot be said any more has nobody to hear it.
    fn say(&self, message: &[u8]) {
        let _ = self.socket.send(true, message);
    }

    async fn introduce(&self, payload: Option<Box<RawValue>>) -> Result<(), Close> {
        let Some(mut call) = self.stranger.take() else { return Err(protocol::introduced()) };
        if let Some(gate) = call.gate.take() {
            add_credentials(&gate, payload.as_deref(), &mut call.request.headers);
            call = tokio::select! {
                passed = pass(&gate, call) => passed?,
                () = sleep_until(self.due) => return Err(protocol::silent()),
            };
        }
        let params = payload.map(|payload| Rc::from(payload.get()));
        *self.viewer.borrow_mut() = Some(Viewer { params, ..Viewer::of(*call) });
        self.say(protocol::ACK);
        Ok(())
    }

    fn subscribe(self: &Rc<Self>, id: Box<str>, parameters: Parameters) -> Result<(), Close> {
        let Some(viewer) = self.viewer.borrow().clone() else { return Err(protocol::unauthorized()) };
        if self.operations.borrow().contains_key(&id) {
            return Err(protocol::taken(&id));
        }
        let most = self.inner.live.operations;
        if self.operations.borrow().len() >= most {
            let why =
                format!("At most {most} operations may run over one connection: complete another one first.");
            self.say(&protocol::error(&id, &[Error::new(Code::LimitExceeded, why)]));
            return Ok(());
        }
        let ready = self.inner.prepare(parameters);
        match ready.and_then(|prepared| responses::begin(&self.inner, prepared, viewer)) {
            Ok(responses) => {
                // Taken before the task runs, which gives the id back.
                self.operations.borrow_mut().insert(id.clone(), Operation(None));
                let task = tokio::task::spawn_local(Rc::clone(self).perform(id.clone(), responses));
                if let Some(operation) = self.operations.borrow_mut().get_mut(&id) {
                    operation.0 = Some(task.abort_handle());
                }
            }
            Err(errors) => self.say(&protocol::error(&id, &errors)),
        }
        Ok(())
    }

    /// Sends responses as they come, no faster than they are taken.
    async fn perform(self: Rc<Self>, id: Box<str>, mut responses: Responses) {
        let last = loop {
            while self.socket.is_congested() {
                self.signals.writable.notified().await;
            }
            match responses.next().await {
                Some(Ok(response)) => self.say(&protocol::next(&id, &response)),
                Some(Err(errors)) => break protocol::error(&id, &errors),
                None => break protocol::complete(&id),
            }
        };
        // Before it is said that the id is free.
        if let Some(mut operation) = self.operations.borrow_mut().remove(&id) {
            operation.0 = None;
        }
        self.say(&last);
    }
}

/// Lets the client pass the route's gate.
async fn pass(gate: &Rc<Gate>, call: Box<Call>) -> Result<Box<Call>, Close> {
    let passed = match gate.pass(call) {
        Pass::Open(call, _) => Ok(call),
        Pass::Refused(response) => Err(response),
        Pass::Pending(visit) => visit.await.map(|(call, _)| call),
    };
    passed.map_err(|response| match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            protocol::forbidden()
        }
        _ => protocol::failed(),
    })
}

/// A browser's WebSocket cannot send headers: those that the gate reads credentials from may be in the payload instead.
/// No other ones, as rules may trust what a proxy has written into them.
fn add_credentials(gate: &Gate, payload: Option<&RawValue>, headers: &mut HeaderMap) {
    let members = payload.and_then(|payload| serde_json::from_str(payload.get()).ok());
    let members: serde_json::Map<String, serde_json::Value> = members.unwrap_or_default();
    for (name, value) in &members {
        let Some(known) = gate.credential_headers().find(|known| known.as_str().eq_ignore_ascii_case(name))
        else {
            continue;
        };
        if let Some(Ok(mut value)) = value.as_str().map(HeaderValue::from_str)
            && !headers.contains_key(&known)
        {
            value.set_sensitive(known == header::AUTHORIZATION);
            headers.insert(known, value);
        }
    }
}

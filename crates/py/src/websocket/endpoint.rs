//! A WebSocket route's endpoint: handshake, coroutine, goodbye.

use std::rc::Rc;

use plectrum_engine::endpoint::{Call, Endpoint};
use plectrum_http::websocket::{Close, Code, Limits, Opening, handshake};
use plectrum_http::{Reply, StatusCode};
use pyo3::prelude::*;

use super::object::WebSocket;
use super::talk::{Answer, Talk, forbidden};
use crate::eventloop::Step;
use crate::gate::Access;
use crate::handler::{Handler, Inner};
use crate::names;
use crate::request::Request;

/// The conversations of one route.
pub(crate) struct Conversations {
    handler: Rc<Inner>,
    limits: Limits,
    origins: Rc<[String]>,
}

impl Conversations {
    /// `origins` are those whose pages may connect, besides the API's own.
    pub(crate) fn new(handler: Handler, limits: Limits, origins: Rc<[String]>) -> Self {
        Self { handler: handler.into_inner(), limits, origins }
    }
}

impl Endpoint for Conversations {
    fn call(&self, call: Box<Call>) -> Reply {
        match handshake(&call.request, &self.limits, &self.origins) {
            Ok(opening) => Python::attach(|py| self.begin(py, call, opening)),
            Err(response) => (*response).into(),
        }
    }
}

impl Conversations {
    fn begin(&self, py: Python<'_>, call: Box<Call>, opening: Opening) -> Reply {
        let handler = &self.handler;
        let slots = match handler.validate(py, &call) {
            Ok(slots) => slots,
            Err(response) => return (*response).into(),
        };
        let Call { mut request, body, identity, .. } = *call;
        // The headers live as long as the conversation, and would keep the buffer they were read into.
        request.compact();
        let access = Access::new(py, identity, &handler.registered.loaders);
        let made = Bound::new(py, Request::new(request, body, access, None)).and_then(|request| {
            let socket = WebSocket::new(request.clone().unbind(), opening, &handler.worker.event_loop);
            Ok((Rc::clone(socket.talk()?), request, Bound::new(py, socket)?))
        });
        let (talk, request, socket) = match made {
            Ok(made) => made,
            Err(error) => return handler.failed(py, &error).into(),
        };
        let began = handler
            .fill(py, slots, None, Some(request), Some(&socket))
            .and_then(|(arguments, _)| handler.invoke(py, &arguments));
        match began {
            Ok(coroutine) => self.run(py, talk, coroutine),
            Err(error) => {
                // Socket and conversation hold each other until it is over.
                talk.socket.abandon();
                handler.failed(py, &error).into()
            }
        }
    }

    fn run(&self, py: Python<'_>, talk: Rc<Talk>, coroutine: Bound<'_, PyAny>) -> Reply {
        match self.handler.worker.event_loop.step(coroutine) {
            Step::Done(outcome, _) => conclude(py, &self.handler, &talk, outcome),
            Step::Suspended(pending) => {
                let (handler, talk) = (Rc::clone(&self.handler), Rc::clone(&talk));
                tokio::task::spawn_local(async move {
                    let outcome = pending.await;
                    Python::attach(|py| conclude(py, &handler, &talk, outcome));
                });
            }
        }
        match talk.take_answer() {
            Some(answer) => answer.into(),
            None => Reply::pending(Answer(talk)),
        }
    }
}

/// Says goodbye for a handler that is over: 1000 where it returned, 1008 for its own refusal of a client, 1011 where it
/// failed. What was never accepted is answered as any request would be.
fn conclude(py: Python<'_>, handler: &Inner, talk: &Talk, outcome: PyResult<Py<PyAny>>) {
    let raised = outcome.err().filter(|error| !is_goodbye(py, error));
    let Some(error) = raised else {
        talk.refuse(forbidden);
        talk.socket.close(&Close::new(Code::NORMAL, ""));
        return;
    };
    if names::CANCELLED_ERROR.get(py).is_ok_and(|class| error.is_instance(py, class)) {
        talk.refuse(forbidden);
        talk.socket.close(&Close::new(Code::RESTART, "the server restarts"));
        return;
    }
    let response = handler.failed(py, &error);
    let status = response.status();
    talk.refuse(|| response);
    let code = if status < StatusCode::INTERNAL_SERVER_ERROR { Code::POLICY } else { Code::INTERNAL };
    talk.socket.close(&Close::new(code, status.canonical_reason().unwrap_or_default()));
}

/// The other side went away, and the handler let the exception that says so pass.
fn is_goodbye(py: Python<'_>, error: &PyErr) -> bool {
    names::WEBSOCKET_DISCONNECT.get(py).is_ok_and(|class| error.is_instance(py, class))
}

//! What a conversation's socket and its coroutine share.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use plectrum_http::websocket::{Close, Code, Message, Opening, Socket, Watcher};
use plectrum_http::{HeaderMap, HeaderValue, Problem, Response, StatusCode};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::eventloop::{EventLoop, Waiter};
use crate::names;

/// A conversation on its worker.
pub(crate) struct Talk {
    pub(crate) socket: Rc<Socket>,
    event_loop: Rc<EventLoop>,
    stage: RefCell<Stage>,
    /// Whoever waits for the handshake's answer.
    asking: RefCell<Option<Waker>>,
    reader: RefCell<Option<Py<Waiter>>>,
    writers: RefCell<Vec<Py<Waiter>>>,
}

/// How far the handshake has come.
enum Stage {
    Asked(Box<Opening>),
    /// Accepted or refused; the answer until it was fetched.
    Decided(Option<Box<Response>>),
}

impl Talk {
    pub(super) fn new(opening: Opening, event_loop: Rc<EventLoop>) -> Rc<Self> {
        let talk = Rc::new(Self {
            socket: Rc::clone(&opening.socket),
            event_loop,
            stage: RefCell::new(Stage::Asked(Box::new(opening))),
            asking: RefCell::default(),
            reader: RefCell::default(),
            writers: RefCell::default(),
        });
        talk.socket.watch(Rc::clone(&talk) as Rc<dyn Watcher>);
        talk
    }

    // -- the handshake ------------------------------------------------------------------------------------------

    /// The subprotocols the client offered; none once the handshake is over.
    pub(super) fn offered(&self) -> Vec<String> {
        match &*self.stage.borrow() {
            Stage::Asked(opening) => opening.protocols().iter().map(ToString::to_string).collect(),
            Stage::Decided(_) => Vec::new(),
        }
    }

    pub(super) fn accept(&self, py: Python<'_>, protocol: Option<&str>, headers: HeaderMap) -> PyResult<()> {
        self.check_alive(py)?;
        let response = match &*self.stage.borrow() {
            Stage::Asked(opening) => {
                if let Some(protocol) = protocol
                    && !opening.protocols().iter().any(|offered| **offered == *protocol)
                {
                    return Err(PyValueError::new_err(format!(
                        "The client did not offer the subprotocol {protocol:?}. Choose one of websocket.subprotocols."
                    )));
                }
                let protocol = protocol.map(HeaderValue::from_str).transpose();
                opening.accept(protocol.map_err(|error| PyValueError::new_err(error.to_string()))?, headers)
            }
            Stage::Decided(_) => {
                return Err(PyRuntimeError::new_err(
                    "The handshake is over: accept() is called once, first of all.",
                ));
            }
        };
        self.decide(response);
        Ok(())
    }

    /// Answers the handshake, unless it was.
    pub(super) fn refuse(&self, response: impl FnOnce() -> Response) {
        if self.is_asked() {
            self.decide(response());
            self.socket.abandon();
        }
    }

    fn decide(&self, response: Response) {
        *self.stage.borrow_mut() = Stage::Decided(Some(Box::new(response)));
        if let Some(asking) = self.asking.borrow_mut().take() {
            asking.wake();
        }
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Asked(_))
    }

    /// The answer, once.
    pub(super) fn take_answer(&self) -> Option<Response> {
        match &mut *self.stage.borrow_mut() {
            Stage::Asked(_) => None,
            Stage::Decided(answer) => answer.take().map(|answer| *answer),
        }
    }

    // -- messages -----------------------------------------------------------------------------------------------

    /// The next message; `None` where there is none yet.
    pub(super) fn receive(&self, py: Python<'_>) -> PyResult<Option<Message>> {
        match self.socket.receive() {
            Some(Ok(message)) => Ok(Some(message)),
            Some(Err(close)) => Err(disconnected(py, &close)),
            None if self.is_asked() => Err(not_accepted()),
            None => Ok(None),
        }
    }

    /// What a coroutine yields that waits for the next message.
    pub(super) fn wait_to_read(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let mut reader = self.reader.borrow_mut();
        if reader.as_ref().is_some_and(|waiter| !waiter.get().is_over()) {
            return Err(PyRuntimeError::new_err(
                "Another task is receiving from this WebSocket. Receive in one task and share what it gets.",
            ));
        }
        let waiter = self.event_loop.waiter(py)?;
        Ok(reader.insert(waiter).clone_ref(py))
    }

    /// What a coroutine yields that waits for the peer to take what was sent.
    pub(super) fn wait_to_write(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let waiter = self.event_loop.waiter(py)?;
        self.writers.borrow_mut().push(waiter.clone_ref(py));
        Ok(waiter)
    }

    pub(super) fn send(&self, py: Python<'_>, text: bool, payload: &[u8]) -> PyResult<()> {
        if self.is_asked() {
            self.check_alive(py)?;
            return Err(not_accepted());
        }
        self.socket.send(text, payload).map_err(|close| disconnected(py, &close))
    }

    /// Ends the conversation for what the peer sent.
    pub(super) fn reject(&self, py: Python<'_>, code: u16, reason: &str) -> PyErr {
        let close = Close::new(Code(code), reason);
        self.socket.close(&close);
        disconnected(py, &close)
    }

    fn check_alive(&self, py: Python<'_>) -> PyResult<()> {
        self.socket.ended().map_or(Ok(()), |close| Err(disconnected(py, &close)))
    }

    fn resume(&self, waiter: &Py<Waiter>) {
        // Without an interpreter there is nobody to go on.
        Python::try_attach(|py| self.event_loop.resume_waiter(waiter.bind(py)));
    }
}

impl Watcher for Talk {
    fn readable(&self) {
        let waiter = self.reader.borrow_mut().take();
        if let Some(waiter) = waiter {
            self.resume(&waiter);
        }
    }

    fn writable(&self) {
        let waiters = std::mem::take(&mut *self.writers.borrow_mut());
        waiters.iter().for_each(|waiter| self.resume(waiter));
    }
}

/// The answer to a handshake whose handler has not decided yet. Dropped when the client goes away.
pub(super) struct Answer(pub(super) Rc<Talk>);

impl Future for Answer {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.0.take_answer() {
            Some(response) => Poll::Ready(response),
            None => {
                *self.0.asking.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.0.is_asked() {
            self.0.socket.abandon();
        }
    }
}

/// `plectrum.websockets.WebSocketDisconnect`.
pub(super) fn disconnected(py: Python<'_>, close: &Close) -> PyErr {
    let made =
        names::WEBSOCKET_DISCONNECT.get(py).and_then(|class| class.call1((close.code.0, &*close.reason)));
    made.map_or_else(|error| error, PyErr::from_value)
}

fn not_accepted() -> PyErr {
    PyRuntimeError::new_err("The WebSocket is not accepted yet. Call 'await websocket.accept()' first.")
}

/// The answer to a handshake that the handler refuses.
pub(super) fn forbidden() -> Response {
    Problem::new(StatusCode::FORBIDDEN).detail("The WebSocket was not accepted.").into_response()
}

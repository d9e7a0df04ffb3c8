//! `Client`: requests to an app on the calling thread, without a socket.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_engine::app::App;
use plectrum_http::{
    Body, Bytes, Config, HeaderName, HeaderValue, Method, Reply, Request, RequestBody, Service, Uri, problem,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokio::runtime::{Builder, LocalRuntime};

use crate::app::Registration;
use crate::detached::detached;
use crate::observe;
use crate::response::pairs_of;
use crate::thread_bound::ThreadBound;
use crate::websocket::ClientSocket;
use crate::worker::Worker;

/// How long tasks may take to end when a client is closed.
const GRACE: Duration = Duration::from_secs(5);

/// A worker without a server.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Client(ThreadBound<Inner>);

struct Inner {
    runtime: LocalRuntime,
    /// None once it is closed.
    state: RefCell<Option<Rc<State>>>,
    /// The server's limits, which apply without one.
    limits: Config,
    /// The planners in it keep the Python side of every plan alive.
    registration: Arc<Registration>,
}

struct State {
    worker: Rc<Worker>,
    app: App,
}

type Answer<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>);

impl Client {
    pub(crate) fn new(py: Python<'_>, registration: &Arc<Registration>) -> PyResult<Self> {
        let runtime = Builder::new_current_thread().enable_all().build_local(Default::default())?;
        let worker = runtime.block_on(async { Worker::start(py, &registration.settings, true) })?;
        worker.event_loop.pause(py)?;
        let app = runtime.block_on(async { registration.build(py, &worker) })?;
        let limits = registration.http()?;
        worker.event_loop.resume(py)?;
        let lifespan = registration.lifespan.as_ref();
        let started = detached(py, || runtime.block_on(worker.live(lifespan, "startup")));
        worker.event_loop.pause(py)?;
        started?;
        let state = RefCell::new(Some(Rc::new(State { worker, app })));
        Ok(Self(ThreadBound::new(Inner { runtime, state, limits, registration: Arc::clone(registration) })))
    }
}

impl Client {
    fn state(&self) -> PyResult<Rc<State>> {
        let state = self.0.get()?.state.borrow().clone();
        state.ok_or_else(|| PyRuntimeError::new_err("The client is closed."))
    }

    /// Runs `work` and whatever else there is to do, until it is done.
    pub(crate) fn run<T>(&self, py: Python<'_>, work: impl Future<Output = T>) -> PyResult<T> {
        let (inner, state) = (self.0.get()?, self.state()?);
        state.worker.event_loop.resume(py)?;
        let done = detached(py, || inner.runtime.block_on(work));
        state.worker.event_loop.pause(py)?;
        Ok(done)
    }
}

#[pymethods]
impl Client {
    /// Sends one request; status, headers and body of the answer.
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &str,
        headers: Vec<(String, String)>,
        body: &[u8],
    ) -> PyResult<Answer<'py>> {
        let inner = self.0.get()?;
        let state = inner.state.borrow().clone();
        let state = state.ok_or_else(|| PyRuntimeError::new_err("The client is closed."))?;
        let State { worker, app } = &*state;
        let request = request_of(method, target, headers, body)?;
        let is_head = request.method == Method::HEAD;
        worker.event_loop.resume(py)?;
        let answer = detached(py, || {
            inner.runtime.block_on(async {
                let reply = match inner.limits.refuses(&request.uri, &request.headers) {
                    Some(status) => problem::of(status).into(),
                    None => app.call(request),
                };
                let response = match reply {
                    Reply::Ready(response) => response,
                    Reply::Pending(pending) => pending.await,
                };
                let (head, body) = response.into_parts();
                // As the server does: the headers of GET without its body.
                let body = if is_head { Body::Empty } else { body }.collect().await;
                // A test sees what the request brought about.
                worker.background.drained().await;
                (head, body)
            })
        });
        worker.event_loop.pause(py)?;
        let (head, body) = answer;
        let body = body.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok((head.status.as_u16(), pairs_of(&head.headers), PyBytes::new(py, &body)))
    }

    /// Asks for a WebSocket: the answer, and this end of it where the answer is 101.
    fn websocket<'py>(
        slf: &Bound<'py, Self>,
        target: &str,
        headers: Vec<(String, String)>,
    ) -> PyResult<(Answer<'py>, Option<ClientSocket>)> {
        let py = slf.py();
        let state = slf.get().state()?;
        let request = request_of("GET", target, headers, b"")?;
        let (client, app) = (slf.clone().unbind(), Rc::clone(&state));
        let answered = slf.get().run(py, async move {
            let response = match app.app.call(request) {
                Reply::Ready(response) => response,
                Reply::Pending(pending) => pending.await,
            };
            let (head, body) = response.into_parts();
            match body {
                Body::Socket(socket) => {
                    let socket = ClientSocket::connect(client, socket).await?;
                    PyResult::Ok((head, Bytes::new(), Some(socket)))
                }
                body => {
                    let body = body.collect().await;
                    Ok((head, body.map_err(|error| PyRuntimeError::new_err(error.to_string()))?, None))
                }
            }
        })?;
        let (head, body, socket) = answered?;
        Ok(((head.status.as_u16(), pairs_of(&head.headers), PyBytes::new(py, &body)), socket))
    }

    /// Ends what is still running.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.0.get()?;
        let Some(state) = inner.state.take() else { return Ok(()) };
        let worker = &state.worker;
        worker.event_loop.resume(py)?;
        let event_loop = Rc::clone(&worker.event_loop);
        detached(py, || {
            inner.runtime.block_on(async {
                let stopped = worker.live(inner.registration.lifespan.as_ref(), "shutdown").await;
                observe::finish(worker).await;
                worker.databases.close().await;
                event_loop.shutdown(GRACE).await.and(stopped)
            })
        })
    }
}

fn request_of(method: &str, target: &str, headers: Vec<(String, String)>, body: &[u8]) -> PyResult<Request> {
    let wrong = |what: &str, text: &str| PyValueError::new_err(format!("{text:?} cannot be {what}."));
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| wrong("a method", method))?;
    let uri: Uri = target.parse().map_err(|_| wrong("a path", target))?;
    let mut request = Request::new(method, uri, RequestBody::from(Bytes::copy_from_slice(body)));
    for (name, value) in headers {
        let parsed = HeaderName::try_from(name.as_str()).map_err(|_| wrong("the name of a header", &name))?;
        let value = HeaderValue::from_str(&value).map_err(|_| wrong("the value of a header", &value))?;
        request.headers.append(parsed, value);
    }
    Ok(request)
}

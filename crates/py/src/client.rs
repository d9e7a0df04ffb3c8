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
use crate::response::pairs_of;
use crate::thread_bound::ThreadBound;
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
    _registration: Arc<Registration>,
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
        let app = registration.build(py, &worker)?;
        let limits = registration.http()?;
        let state = RefCell::new(Some(Rc::new(State { worker, app })));
        Ok(Self(ThreadBound::new(Inner { runtime, state, limits, _registration: Arc::clone(registration) })))
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

    /// Ends what is still running.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.0.get()?;
        let Some(state) = inner.state.take() else { return Ok(()) };
        let worker = &state.worker;
        worker.event_loop.resume(py)?;
        let event_loop = Rc::clone(&worker.event_loop);
        detached(py, || {
            inner.runtime.block_on(async {
                worker.databases.close().await;
                event_loop.shutdown(GRACE).await
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

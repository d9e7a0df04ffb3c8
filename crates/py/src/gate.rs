//! The binding's side of gates: credentials, guards and users that Python decides about.

use std::rc::Rc;
use std::sync::Arc;

use plectrum_engine::error;
use plectrum_engine::gate::authority::{Asking, Authority, Credential, Principal, Question, Told};
use plectrum_engine::gate::identity::Identity;
use plectrum_http::Bytes;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::eventloop::Step;
use crate::exceptions;
use crate::names;
use crate::request::Request;
use crate::worker::Worker;

/// Functions of Python's that gates ask, by number; shared by all threads.
pub(crate) struct Callbacks {
    entries: Vec<Callback>,
    /// A list with what loads the users of each scheme.
    loaders: Py<PyAny>,
}

struct Callback {
    function: Py<PyAny>,
    mode: Mode,
    name: String,
}

#[derive(Clone, Copy)]
enum Mode {
    /// A coroutine function.
    Async,
    /// Called in the thread pool.
    Threaded,
    /// Called where the request is: it promises not to block.
    Inline,
}

impl Callbacks {
    /// Reads `plectrum.auth.compile.Access`.
    pub(crate) fn extract(access: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut entries = Vec::new();
        for entry in access.getattr("callbacks")?.try_iter()? {
            let (function, mode, name): (Py<PyAny>, String, String) = entry?.extract()?;
            let mode = match mode.as_str() {
                "async" => Mode::Async,
                "inline" => Mode::Inline,
                _ => Mode::Threaded,
            };
            entries.push(Callback { function, mode, name });
        }
        Ok(Self { entries, loaders: access.getattr("loaders")?.unbind() })
    }

    /// What loads the users of each scheme.
    pub(crate) fn loaders(&self) -> &Py<PyAny> {
        &self.loaders
    }
}

/// Asks them on one worker.
pub(crate) struct PyAuthority {
    callbacks: Arc<Callbacks>,
    worker: Rc<Worker>,
}

impl PyAuthority {
    pub(crate) fn new(callbacks: Arc<Callbacks>, worker: Rc<Worker>) -> Self {
        Self { callbacks, worker }
    }

    fn call(&self, py: Python<'_>, callback: &Callback, question: Question) -> PyResult<Asking> {
        let credential = credential(py, &question.credential)?;
        let access = Access::new(py, Some(question.identity), &self.callbacks.loaders);
        let request = Bound::new(py, Request::of_head(question.head, access))?;
        let function = callback.function.bind(py);
        let arguments = (request, credential).into_pyobject(py)?;
        match callback.mode {
            Mode::Inline => Ok(Asking::Told(told(&function.call1(arguments)?)?)),
            Mode::Async => Ok(self.step(py, function.call1(arguments)?, callback)),
            Mode::Threaded if self.worker.in_process => {
                let call = names::CALL_HERE.get(py)?;
                Ok(Asking::Told(told(&call.call1((function, arguments, py.None()))?)?))
            }
            Mode::Threaded => self.submit(function, &arguments, callback),
        }
    }

    fn step(&self, py: Python<'_>, coroutine: Bound<'_, PyAny>, callback: &Callback) -> Asking {
        match self.worker.event_loop.step(coroutine) {
            Step::Done(outcome, _) => Asking::Told(self.settle(py, outcome, &callback.name)),
            Step::Suspended(pending) => self.later(pending, callback),
        }
    }

    fn submit(
        &self,
        function: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyTuple>,
        callback: &Callback,
    ) -> PyResult<Asking> {
        Ok(match self.worker.pool.call(function, arguments, None)? {
            Ok(call) => self.later(call, callback),
            Err(_busy) => Asking::Told(Told::Failed(Box::new(error::unavailable()))),
        })
    }

    fn later(
        &self,
        pending: impl Future<Output = PyResult<Py<PyAny>>> + 'static,
        callback: &Callback,
    ) -> Asking {
        let (name, worker) = (callback.name.clone(), Rc::clone(&self.worker));
        let authority = Self { callbacks: Arc::clone(&self.callbacks), worker };
        Asking::Later(Box::pin(async move {
            let outcome = pending.await;
            Python::attach(|py| authority.settle(py, outcome, &name))
        }))
    }

    fn settle(&self, py: Python<'_>, outcome: PyResult<Py<PyAny>>, name: &str) -> Told {
        outcome.and_then(|value| told(value.bind(py))).unwrap_or_else(|error| self.failed(py, &error, name))
    }

    fn failed(&self, py: Python<'_>, error: &PyErr, name: &str) -> Told {
        Told::Failed(Box::new(exceptions::respond(py, error, name, self.worker.debug)))
    }
}

impl Authority for PyAuthority {
    fn ask(&self, callback: usize, question: Question) -> Asking {
        Python::attach(|py| {
            let Some(callback) = self.callbacks.entries.get(callback) else {
                let missing = PyIndexError::new_err("a gate asks a function that is not registered");
                return Asking::Told(self.failed(py, &missing, "gate"));
            };
            self.call(py, callback, question)
                .unwrap_or_else(|error| Asking::Told(self.failed(py, &error, &callback.name)))
        })
    }
}

fn credential<'py>(py: Python<'py>, credential: &Credential) -> PyResult<Bound<'py, PyAny>> {
    Ok(match credential {
        Credential::None => py.None().into_bound(py),
        Credential::Token(token) => token.into_pyobject(py)?.into_any(),
        Credential::Basic(user, password) => (user, password).into_pyobject(py)?.into_any(),
        Credential::Session(body) => PyBytes::new(py, body).into_any(),
    })
}

/// What `plectrum.auth.compile` makes of the functions' results: verdict, words for a no, the user's key, claims, user.
fn told(answer: &Bound<'_, PyAny>) -> PyResult<Told> {
    type Parts<'py> = (bool, Option<String>, Option<String>, Option<String>, Bound<'py, PyAny>);
    let (verdict, detail, subject, claims, user): Parts<'_> = answer.extract()?;
    if !verdict {
        return Ok(Told::No(detail));
    }
    let attached = Attached::new();
    if !user.is_none() {
        // It is new: nobody else can have set it.
        let _ = attached.user.set(user.py(), user.unbind());
    }
    let claims = claims.map_or_else(Bytes::new, Bytes::from);
    Ok(Told::Yes(Principal { subject, claims, attached: Some(Arc::new(attached)) }))
}

/// What Python keeps with an identity: shared by the request objects of guards and of the handler.
struct Attached {
    user: PyOnceLock<Py<PyAny>>,
    claims: PyOnceLock<Py<PyAny>>,
    state: PyOnceLock<Py<PyDict>>,
}

impl Attached {
    fn new() -> Self {
        Self { user: PyOnceLock::new(), claims: PyOnceLock::new(), state: PyOnceLock::new() }
    }
}

/// Who makes a request, as Python sees it.
pub(crate) struct Access {
    identity: Option<Arc<Identity>>,
    loaders: Option<Py<PyAny>>,
    own: Attached,
}

impl Access {
    pub(crate) fn new(py: Python<'_>, identity: Option<Arc<Identity>>, loaders: &Py<PyAny>) -> Self {
        let loaders = identity.as_ref().map(|_| loaders.clone_ref(py));
        Self { identity, loaders, own: Attached::new() }
    }

    fn attached(&self) -> &Attached {
        let Some(identity) = &self.identity else { return &self.own };
        let attached = identity.attached.get_or_init(|| Arc::new(Attached::new()));
        attached.downcast_ref().unwrap_or(&self.own)
    }

    /// Whether a scheme vouches for somebody.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.is_authenticated())
    }

    /// A dict that lives as long as the request.
    pub(crate) fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.attached().state.get_or_init(py, || PyDict::new(py).unbind()).bind(py).clone()
    }

    /// The claims; none where nobody has been authenticated.
    pub(crate) fn claims(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let Some(identity) = self.identity.as_ref().filter(|identity| identity.is_authenticated()) else {
            return Ok(py.None());
        };
        let read = || {
            let json = PyBytes::new(py, identity.claims_json());
            names::CLAIMS.get(py)?.call1((json, identity.subject())).map(Bound::unbind)
        };
        self.attached().claims.get_or_try_init(py, read).map(|claims| claims.clone_ref(py))
    }

    /// What loads the user, its key and the claims.
    fn known<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Option<&str>, Py<PyAny>)> {
        let identity = self.identity.as_deref();
        let loader = match (&self.loaders, identity.and_then(|identity| identity.scheme)) {
            (Some(loaders), Some(scheme)) => loaders.bind(py).get_item(scheme)?,
            _ => py.None().into_bound(py),
        };
        Ok((loader, identity.and_then(|identity| identity.subject()), self.claims(py)?))
    }

    /// The user, loaded when it is first read.
    pub(crate) fn user(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let load = || names::LOAD_USER.get(py)?.call1(self.known(py)?).map(Bound::unbind);
        self.attached().user.get_or_try_init(py, load).map(|user| user.clone_ref(py))
    }

    /// A coroutine that gives the user.
    pub(crate) fn auser<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, Request>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let loaded = self.attached().user.get(py).map(|user| user.clone_ref(py));
        let (loader, subject, claims) = self.known(py)?;
        names::ALOAD_USER.get(py)?.call1((request, loaded, loader, subject, claims))
    }

    /// Keeps a user that has been loaded; the first one stays.
    pub(crate) fn remember(&self, py: Python<'_>, user: Py<PyAny>) {
        let _ = self.attached().user.set(py, user);
    }
}

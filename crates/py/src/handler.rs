//! A Python handler as an endpoint: arguments in, one call, its result out as JSON.
//!
//! Python is entered at most once for a request whose coroutine finishes without suspending.

use std::rc::Rc;
use std::sync::Arc;

use plectrum_engine::blueprint::{Route, Source};
use plectrum_engine::endpoint::{Call, Endpoint};
use plectrum_engine::error;
use plectrum_engine::extract::{Extractor, Refusal, Slots};
use plectrum_http::{Body, Bytes, Reply, StatusCode, header};
use plectrum_schema::Error;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::encode::encode;
use crate::eventloop::{Busy, Step, SyncCall};
use crate::exceptions;
use crate::names;
use crate::pipeline::RustResponseBytes;
use crate::registered::Registered;
use crate::request::Request;
use crate::response::{JSON, Response};
use crate::results::{self, Url};
use crate::sink::{Class, PySink, vectorcall};
use crate::worker::Worker;

/// Bytes set aside for a JSON body before it is written.
const USUAL_BODY: usize = 256;

/// One handler on one worker.
#[derive(Clone)]
pub(crate) struct Handler(Rc<Inner>);

/// Everything a running handler needs; shared with its suspended calls.
pub(crate) struct Inner {
    pub(crate) registered: Arc<Registered>,
    classes: Arc<[Class]>,
    extractor: Extractor,
    request_at: Option<usize>,
    pub(crate) status: StatusCode,
    pub(crate) name: String,
    pub(crate) worker: Rc<Worker>,
}

impl Handler {
    pub(crate) fn new(
        route: &Route,
        registered: Arc<Registered>,
        classes: Arc<[Class]>,
        extractor: Extractor,
        worker: Rc<Worker>,
    ) -> Self {
        Self(Rc::new(Inner {
            registered,
            classes,
            extractor,
            request_at: route.parameters.iter().position(|parameter| parameter.source == Source::Request),
            status: StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
            name: route.name.clone(),
            worker,
        }))
    }
}

impl Endpoint for Handler {
    fn call(&self, call: Call) -> Reply {
        Python::attach(|py| self.0.enter(py, call))
    }

    fn reads_body(&self) -> bool {
        self.0.extractor.reads_body() || self.0.request_at.is_some()
    }
}

impl Inner {
    fn enter(self: &Rc<Self>, py: Python<'_>, call: Call) -> Reply {
        let slots = match self.validate(py, &call) {
            Ok(slots) => slots,
            Err(response) => return (*response).into(),
        };
        let mut call = Some(call);
        let url = self.request_at.and(call.as_ref()).map(|call| Url::of(&call.request));
        let arguments = self.arguments(py, slots, &mut call);
        let Some(url) = url.or_else(|| call.map(|call| Url::Request(call.request))) else {
            return plectrum_http::problem::of(StatusCode::INTERNAL_SERVER_ERROR).into();
        };
        match arguments {
            Ok(arguments) if self.registered.sync && self.worker.in_process => {
                let result = self.call_here(py, arguments);
                self.answer(py, result, &url)
            }
            Ok(arguments) if self.registered.sync => self.run_in_pool(py, arguments, url),
            Ok(arguments) => self.run(py, &arguments, url),
            Err(error) => self.failed(py, &error).into(),
        }
    }

    /// The validated arguments, or the answer to a request that has none.
    fn validate<'py>(
        &self,
        py: Python<'py>,
        call: &Call,
    ) -> Result<Slots<Bound<'py, PyAny>>, Box<plectrum_http::Response>> {
        let mut sink = PySink::new(py, &self.classes);
        let extracted = self.extractor.extract(call, &mut sink);
        match (sink.raised, extracted) {
            (None, Ok(slots)) => Ok(slots),
            (None, Err(refusal)) => Err(Box::new(error::of_refusal(&refusal))),
            // Python's own limits, which no rule of JSON Schema knows: the digits of an int, the days of a timedelta.
            (Some(raised), _) if is_the_inputs_fault(py, &raised) => {
                let found = Error::new("value_error", raised.value(py).to_string());
                Err(Box::new(error::of_refusal(&Refusal::Invalid(vec![found]))))
            }
            (Some(raised), _) => Err(Box::new(self.failed(py, &raised))),
        }
    }

    /// Validated values, defaults for the absent ones, and the request where it is asked for.
    fn arguments<'py>(
        &self,
        py: Python<'py>,
        slots: Slots<Bound<'py, PyAny>>,
        call: &mut Option<Call>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut arguments = Vec::with_capacity(slots.len());
        for (index, slot) in slots.into_iter().enumerate() {
            let argument = match (slot, self.registered.defaults.get(index).and_then(Option::as_ref)) {
                (Some(value), _) => value,
                (None, Some(default)) => default.get(py)?,
                (None, None) => match call.take() {
                    Some(Call { request, body, .. }) => {
                        Bound::new(py, Request::new(request, body))?.into_any()
                    }
                    None => py.None().into_bound(py),
                },
            };
            arguments.push(argument);
        }
        Ok(arguments)
    }

    fn invoke<'py>(&self, py: Python<'py>, arguments: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
        let function = self.registered.function.bind(py);
        let keywords = self.registered.keywords.as_ref().map(|names| names.bind(py));
        let pointers: Vec<*mut ffi::PyObject> = arguments.iter().map(Bound::as_ptr).collect();
        let positional = pointers.len() - keywords.map_or(0, |names| names.len());
        vectorcall(function, &pointers, positional, keywords)
    }

    fn run(self: &Rc<Self>, py: Python<'_>, arguments: &[Bound<'_, PyAny>], url: Url) -> Reply {
        let coroutine = match self.invoke(py, arguments) {
            Ok(coroutine) => coroutine,
            Err(error) => return self.failed(py, &error).into(),
        };
        match self.worker.event_loop.step(coroutine) {
            Step::Done(result) => self.answer(py, result, &url),
            Step::Suspended(pending) => self.later(pending, url),
        }
    }

    fn run_in_pool(self: &Rc<Self>, py: Python<'_>, arguments: Vec<Bound<'_, PyAny>>, url: Url) -> Reply {
        match self.submit(py, arguments) {
            Ok(Ok(call)) => self.later(call, url),
            Ok(Err(_busy)) => error::unavailable().into(),
            Err(error) => self.failed(py, &error).into(),
        }
    }

    fn submit(&self, py: Python<'_>, arguments: Vec<Bound<'_, PyAny>>) -> PyResult<Result<SyncCall, Busy>> {
        let (arguments, keywords) = self.split(py, arguments)?;
        self.worker.pool.call(self.registered.function.bind(py), &arguments, keywords.as_ref())
    }

    /// Calls a sync handler on this thread: a test's transaction is on it.
    fn call_here(&self, py: Python<'_>, arguments: Vec<Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let (arguments, keywords) = self.split(py, arguments)?;
        let call = names::CALL_HERE.get(py)?;
        call.call1((self.registered.function.bind(py), arguments, keywords)).map(Bound::unbind)
    }

    /// Arguments as a call of Python's takes them: by position, and by name what is taken by name only.
    fn split<'py>(
        &self,
        py: Python<'py>,
        mut arguments: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyTuple>, Option<Bound<'py, PyDict>>)> {
        let Some(names) = self.registered.keywords.as_ref().map(|names| names.bind(py)) else {
            return Ok((PyTuple::new(py, arguments)?, None));
        };
        let named = arguments.split_off(arguments.len() - names.len());
        let keywords = PyDict::new(py);
        names.iter().zip(named).try_for_each(|(name, value)| keywords.set_item(name, value))?;
        Ok((PyTuple::new(py, arguments)?, Some(keywords)))
    }

    /// Waits for what Python has begun.
    fn later(
        self: &Rc<Self>,
        pending: impl Future<Output = PyResult<Py<PyAny>>> + 'static,
        url: Url,
    ) -> Reply {
        let handler = Rc::clone(self);
        Reply::pending(async move {
            let result = pending.await;
            settle(Python::attach(|py| handler.answer(py, result, &url))).await
        })
    }

    /// A handler's result as a response; a query result goes on to the database.
    pub(crate) fn answer(self: &Rc<Self>, py: Python<'_>, result: PyResult<Py<PyAny>>, url: &Url) -> Reply {
        match result.and_then(|value| self.respond(py, value.bind(py), url)) {
            Ok(reply) => reply,
            Err(error) => self.failed(py, &error).into(),
        }
    }

    fn respond(self: &Rc<Self>, py: Python<'_>, value: &Bound<'_, PyAny>, url: &Url) -> PyResult<Reply> {
        if let Ok(response) = value.cast::<Response>() {
            return Ok(response.get().to_http().into());
        }
        if let Ok(finished) = value.cast_exact::<RustResponseBytes>() {
            return Ok(finished.get().to_http(py, self.status).into());
        }
        if results::is_query(value)? {
            return results::execute(self, py, value, url);
        }
        if value.is_none() && self.status == StatusCode::NO_CONTENT {
            return Ok(self.with_body(Body::Empty).into());
        }
        let mut out = Vec::with_capacity(USUAL_BODY);
        match encode(value, &mut out) {
            Ok(()) => Ok(self.json(out.into()).into()),
            // A dict is looked through only when it turned out to hold more than JSON.
            Err(_) if results::holds_query(value)? => results::execute(self, py, value, url),
            Err(error) => Err(error),
        }
    }

    /// JSON bytes with the route's status.
    pub(crate) fn json(&self, bytes: Bytes) -> plectrum_http::Response {
        let mut response = self.with_body(Body::Full(bytes));
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response
    }

    fn with_body(&self, body: Body) -> plectrum_http::Response {
        let mut response = plectrum_http::Response::new(body);
        *response.status_mut() = self.status;
        response
    }

    /// An exception as a response: logged where it is ours, never shown outside DEBUG.
    pub(crate) fn failed(&self, py: Python<'_>, error: &PyErr) -> plectrum_http::Response {
        exceptions::respond(py, error, &self.name, self.worker.debug)
    }
}

fn is_the_inputs_fault(py: Python<'_>, raised: &PyErr) -> bool {
    raised.is_instance_of::<PyOverflowError>(py) || raised.is_instance_of::<PyValueError>(py)
}

/// Waits for a reply that may need more than one step.
async fn settle(reply: Reply) -> plectrum_http::Response {
    match reply {
        Reply::Ready(response) => response,
        Reply::Pending(pending) => pending.await,
    }
}

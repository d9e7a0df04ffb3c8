//! A Python handler as an endpoint: arguments in, one call, its result out as JSON.
//!
//! Python is entered at most once for a request whose coroutine finishes without suspending.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_engine::blueprint::{Route, Source};
use plectrum_engine::endpoint::{Call, Endpoint, Reads};
use plectrum_engine::error;
use plectrum_engine::extract::{Extractor, Refusal, Slots};
use plectrum_engine::observe::trip::{self, Phase, Running};
use plectrum_http::{Body, Bytes, Reply, StatusCode, header};
use plectrum_schema::Error;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::asked::Asked;
use crate::background;
use crate::encode::{Asks, asks, encode};
use crate::eventloop::{Busy, Entered, Step, SyncCall};
use crate::exceptions;
use crate::gate::Access;
use crate::names;
use crate::pipeline::RustResponseBytes;
use crate::registered::Registered;
use crate::request::Request;
use crate::responder::Responder;
use crate::response::{JSON, Response};
use crate::results;
use crate::sink::{Class, PySink, vectorcall};
use crate::websocket::WebSocket;
use crate::worker::Worker;

/// Bytes set aside for a JSON body before it is written.
const USUAL_BODY: usize = 256;

/// An argument that the binding fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// The request.
    Request,
    /// The WebSocket.
    WebSocket,
    /// A list of tasks for after the response.
    Background,
    /// What makes an answer of a result.
    Responder,
}

impl Given {
    fn of(source: Source) -> Option<Self> {
        match source {
            Source::Request => Some(Self::Request),
            Source::Websocket => Some(Self::WebSocket),
            Source::Background => Some(Self::Background),
            Source::Responder => Some(Self::Responder),
            _ => None,
        }
    }
}

/// One handler on one worker.
#[derive(Clone)]
pub(crate) struct Handler(Rc<Inner>);

/// Everything a running handler needs; shared with its suspended calls.
pub(crate) struct Inner {
    pub(crate) registered: Arc<Registered>,
    classes: Arc<[Class]>,
    extractor: Extractor,
    /// What each argument is, where it is not a value of the request's.
    given: Box<[Option<Given>]>,
    /// The handler reads the body by itself.
    stream: bool,
    pub(crate) status: StatusCode,
    pub(crate) name: String,
    /// What an execution may take.
    pub(crate) limit: Option<Duration>,
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
            given: route.parameters.iter().map(|parameter| Given::of(parameter.source)).collect(),
            stream: route.stream,
            status: StatusCode::from_u16(route.status).unwrap_or(StatusCode::OK),
            name: route.name.clone(),
            limit: route.statement_limit(),
            worker,
        }))
    }
}

impl Handler {
    /// What runs the function, for other endpoints of Python's.
    pub(crate) fn into_inner(self) -> Rc<Inner> {
        self.0
    }
}

impl Endpoint for Handler {
    fn call(&self, call: Box<Call>) -> Reply {
        Python::attach(|py| self.0.enter(py, call))
    }

    fn reads(&self) -> Reads {
        match self.0.extractor.reads() {
            _ if self.0.stream => Reads::Stream,
            Reads::Nothing if self.0.given.contains(&Some(Given::Request)) => Reads::Bytes,
            reads => reads,
        }
    }
}

impl Inner {
    fn enter(self: &Rc<Self>, py: Python<'_>, call: Box<Call>) -> Reply {
        let slots = match self.validate(py, &call) {
            Ok(slots) => slots,
            Err(response) => return (*response).into(),
        };
        let (arguments, asked) = match self.fill(py, slots, Some(call), None, None) {
            Ok(both) => both,
            Err(error) => return self.failed(py, &error).into(),
        };
        if self.registered.sync && self.worker.in_process {
            return match self.call_here(py, arguments) {
                Ok((result, context)) => self.answer_in(py, Some(&context), Ok(result), &asked),
                Err(error) => self.answer(py, Err(error), &asked),
            };
        }
        if self.registered.sync {
            return self.run_in_pool(py, arguments, asked);
        }
        self.run(py, &arguments, asked)
    }

    /// The validated arguments, or the answer to a request that has none.
    pub(crate) fn validate<'py>(
        &self,
        py: Python<'py>,
        call: &Call,
    ) -> Result<Slots<Bound<'py, PyAny>>, Box<plectrum_http::Response>> {
        let mut sink = PySink::new(py, &self.classes);
        sink.uploads = call.form.as_ref().map_or(&[], |form| &form.files);
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

    /// Validated values, defaults for the absent ones, and what the binding gives; and what is kept of the request, which
    /// comes as a `call` or as the `request` that was made of it already.
    pub(crate) fn fill<'py>(
        self: &Rc<Self>,
        py: Python<'py>,
        slots: Slots<Bound<'py, PyAny>>,
        mut call: Option<Box<Call>>,
        mut request: Option<Bound<'py, Request>>,
        socket: Option<&Bound<'py, WebSocket>>,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Asked)> {
        let mut arguments = Vec::with_capacity(slots.len());
        let mut tasks = None;
        for (index, slot) in slots.into_iter().enumerate() {
            let default = self.registered.defaults.get(index).and_then(Option::as_ref);
            let argument = match (slot, self.given.get(index).copied().flatten()) {
                (_, Some(Given::Request)) => shared(&mut request, || match call.take() {
                    Some(call) => self.request_of(py, call),
                    None => Err(PyValueError::new_err("the request was taken already")),
                })?
                .into_any(),
                (_, Some(Given::WebSocket)) => match socket {
                    Some(socket) => socket.clone().into_any(),
                    None => return Err(PyValueError::new_err("only a WebSocket's route has one")),
                },
                (_, Some(Given::Background)) => {
                    shared(&mut tasks, || names::BACKGROUND_TASKS.get(py)?.call0())?
                }
                (_, Some(Given::Responder)) => match &request {
                    Some(request) => Bound::new(py, Responder::of_handler(self, request))?.into_any(),
                    None => return Err(PyValueError::new_err("a responder comes after its request")),
                },
                (Some(value), None) => value,
                (None, None) => {
                    default.map_or_else(|| Ok(py.None().into_bound(py)), |default| default.get(py))?
                }
            };
            arguments.push(argument);
        }
        let tasks = tasks.map(Bound::unbind);
        let asked = match (call, request) {
            (Some(call), _) => Asked::here(call, tasks),
            (None, Some(request)) => Asked::object(request.unbind(), tasks),
            (None, None) => return Err(PyValueError::new_err("a request without its head")),
        };
        Ok((arguments, asked))
    }

    fn request_of<'py>(&self, py: Python<'py>, call: Box<Call>) -> PyResult<Bound<'py, Request>> {
        let Call { request, body, identity, form, .. } = *call;
        let form = form.filter(|_| self.given.contains(&Some(Given::Responder)));
        let stream = self.stream.then(|| Rc::clone(&self.worker.event_loop));
        let access = Access::new(py, identity, &self.registered.loaders);
        Bound::new(py, Request::new(request, body, access, stream).with_form(form))
    }

    pub(crate) fn invoke<'py>(
        &self,
        py: Python<'py>,
        arguments: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let function = self.registered.function.bind(py);
        let keywords = self.registered.keywords.as_ref().map(|names| names.bind(py));
        let pointers: Vec<*mut ffi::PyObject> = arguments.iter().map(Bound::as_ptr).collect();
        let positional = pointers.len() - keywords.map_or(0, |names| names.len());
        vectorcall(function, &pointers, positional, keywords)
    }

    pub(crate) fn run(
        self: &Rc<Self>,
        py: Python<'_>,
        arguments: &[Bound<'_, PyAny>],
        asked: Asked,
    ) -> Reply {
        let timed = trip::begin(Phase::Python);
        let coroutine = match self.invoke(py, arguments) {
            Ok(coroutine) => coroutine,
            Err(error) => return self.failed(py, &error).into(),
        };
        match self.worker.event_loop.step(coroutine) {
            Step::Done(result, context) => {
                drop(timed);
                self.answer_in(py, context.as_ref(), result, &asked)
            }
            Step::Suspended(pending) => {
                let context = pending.context(py);
                self.later(pending, context, asked, timed)
            }
        }
    }

    fn run_in_pool(self: &Rc<Self>, py: Python<'_>, arguments: Vec<Bound<'_, PyAny>>, asked: Asked) -> Reply {
        let timed = trip::begin(Phase::Python);
        match self.submit(py, arguments) {
            Ok(Ok(call)) => {
                let context = call.context(py);
                self.later(call, context, asked, timed)
            }
            Ok(Err(_busy)) => error::unavailable().into(),
            Err(error) => self.failed(py, &error).into(),
        }
    }

    fn submit(&self, py: Python<'_>, arguments: Vec<Bound<'_, PyAny>>) -> PyResult<Result<SyncCall, Busy>> {
        let (arguments, keywords) = self.split(py, arguments)?;
        self.worker.pool.call(self.registered.function.bind(py), &arguments, keywords.as_ref())
    }

    /// Calls a sync handler on this thread: a test's transaction is on it.
    fn call_here(
        &self,
        py: Python<'_>,
        arguments: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let (arguments, keywords) = self.split(py, arguments)?;
        let call = names::RUN_AND_KEEP.get(py)?;
        call.call1((self.registered.function.bind(py), arguments, keywords))?.extract()
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
        context: Py<PyAny>,
        asked: Asked,
        timed: Running,
    ) -> Reply {
        let handler = Rc::clone(self);
        Reply::pending(async move {
            let result = pending.await;
            drop(timed);
            settle(Python::attach(|py| handler.answer_in(py, Some(&context), result, &asked))).await
        })
    }

    /// [`Self::answer`], where what the function activated (a time zone, a language) holds for its result, too.
    fn answer_in(
        self: &Rc<Self>,
        py: Python<'_>,
        context: Option<&Py<PyAny>>,
        result: PyResult<Py<PyAny>>,
        asked: &Asked,
    ) -> Reply {
        let Some(context) = context.map(|context| context.bind(py)) else {
            return self.answer(py, result, asked);
        };
        match Entered::new(context) {
            Ok(_entered) => self.answer(py, result, asked),
            Err(error) => self.failed(py, &error).into(),
        }
    }

    /// A handler's result as a response; a query result goes on to the database.
    pub(crate) fn answer(
        self: &Rc<Self>,
        py: Python<'_>,
        result: PyResult<Py<PyAny>>,
        asked: &Asked,
    ) -> Reply {
        let reply = match result.and_then(|value| self.respond(py, value.bind(py), asked)) {
            Ok(reply) => match &asked.tasks {
                Some(tasks) => self.with_tasks(py, reply, tasks),
                None => reply,
            },
            Err(error) => self.failed(py, &error).into(),
        };
        // A streamed answer may be made of what is still being read.
        let streamed = |body: &Body| matches!(body, Body::Stream(_) | Body::Events(_));
        let streams = matches!(&reply, Reply::Ready(response) if streamed(response.body()));
        if self.stream && !streams {
            asked.release_body();
        }
        reply
    }

    pub(crate) fn respond(
        self: &Rc<Self>,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        asked: &Asked,
    ) -> PyResult<Reply> {
        if let Ok(response) = value.cast::<Response>() {
            return response.get().send(py, &self.worker, asked, &self.name);
        }
        if let Ok(finished) = value.cast_exact::<RustResponseBytes>() {
            return Ok(finished.get().to_http(py, self.status).into());
        }
        match asks(value)? {
            Asks::Execution => return results::execute(self, py, value, asked),
            Asks::Sending(make) => return self.respond(py, &make.bind(py).call1((value,))?, asked),
            Asks::Encoding => {}
        }
        if value.is_none() && self.status == StatusCode::NO_CONTENT {
            return Ok(self.with_body(Body::Empty).into());
        }
        if let Some(output) = &self.registered.output {
            let written = output.json(value, self.worker.debug)?;
            return Ok(self.json(Bytes::copy_from_slice(written.as_bytes())).into());
        }
        let mut out = Vec::with_capacity(USUAL_BODY);
        let timed = trip::begin(Phase::Serialization);
        let encoded = encode(value, &mut out);
        drop(timed);
        match encoded {
            Ok(()) => Ok(self.json(out.into()).into()),
            // A dict is looked through only when it turned out to hold more than JSON.
            Err(_) if results::holds_query(value)? => results::execute(self, py, value, asked),
            Err(error) => Err(error),
        }
    }

    /// A reply after whose end `tasks` run, if there are any by then.
    fn with_tasks(self: &Rc<Self>, py: Python<'_>, reply: Reply, tasks: &Py<PyAny>) -> Reply {
        if !tasks.bind(py).is_truthy().unwrap_or(true) {
            return reply;
        }
        let (handler, tasks) = (Rc::clone(self), tasks.clone_ref(py));
        let attach = move |response: plectrum_http::Response| {
            response.map(|body| background::after(body, &handler.worker, tasks))
        };
        match reply {
            Reply::Ready(response) => attach(response).into(),
            Reply::Pending(pending) => Reply::pending(async move { attach(pending.await) }),
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

/// What `slot` holds, made the first time it is asked for: two parameters may name the same thing.
fn shared<'py, T>(
    slot: &mut Option<Bound<'py, T>>,
    make: impl FnOnce() -> PyResult<Bound<'py, T>>,
) -> PyResult<Bound<'py, T>> {
    if let Some(known) = slot {
        return Ok(known.clone());
    }
    let made = make()?;
    Ok(slot.insert(made).clone())
}

/// Waits for a reply that may need more than one step.
async fn settle(reply: Reply) -> plectrum_http::Response {
    match reply {
        Reply::Ready(response) => response,
        Reply::Pending(pending) => pending.await,
    }
}

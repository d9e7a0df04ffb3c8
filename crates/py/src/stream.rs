//! Streams from Python: an iterator fills a bounded queue, the socket empties it.
//!
//! One coroutine drives an async iterator from its first item to its last, in the context its
//! `Source` was made in: context variables live through. A plain iterator is driven by one thread of the pool, so that its database
//! connection is one thread's. A full queue makes the driver wait; a client that goes away drops the [`Body`], which
//! cancels the coroutine, or tells the thread so at its next item.
//!
//! Anything that pushes may be given the queue: heartbeats beside events, for instance. The Python half is
//! `plectrum/streaming.py`: `Source.start(queue, route)` begins to drive and returns the task, `Source.run` is what a
//! thread runs.

use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use plectrum_http::body::StreamError;
use plectrum_http::sse::EventBody;
use plectrum_http::{Body, BodyStream, Bytes};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::eventloop::{Busy, EventLoop, SyncCall};
use crate::names;
use crate::sse;
use crate::worker::Worker;

/// Bytes in the queue from which on a driver waits.
const ENOUGH: usize = 64 * 1024;

/// Where a driver puts what it has, for the socket to take.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct StreamQueue {
    shared: Arc<Shared>,
    create_future: Py<PyAny>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is room again, or nobody reads any more.
    room: Condvar,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    size: usize,
    /// Whoever waits for bytes.
    reader: Option<Waker>,
    /// The futures of coroutines that wait for room.
    writers: Vec<Py<PyAny>>,
    end: Option<End>,
    abandoned: bool,
    /// Threads that wait for room: to tell nobody takes a system call, too.
    waiting: usize,
    /// Never full: its driver runs on the reader's own thread.
    unbounded: bool,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Broken,
}

#[pymethods]
impl StreamQueue {
    /// Adds bytes or text; what to wait for where the queue is full, else ``None``.
    fn push<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.add(data.py(), piece_of(data)?)
    }

    /// Adds an item of an event stream; as ``push``.
    fn push_event<'py>(&self, item: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.add(item.py(), sse::encode(item)?.into())
    }

    /// Adds bytes or text and blocks the thread while the queue is full; ``False`` where nobody reads any more.
    fn put(&self, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        if self.shared.add(piece_of(data)?) {
            data.py().detach(|| self.shared.wait_for_room());
        }
        Ok(!self.shared.lock().abandoned)
    }

    /// Ends the stream; a broken one is cut off, so that the client can tell.
    #[pyo3(signature = (broken=false))]
    fn close(&self, broken: bool) {
        let mut state = self.shared.lock();
        state.end.get_or_insert(if broken { End::Broken } else { End::Complete });
        state.wake_reader();
    }

    /// Whether nobody reads any more.
    #[getter]
    fn abandoned(&self) -> bool {
        self.shared.lock().abandoned
    }
}

impl StreamQueue {
    fn add<'py>(&self, py: Python<'py>, piece: Bytes) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !self.shared.add(piece) {
            return Ok(None);
        }
        let future = self.create_future.bind(py).call0()?;
        self.shared.lock().writers.push(future.clone().unbind());
        Ok(Some(future))
    }
}

impl Shared {
    /// Whether the queue is full now.
    fn add(&self, piece: Bytes) -> bool {
        let mut state = self.lock();
        if state.abandoned || piece.is_empty() {
            return false;
        }
        state.size += piece.len();
        state.pieces.push_back(piece);
        state.wake_reader();
        state.is_full()
    }

    fn wait_for_room(&self) {
        let mut state = self.lock();
        state.waiting += 1;
        while state.is_full() && !state.abandoned {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.size >= ENOUGH && !self.unbounded
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    /// All that is there, in one piece: small items share a chunk and a system call.
    fn take(&mut self) -> Option<Bytes> {
        self.size = 0;
        if self.pieces.len() < 2 {
            return self.pieces.pop_front();
        }
        let all: Vec<u8> = self.pieces.drain(..).flatten().collect();
        Some(all.into())
    }
}

/// The bytes of an item.
fn piece_of(data: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(Bytes::copy_from_slice(bytes.as_bytes()));
    }
    if let Ok(text) = data.cast::<PyString>() {
        return Ok(Bytes::copy_from_slice(text.to_str()?.as_bytes()));
    }
    let Ok(buffer) = PyBuffer::<u8>::get(data) else {
        let found = data.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "A stream's items must be bytes or str, not {found}. For one JSON value a line, return NDJSON(...)."
        )));
    };
    buffer.to_vec(data.py()).map(Bytes::from)
}

/// Begins to drive `source` (`plectrum.streaming.Source`); its bytes are the body.
///
/// The inner error says that every thread is taken.
pub(crate) fn start(source: &Bound<'_, PyAny>, worker: &Worker, route: &str) -> PyResult<Result<Body, Busy>> {
    let py = source.py();
    let (queue, shared) = queue(py, &worker.event_loop)?;
    let event_loop = Rc::clone(&worker.event_loop);
    let driver = if source.getattr(intern!(py, "is_async"))?.is_truthy()? {
        drive(source, queue, worker, route)?
    } else {
        let run = source.getattr(intern!(py, "run"))?;
        let arguments = PyTuple::new(py, [queue.into_any(), PyString::new(py, route).into_any()])?;
        if worker.in_process {
            shared.lock().unbounded = true;
            names::CALL_HERE.get(py)?.call1((run, arguments, py.None()))?;
            return Ok(Ok(body(source, PyStream { shared, driver: Driver::Done, event_loop })?));
        }
        match worker.pool.call(&run, &arguments, None)? {
            Ok(call) => Driver::Thread { _call: call },
            Err(busy) => return Ok(Err(busy)),
        }
    };
    Ok(Ok(body(source, PyStream { shared, driver, event_loop })?))
}

/// What a stream's driver pushed, for others than the socket.
pub(crate) type Items = Pin<Box<dyn BodyStream>>;

/// Begins to drive `source`, an async one (`plectrum.streaming.Source`).
pub(crate) fn items(source: &Bound<'_, PyAny>, worker: &Worker, route: &str) -> PyResult<Items> {
    let (queue, shared) = queue(source.py(), &worker.event_loop)?;
    let driver = drive(source, queue, worker, route)?;
    Ok(Box::pin(PyStream { shared, driver, event_loop: Rc::clone(&worker.event_loop) }))
}

fn queue<'py>(py: Python<'py>, event_loop: &EventLoop) -> PyResult<(Bound<'py, StreamQueue>, Arc<Shared>)> {
    let shared = Arc::new(Shared::default());
    let create_future = event_loop.create_future(py)?;
    Ok((Bound::new(py, StreamQueue { shared: Arc::clone(&shared), create_future })?, shared))
}

/// Has a task drive an async source.
fn drive(
    source: &Bound<'_, PyAny>,
    queue: Bound<'_, StreamQueue>,
    worker: &Worker,
    route: &str,
) -> PyResult<Driver> {
    let task = source.call_method1(intern!(source.py(), "start"), (queue, route))?;
    worker.event_loop.settle(source.py());
    Ok(Driver::Task(task.unbind()))
}

/// Streams of events have a heartbeat and end when the server does.
fn body(source: &Bound<'_, PyAny>, stream: PyStream) -> PyResult<Body> {
    let (py, stream) = (source.py(), Box::pin(stream));
    if !source.getattr(intern!(py, "endless"))?.is_truthy()? {
        return Ok(Body::Stream(stream));
    }
    let heartbeat: Option<f64> = source.getattr(intern!(py, "heartbeat"))?.extract()?;
    Ok(Body::Events(Box::new(EventBody::new(stream, heartbeat.map(Duration::from_secs_f64)))))
}

/// What fills the queue.
enum Driver {
    /// An asyncio task.
    Task(Py<PyAny>),
    /// Nothing any more.
    Done,
    /// A call in the thread pool, withdrawn when this is dropped before it began.
    Thread { _call: SyncCall },
}

/// The end of the queue that the socket reads.
struct PyStream {
    shared: Arc<Shared>,
    driver: Driver,
    event_loop: Rc<EventLoop>,
}

impl BodyStream for PyStream {
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let mut state = self.shared.lock();
        let Some(bytes) = state.take() else {
            return match state.end {
                Some(End::Complete) => Poll::Ready(None),
                Some(End::Broken) => Poll::Ready(Some(Err("the stream's iterator failed".into()))),
                None => {
                    state.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        };
        let writers = std::mem::take(&mut state.writers);
        if state.waiting > 0 {
            self.shared.room.notify_all();
        }
        drop(state);
        if !writers.is_empty() {
            self.resume(writers);
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}

impl PyStream {
    /// Lets coroutines go on that waited for room.
    fn resume(&self, writers: Vec<Py<PyAny>>) {
        Python::attach(|py| {
            for future in &writers {
                // Cancelled ones refuse a result, and need none.
                let _ = future.bind(py).call_method1(intern!(py, "set_result"), (py.None(),));
            }
            self.event_loop.settle(py);
        });
    }
}

impl Drop for PyStream {
    fn drop(&mut self) {
        let ended = {
            let mut state = self.shared.lock();
            state.abandoned = true;
            state.pieces.clear();
            state.end.is_some()
        };
        self.shared.room.notify_all();
        let Driver::Task(task) = &self.driver else { return };
        // Without an interpreter there is nothing left to cancel.
        Python::try_attach(|py| {
            if !ended && let Err(error) = task.bind(py).call_method0(intern!(py, "cancel")) {
                error.write_unraisable(py, Some(task.bind(py)));
            }
            self.event_loop.settle(py);
        });
    }
}

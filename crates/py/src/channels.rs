//! `Channels`: a worker's groups, for `plectrum.channels`.

use std::cell::OnceCell;
use std::rc::Rc;

use plectrum_engine::channels::link::Reach;
use plectrum_engine::channels::{Hub, Kind, Mailbox};
use plectrum_http::Bytes;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::eventloop::EventLoop;
use crate::thread_bound::ThreadBound;
use crate::websocket::WebSocket;

/// A worker's groups. Nothing is connected before the first use.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct Channels(ThreadBound<Inner>);

struct Inner {
    hub: OnceCell<Rc<Hub>>,
    reach: Reach,
    event_loop: Rc<EventLoop>,
}

impl Channels {
    pub(crate) fn new(reach: Reach, event_loop: &Rc<EventLoop>) -> Self {
        Self(ThreadBound::plain(Inner { hub: OnceCell::new(), reach, event_loop: Rc::clone(event_loop) }))
    }

    fn hub(&self) -> PyResult<&Rc<Hub>> {
        let inner = self.0.get()?;
        if let Some(hub) = inner.hub.get() {
            return Ok(hub);
        }
        let id = getrandom();
        let hub = Hub::open(id, &inner.reach).map_err(PyRuntimeError::new_err)?;
        Ok(inner.hub.get_or_init(|| hub))
    }
}

/// A number that no other worker has: the standard library seeds its hashers from the system.
fn getrandom() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

#[pymethods]
impl Channels {
    /// Adds a WebSocket to a group, under a name that others may ask for.
    #[pyo3(signature = (topic, socket, name=None))]
    fn join(&self, topic: &str, socket: &Bound<'_, WebSocket>, name: Option<&str>) -> PyResult<()> {
        self.hub()?.join(topic, &socket.get().talk()?.socket, name);
        Ok(())
    }

    /// Takes a WebSocket out of a group.
    fn leave(&self, topic: &str, socket: &Bound<'_, WebSocket>) -> PyResult<()> {
        self.hub()?.leave(topic, &socket.get().talk()?.socket);
        Ok(())
    }

    /// Sends text or bytes to the WebSockets of a group; how many there are on this worker.
    fn broadcast(&self, topic: &str, message: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (kind, payload) = match message.cast::<PyString>() {
            Ok(text) => (Kind::Text, Bytes::copy_from_slice(text.to_str()?.as_bytes())),
            Err(_) => (Kind::Binary, Bytes::copy_from_slice(message.extract()?)),
        };
        Ok(self.hub()?.publish(topic, kind, payload))
    }

    /// Sends an event to whoever subscribed; how many there are on this worker.
    fn publish(&self, topic: &str, payload: &[u8]) -> PyResult<usize> {
        Ok(self.hub()?.publish(topic, Kind::Event, Bytes::copy_from_slice(payload)))
    }

    /// Calls `callback(payload)` for every event of a topic; the number ends it.
    fn subscribe(&self, topic: &str, callback: Py<PyAny>) -> PyResult<u64> {
        let event_loop = Rc::clone(&self.0.get()?.event_loop);
        Ok(self.hub()?.subscribe(topic, Rc::new(Callback { callback, event_loop })))
    }

    /// Ends a subscription.
    fn unsubscribe(&self, topic: &str, number: u64) -> PyResult<()> {
        self.hub()?.unsubscribe(topic, number);
        Ok(())
    }

    /// Calls `callback(names)` with the names of a group's members on all workers.
    fn present(&self, topic: String, callback: Py<PyAny>) -> PyResult<()> {
        let (hub, event_loop) = (Rc::clone(self.hub()?), Rc::clone(&self.0.get()?.event_loop));
        tokio::task::spawn_local(async move {
            let names = hub.present(&topic).await;
            Python::attach(|py| event_loop.call(py, &callback, (names,)));
        });
        Ok(())
    }
}

struct Callback {
    callback: Py<PyAny>,
    event_loop: Rc<EventLoop>,
}

impl Mailbox for Callback {
    fn deliver(&self, _topic: &str, payload: &Bytes) {
        Python::attach(|py| self.event_loop.call(py, &self.callback, (PyBytes::new(py, payload),)));
    }
}

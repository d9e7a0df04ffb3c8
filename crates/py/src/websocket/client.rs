//! `ClientSocket`: the other end of a conversation in process, spoken by another implementation (tungstenite) over a pair of
//! sockets.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use plectrum_http::websocket::{Close, Code, Socket, converse};
use pyo3::exceptions::{PyOSError, PyTimeoutError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};
use tokio_tungstenite::tungstenite::{Bytes, Error};

use super::talk::disconnected;
use crate::client::Client;
use crate::thread_bound::ThreadBound;

/// How long the server may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(5);

type Stream = WebSocketStream<UnixStream>;

/// A test's end of a WebSocket.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct ClientSocket {
    client: Py<Client>,
    stream: ThreadBound<Rc<RefCell<Option<Stream>>>>,
}

impl ClientSocket {
    /// Connects to the server's end. Inside of the client's runtime.
    pub(crate) async fn connect(client: Py<Client>, socket: Rc<Socket>) -> PyResult<Self> {
        let (ours, theirs) = UnixStream::pair().map_err(|error| PyOSError::new_err(error.to_string()))?;
        tokio::task::spawn_local(converse(theirs, socket));
        let stream = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        Ok(Self { client, stream: ThreadBound::plain(Rc::new(RefCell::new(Some(stream)))) })
    }

    /// Does something with the stream, and meanwhile whatever the server has to do.
    fn drive<T>(
        &self,
        py: Python<'_>,
        work: impl AsyncFnOnce(&mut Stream) -> Result<T, Error>,
    ) -> PyResult<Result<T, Error>> {
        let stream = Rc::clone(self.stream.get()?);
        let Some(mut taken) = stream.borrow_mut().take() else {
            return Ok(Err(Error::ConnectionClosed));
        };
        let done = self.client.get().run(py, async {
            let done = work(&mut taken).await;
            (taken, done)
        });
        let (taken, done) = done?;
        *stream.borrow_mut() = Some(taken);
        Ok(done)
    }
}

#[pymethods]
impl ClientSocket {
    /// Sends text or bytes.
    fn send(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let message = match message.cast::<PyString>() {
            Ok(text) => Message::text(text.to_str()?),
            Err(_) => Message::Binary(Bytes::copy_from_slice(message.extract()?)),
        };
        self.drive(py, async |stream| stream.send(message).await)?.map_err(|error| gone(py, &error))
    }

    /// Waits for the next message, for so many seconds at most.
    fn receive<'py>(&self, py: Python<'py>, seconds: f64) -> PyResult<Bound<'py, PyAny>> {
        let patience = Duration::from_secs_f64(seconds);
        loop {
            let next = self.drive(py, async |stream| Ok(timeout(patience, stream.next()).await))?;
            return Ok(match next {
                Ok(Ok(Some(Ok(Message::Text(text))))) => PyString::new(py, &text).into_any(),
                Ok(Ok(Some(Ok(Message::Binary(bytes))))) => PyBytes::new(py, &bytes).into_any(),
                Ok(Ok(Some(Ok(Message::Close(frame))))) => return Err(closed(py, frame.as_ref())),
                Ok(Ok(Some(Ok(_)))) => continue,
                Ok(Ok(Some(Err(error)))) | Err(error) => return Err(gone(py, &error)),
                Ok(Ok(None)) => return Err(gone(py, &Error::ConnectionClosed)),
                Ok(Err(_)) => {
                    return Err(PyTimeoutError::new_err(format!("The server sent nothing for {seconds} s.")));
                }
            });
        }
    }

    /// Says goodbye and waits until the server has, too.
    #[pyo3(signature = (code=1000, reason=""))]
    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<()> {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        // Whatever goes wrong, it is closed afterwards.
        let _ = self.drive(py, async |stream| {
            stream.close(Some(frame)).await?;
            let _ = timeout(GOODBYE, async { while let Some(Ok(_)) = stream.next().await {} }).await;
            Ok(())
        })?;
        Ok(())
    }
}

fn closed(py: Python<'_>, frame: Option<&CloseFrame>) -> PyErr {
    let close = frame.map_or_else(
        || Close::new(Code::NONE, ""),
        |frame| Close::new(Code(frame.code.into()), &frame.reason),
    );
    disconnected(py, &close)
}

fn gone(py: Python<'_>, error: &Error) -> PyErr {
    disconnected(py, &Close::new(Code::ABNORMAL, &error.to_string()))
}

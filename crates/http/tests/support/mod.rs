//! A server on its own thread, and a client that speaks raw bytes.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use plectrum_http::server::TcpOptions;
use plectrum_http::sse::EventBody;
use plectrum_http::{
    Body, BodyError, BodyStream, Bytes, Config, DrainReport, HeaderValue, Listener, Reply, Request, Response,
    StatusCode, header, problem, serve,
};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, oneshot};

/// What the handlers did, seen from the test's thread.
#[derive(Clone, Default)]
pub struct Counters {
    pub calls: Arc<AtomicUsize>,
    pub dropped: Arc<AtomicUsize>,
    stop: Arc<Notify>,
}

pub struct Server {
    pub address: SocketAddr,
    pub counters: Counters,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<DrainReport>>,
}

impl Server {
    pub fn start(config: Config) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::on(Listener::tcp(address, TcpOptions::default()).unwrap(), config)
    }

    pub fn on(listener: Listener, config: Config) -> Self {
        let address = listener.address().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
        let (stop, stopped) = oneshot::channel();
        let counters = Counters::default();
        let seen = counters.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).unwrap();
            let stop = Arc::clone(&seen.stop);
            let service = Rc::new(move |request: Request| answer(request, &seen));
            let shutdown = async {
                tokio::select! {
                    _ = stopped => {}
                    () = stop.notified() => {}
                }
            };
            runtime.block_on(serve(vec![listener], Rc::new(config), service, shutdown)).unwrap()
        });
        Self { address, counters, stop: Some(stop), thread: Some(thread) }
    }

    pub fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    pub fn begin_shutdown(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub fn join(&mut self) -> DrainReport {
        self.thread.take().unwrap().join().unwrap()
    }

    pub fn shutdown(&mut self) -> DrainReport {
        self.begin_shutdown();
        self.join()
    }

    pub fn calls(&self) -> usize {
        self.counters.calls.load(Ordering::SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.counters.dropped.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            assert!(std::thread::panicking() || outcome.is_ok(), "the server thread panicked");
        }
    }
}

/// Waits for something that happens on another thread.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The test application: the first path segment says what to do, the second how much.
fn answer(request: Request, counters: &Counters) -> Reply {
    counters.calls.fetch_add(1, Ordering::SeqCst);
    let path = request.path().to_owned();
    let mut parts = path[1.min(path.len())..].split('/');
    let (verb, amount) = (parts.next().unwrap_or(""), parts.next().and_then(|n| n.parse::<u64>().ok()));
    let amount = amount.unwrap_or(0);
    match verb {
        "hello" => Reply::Ready(text(format!("hello {amount}"))),
        "query" => Reply::Ready(text(format!("{:?} {:?}", request.query(), request.peer))),
        "panic" => panic!("asked to"),
        "panic-later" => Reply::pending(async {
            tokio::task::yield_now().await;
            panic!("asked to, later")
        }),
        "slow" => Reply::pending(async move {
            tokio::time::sleep(Duration::from_millis(amount)).await;
            text(format!("slow {amount}"))
        }),
        // Holds up the whole worker, as a handler that computes does, and shuts the server down before it has
        // looked at its sockets again.
        "block-and-stop" => {
            std::thread::sleep(Duration::from_millis(amount));
            counters.stop.notify_one();
            Reply::Ready(text(format!("stop {amount}")))
        }
        "hang" => {
            let guard = CountDrop(counters.dropped.clone());
            Reply::pending(async move {
                let _guard = guard;
                std::future::pending::<Response>().await
            })
        }
        "big" => Reply::Ready(Response::new(Body::from(vec![b'x'; usize::try_from(amount).unwrap()]))),
        "stream" => Reply::Ready(Response::new(Body::stream(Ticks::new(amount, Duration::from_millis(2))))),
        "endless" => {
            let mut ticks = Ticks::new(u64::MAX, Duration::from_millis(2));
            ticks.guard = Some(CountDrop(counters.dropped.clone()));
            Reply::Ready(Response::new(Body::stream(ticks)))
        }
        "events" => Reply::Ready(events(Ticks::new(amount, Duration::from_millis(2)))),
        "silence" => {
            let mut ticks = Ticks::new(1, Duration::from_millis(amount));
            ticks.guard = Some(CountDrop(counters.dropped.clone()));
            Reply::Ready(events(ticks))
        }
        "flood" => Reply::Ready(events(Flood(CountDrop(counters.dropped.clone())))),
        "panic-events" => Reply::Ready(events(PanicStream)),
        "panic-stream" => Reply::Ready(Response::new(Body::stream(PanicStream))),
        "echo" => Reply::pending(echo(request)),
        "length" => Reply::pending(length(request)),
        "ignore" => Reply::Ready(text("ignored".into())),
        "lie" => {
            let mut response = text("the truth".into());
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));
            Reply::Ready(response)
        }
        "nothing" => {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::NO_CONTENT;
            Reply::Ready(response)
        }
        _ => Reply::Ready(problem::of(StatusCode::NOT_FOUND)),
    }
}

fn events(stream: impl BodyStream + 'static) -> Response {
    let events = EventBody::new(Box::pin(stream), Some(Duration::from_millis(300)));
    let mut response = Response::new(Body::Events(Box::new(events)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

fn text(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

async fn echo(request: Request) -> Response {
    match request.body.collect(64 * 1024).await {
        Ok(bytes) => Response::new(Body::Full(bytes)),
        Err(error) => body_problem(error),
    }
}

async fn length(request: Request) -> Response {
    let mut body = request.body;
    let mut total = 0;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => total += bytes.len(),
            Err(error) => return body_problem(error),
        }
    }
    text(format!("{total}"))
}

fn body_problem(error: BodyError) -> Response {
    problem::of(match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::Timeout => StatusCode::REQUEST_TIMEOUT,
        BodyError::Malformed | BodyError::Disconnected => StatusCode::BAD_REQUEST,
    })
}

/// `count` pieces, one per `pause`.
struct Ticks {
    left: u64,
    pause: Duration,
    sleep: Pin<Box<tokio::time::Sleep>>,
    guard: Option<CountDrop>,
}

impl Ticks {
    fn new(left: u64, pause: Duration) -> Self {
        Self { left, pause, sleep: Box::pin(tokio::time::sleep(pause)), guard: None }
    }
}

impl BodyStream for Ticks {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, plectrum_http::body::StreamError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.sleep.as_mut().poll(cx));
        let next = tokio::time::Instant::now() + self.pause;
        self.sleep.as_mut().reset(next);
        self.left -= 1;
        Poll::Ready(Some(Ok(Bytes::from_static(b"tick;"))))
    }
}

/// As much as is taken.
struct Flood(#[allow(dead_code, reason = "dropped with the stream")] CountDrop);

impl BodyStream for Flood {
    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, plectrum_http::body::StreamError>>> {
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 64 * 1024]))))
    }
}

struct PanicStream;

impl BodyStream for PanicStream {
    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, plectrum_http::body::StreamError>>> {
        panic!("asked to, in the stream")
    }
}

/// A parsed answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Asserts a problem document whose members agree with the status line.
    pub fn assert_problem(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert!(self.text().starts_with(r#"{"type":"about:blank","title":""#), "{self:?}");
        assert!(self.text().ends_with(&format!(r#","status":{status}}}"#)), "{self:?}");
    }
}

/// A client that sends exactly what it is told.
pub struct Client<S = TcpStream> {
    pub stream: S,
    buffer: Vec<u8>,
}

impl Client<TcpStream> {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }
}

impl<S: Read + Write> Client<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n"));
        self.answer()
    }

    /// Reads one answer to a request that was not HEAD.
    pub fn answer(&mut self) -> Answer {
        let head = self.head();
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: Vec::new() };
        if let Some(length) = answer.header("content-length").map(|n| n.parse::<usize>().unwrap()) {
            answer.body = self.take(length);
        } else if answer.header("transfer-encoding").is_some() {
            answer.body = self.chunks();
        }
        answer
    }

    /// Reads one head, up to and including its empty line.
    pub fn head(&mut self) -> String {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                return String::from_utf8(self.take(at + 4)).unwrap();
            }
            assert!(self.fill(), "closed inside a head: {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                assert!(self.fill(), "closed inside a chunked body");
            };
            let line = String::from_utf8(self.take(end + 2)).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            let chunk = self.take(size + 2);
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return body;
            }
        }
    }

    /// Whether the server says anything more, or closes.
    pub fn has_more(&mut self) -> bool {
        !self.buffer.is_empty() || self.fill()
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(self.fill(), "closed with {} of {length} bytes", self.buffer.len());
        }
        self.buffer.drain(..length).collect()
    }

    fn fill(&mut self) -> bool {
        let mut bytes = [0; 64 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(n) => {
                self.buffer.extend_from_slice(&bytes[..n]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Everything until the server closes.
    pub fn rest(&mut self) -> String {
        while self.fill() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.buffer)).into_owned()
    }

    /// Asserts that the server closes without another byte.
    pub fn assert_closed(&mut self) {
        assert_eq!(self.rest(), "");
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

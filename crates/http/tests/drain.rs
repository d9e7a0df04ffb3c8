//! Graceful shutdown: nothing that was begun is cut short, nothing idle holds it up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use plectrum_http::{Config, DrainReport};
use support::{Client, Server, eventually};

#[test]
fn idle_connections_close_soon() {
    let mut server = Server::start(Config::default());
    let mut idle = server.connect();
    let mut fresh = server.connect();
    assert_eq!(idle.get("/hello/1").status, 200);
    std::thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    let report = server.shutdown();
    assert_eq!(report, DrainReport { finished: 0, idle: 2, aborted: 0 });
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    idle.assert_closed();
    fresh.assert_closed();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_request_that_is_on_its_way_is_answered() {
    let mut server = Server::start(Config::default());
    let (mut fresh, mut kept) = (server.connect(), server.connect());
    assert_eq!(kept.get("/hello/1").header("connection"), None);
    server.begin_shutdown();
    std::thread::sleep(Duration::from_millis(30));
    for client in [&mut fresh, &mut kept] {
        let answer = client.get("/hello/1");
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        client.assert_closed();
    }
    assert_eq!(server.join().aborted, 0);
}

#[test]
fn running_requests_finish_and_say_close() {
    let mut server = Server::start(Config::default());
    let mut slow = server.connect();
    let mut stream = server.connect();
    let mut large = server.connect();
    slow.send("GET /slow/300 HTTP/1.1\r\nHost: t\r\n\r\n");
    stream.send("GET /stream/100 HTTP/1.1\r\nHost: t\r\n\r\n");
    large.send("GET /big/20000000 HTTP/1.1\r\nHost: t\r\n\r\n");
    eventually("the calls", || server.calls() == 3);
    server.begin_shutdown();
    let answer = slow.answer();
    assert_eq!((answer.text(), answer.header("connection")), ("slow 300", Some("close")));
    assert_eq!(stream.answer().body.len(), 500);
    assert_eq!(large.answer().body.len(), 20_000_000);
    slow.assert_closed();
    assert_eq!(server.join(), DrainReport { finished: 3, idle: 0, aborted: 0 });
}

#[test]
fn what_does_not_finish_is_aborted_at_the_deadline() {
    let mut server = Server::start(Config { drain: Duration::from_millis(300), ..Config::default() });
    let mut hanging = server.connect();
    let mut slow = server.connect();
    hanging.send("GET /hang HTTP/1.1\r\nHost: t\r\n\r\n");
    slow.send("GET /slow/100 HTTP/1.1\r\nHost: t\r\n\r\n");
    eventually("the calls", || server.calls() == 2);
    let start = Instant::now();
    assert_eq!(server.shutdown(), DrainReport { finished: 1, idle: 0, aborted: 1 });
    assert!((Duration::from_millis(300)..Duration::from_millis(900)).contains(&start.elapsed()));
    assert_eq!(server.dropped(), 1);
    assert_eq!(slow.answer().text(), "slow 100");
    hanging.assert_closed();
}

#[test]
fn a_request_half_sent_may_be_completed() {
    let mut server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345");
    eventually("the call", || server.calls() == 1);
    server.begin_shutdown();
    std::thread::sleep(Duration::from_millis(100));
    client.send("67890");
    assert_eq!(client.answer().text(), "1234567890");
    assert_eq!(server.join().finished, 1);
}

/// They believe to be connected, and some have asked already: closing the listener must not reset them, and
/// what has arrived is answered.
#[test]
fn what_arrived_before_the_shutdown_is_answered() {
    let mut server = Server::start(Config::default());
    let mut blocking = server.connect();
    let mut idle = server.connect();
    assert_eq!(idle.get("/hello/0").status, 200);
    blocking.send("GET /block-and-stop/300 HTTP/1.1\r\nHost: t\r\n\r\n");
    eventually("the call", || server.calls() == 2);
    let mut queued: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in queued.iter_mut().chain([&mut idle]) {
        client.send("GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    for client in queued.iter_mut().chain([&mut idle]) {
        assert_eq!(client.answer().text(), "hello 1");
        client.assert_closed();
    }
    assert_eq!(blocking.answer().text(), "stop 300");
    assert_eq!(server.join().aborted, 0);
}

/// Eight clients hammer while the server goes: every answer that begins is whole, and no connection that the
/// server accepted is reset before it was answered.
#[test]
fn no_truncated_answer_under_load() {
    for _ in 0..5 {
        let mut server = Server::start(Config::default());
        let stop = Arc::new(AtomicBool::new(false));
        let whole = Arc::new(AtomicUsize::new(0));
        let address = server.address;
        let clients: Vec<_> = (0..8)
            .map(|n| {
                let (stop, whole) = (Arc::clone(&stop), Arc::clone(&whole));
                std::thread::spawn(move || hammer(address, n, &stop, &whole))
            })
            .collect();
        eventually("load", || whole.load(Ordering::SeqCst) > 200);
        let report = server.shutdown();
        stop.store(true, Ordering::SeqCst);
        for client in clients {
            client.join().unwrap();
        }
        assert_eq!(report.aborted, 0);
    }
}

fn hammer(address: std::net::SocketAddr, n: usize, stop: &AtomicBool, whole: &AtomicUsize) {
    use std::io::Write;
    while !stop.load(Ordering::SeqCst) {
        let Ok(stream) = TcpStream::connect(address) else { return };
        let mut client = Client::new(stream);
        for _ in 0..20 {
            let path = ["/hello/1", "/big/200000", "/slow/3", "/stream/4"][n % 4];
            if write!(client.stream, "GET {path} HTTP/1.1\r\nHost: t\r\n\r\n").is_err() || !client.has_more()
            {
                // Closed between two requests: fair, and no answer was begun.
                break;
            }
            // Panics when the answer is cut short.
            let answer = client.answer();
            assert_eq!(answer.status, 200);
            whole.fetch_add(1, Ordering::SeqCst);
            if answer.header("connection") == Some("close") {
                break;
            }
        }
    }
}

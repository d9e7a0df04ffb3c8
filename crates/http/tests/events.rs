//! Streams of events: what a connection is that hyper has given up, and what it is where hyper keeps it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::Shutdown;
use std::time::{Duration, Instant};

use plectrum_http::{Config, Timeouts};
use support::{Server, eventually};

#[test]
fn events_to_their_end_and_then_the_connections() {
    let server = Server::start(Config { server_header: Some("s".parse().unwrap()), ..Config::default() });
    let mut client = server.connect();
    let answer = client.get("/events/3");
    assert_eq!((answer.status, answer.text()), (200, "tick;tick;tick;"));
    let header = |name| answer.header(name);
    assert_eq!(header("connection"), Some("close"));
    assert_eq!(header("content-type"), Some("text/event-stream"));
    assert_eq!(header("server"), Some("s"));
    assert!(header("date").unwrap().ends_with(" GMT"));
    client.assert_closed();
}

#[test]
fn what_is_not_a_get_of_http_1_1_stays_with_hyper() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /events/2 HTTP/1.0\r\nHost: t\r\n\r\n");
    let old = client.rest();
    assert!(old.ends_with("\r\n\r\ntick;tick;") && !old.contains("chunked"), "{old}");
    let mut client = server.connect();
    client.send("POST /events/2 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(client.answer().text(), "tick;tick;");
    assert_eq!(client.get("/hello/1").text(), "hello 1");
}

#[test]
fn an_answer_that_waits_goes_out_first() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n");
    client.send([request("/big/20000000"), request("/events/2"), request("/hello/1")].concat());
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(client.answer().body.len(), 20_000_000);
    assert_eq!(client.answer().text(), "tick;tick;");
    client.assert_closed();
}

#[test]
fn silence_is_broken_by_comments() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /silence/1000 HTTP/1.1\r\nHost: t\r\n\r\n");
    let start = Instant::now();
    let answer = client.answer();
    assert!(answer.text().starts_with(":\n\n:\n\n") && answer.text().ends_with(":\n\ntick;"), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_peer_that_leaves_ends_its_stream() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /silence/100000 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.head();
    client.send("GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(server.dropped(), 0);
    client.stream.shutdown(Shutdown::Write).unwrap();
    eventually("the end", || server.dropped() == 1);
    assert_eq!(server.calls(), 1, "nothing is asked on a stream's connection");
}

#[test]
fn with_half_close_it_does_not() {
    let server = Server::start(Config { half_close: true, ..Config::default() });
    let mut client = server.connect();
    client.send("GET /silence/600 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert!(client.answer().text().ends_with("tick;"));
}

#[test]
fn a_peer_that_does_not_read_is_cut_off() {
    let timeouts = Timeouts { write: Some(Duration::from_millis(300)), ..Timeouts::default() };
    let server = Server::start(Config { timeouts, ..Config::default() });
    let mut client = server.connect();
    client.send("GET /flood HTTP/1.1\r\nHost: t\r\n\r\n");
    eventually("the end", || server.dropped() == 1);
}

#[test]
fn a_stop_ends_the_stream_properly() {
    let mut server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /silence/100000 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.head();
    assert_eq!(server.shutdown().aborted, 0);
    assert!(client.rest().ends_with("0\r\n\r\n"));
}

#[test]
fn a_panic_cuts_it_off() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /panic-events HTTP/1.1\r\nHost: t\r\n\r\n");
    assert!(!client.rest().contains("0\r\n\r\n"));
    assert_eq!(server.connect().get("/hello/1").status, 200);
}

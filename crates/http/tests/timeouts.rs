//! Every timeout fires, and none fires early.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Read;
use std::time::{Duration, Instant};

use plectrum_http::{Config, Timeouts};
use support::{Client, Server, eventually};

const NEVER: Timeouts =
    Timeouts { header_read: None, keep_alive: None, body_read: None, write: None, ping: None, pong: None };
const SHORT: Option<Duration> = Some(Duration::from_millis(200));

fn start(timeouts: Timeouts) -> Server {
    Server::start(Config { timeouts, ..Config::default() })
}

/// Runs `wait` and asserts that it took about as long as `SHORT`.
fn fires(wait: impl FnOnce()) {
    let start = Instant::now();
    wait();
    let took = start.elapsed();
    assert!((Duration::from_millis(195)..Duration::from_millis(900)).contains(&took), "{took:?}");
}

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let server = start(Timeouts { header_read: SHORT, ..NEVER });
    let mut client = server.connect();
    fires(|| client.assert_closed());
}

#[test]
fn half_a_head_is_answered_with_408() {
    let server = start(Timeouts { header_read: SHORT, ..NEVER });
    let mut client = server.connect();
    client.send("GET /hello/1 HTTP/1.1\r\nHos");
    fires(|| client.answer().assert_problem(408));
    client.assert_closed();
    assert_eq!(server.calls(), 0);
}

#[test]
fn slow_loris_does_not_extend_its_time() {
    let server = start(Timeouts { header_read: SHORT, ..NEVER });
    let client = server.connect();
    let mut writer = client.stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        use std::io::Write;
        for byte in b"GET /hello/1 HTTP/1.1\r\nHost: t\r\nX-Drip: ".iter().chain([b'a'; 200].iter()) {
            if writer.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let mut client = Client::new(client.stream);
    fires(|| client.answer().assert_problem(408));
    drop(client);
    dripping.join().unwrap();
}

#[test]
fn a_late_first_byte_does_not_extend_the_time() {
    let timeout = Duration::from_millis(600);
    let server = start(Timeouts { header_read: Some(timeout), ..NEVER });
    let start = Instant::now();
    let mut client = server.connect();
    std::thread::sleep(Duration::from_millis(450));
    client.send("GET /hello/1 HTTP/1.1\r\n");
    client.answer().assert_problem(408);
    assert!((timeout..Duration::from_millis(1000)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn an_idle_connection_is_closed_after_keep_alive() {
    let server = start(Timeouts { keep_alive: SHORT, ..NEVER });
    let mut client = server.connect();
    // Busy connections are not touched, however often they pause for less.
    for _ in 0..4 {
        assert_eq!(client.get("/hello/1").status, 200);
        std::thread::sleep(Duration::from_millis(120));
    }
    assert_eq!(client.get("/slow/500").text(), "slow 500");
    fires(|| client.assert_closed());
}

#[test]
fn a_later_head_has_its_own_time() {
    let server = start(Timeouts { header_read: SHORT, ..NEVER });
    let mut client = server.connect();
    assert_eq!(client.get("/hello/1").status, 200);
    std::thread::sleep(Duration::from_millis(500));
    client.send("GET /hello/2 HTT");
    fires(|| client.answer().assert_problem(408));
    client.assert_closed();
}

#[test]
fn half_a_body_is_answered_with_408() {
    let server = start(Timeouts { body_read: SHORT, ..NEVER });
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345");
    fires(|| client.answer().assert_problem(408));
    client.assert_closed();
}

#[test]
fn a_slow_body_that_moves_is_read() {
    let server = start(Timeouts { body_read: SHORT, ..NEVER });
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\n");
    for byte in b"123456" {
        std::thread::sleep(Duration::from_millis(100));
        client.send([*byte]);
    }
    assert_eq!(client.answer().text(), "123456");
    // A handler that takes its time after reading is not the peer's fault.
    assert_eq!(client.get("/slow/500").text(), "slow 500");
}

#[test]
fn a_peer_that_does_not_read_is_cut_off() {
    let server = start(Timeouts { write: SHORT, ..NEVER });
    let mut client = server.connect();
    client.send("GET /big/50000000 HTTP/1.1\r\nHost: t\r\n\r\n");
    std::thread::sleep(Duration::from_millis(800));
    assert!(client.rest().len() < 50_000_000);
}

#[test]
fn a_peer_that_reads_slowly_is_served() {
    let server = start(Timeouts { write: SHORT, ..NEVER });
    let mut client = server.connect();
    client.send("GET /big/50000000 HTTP/1.1\r\nHost: t\r\n\r\n");
    let mut received = 0;
    let mut piece = vec![0; 1_000_000];
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        client.stream.read_exact(&mut piece).unwrap();
        received += piece.len();
    }
    while received < 50_000_000 {
        let more = client.stream.read(&mut piece).unwrap();
        assert!(more > 0, "cut off after {received} bytes");
        received += more;
    }
}

#[test]
fn a_stream_that_pauses_is_not_a_peer_that_pauses() {
    let server =
        start(Timeouts { write: SHORT, keep_alive: SHORT, header_read: SHORT, body_read: SHORT, ..NEVER });
    let mut client = server.connect();
    client.send("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n");
    client.head();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(server.dropped(), 0);
    drop(client);
    eventually("the drop", || server.dropped() == 1);
}

#[test]
fn without_timeouts_nothing_is_closed() {
    let server = start(NEVER);
    let mut idle = server.connect();
    let mut half = server.connect();
    half.send("GET /hello/1 HTTP/1.1\r\n");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(idle.get("/hello/2").text(), "hello 2");
    half.send("Host: t\r\n\r\n");
    assert_eq!(half.answer().text(), "hello 1");
}

//! What is too much is refused with the right status, and ambiguous framing is never guessed at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::time::Duration;

use plectrum_http::Config;
use support::{Server, eventually};

fn post(headers: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: t\r\n{headers}\r\n\r\n{body}")
}

#[test]
fn too_many_headers() {
    let headers = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    for limit in [20, 100, 150] {
        let server = Server::start(Config { max_headers: limit, ..Config::default() });
        let mut client = server.connect();
        client.send(format!("GET /hello/1 HTTP/1.1\r\nHost: t\r\n{}\r\n", headers(limit - 1)));
        assert_eq!(client.answer().status, 200, "{limit}");
        client.send(format!("GET /hello/1 HTTP/1.1\r\nHost: t\r\n{}\r\n", headers(limit)));
        client.answer().assert_problem(431);
    }
}

#[test]
fn too_large_a_head() {
    let server = Server::start(Config { max_head_size: 10_000, ..Config::default() });
    let mut client = server.connect();
    client.send(format!("GET /hello/1 HTTP/1.1\r\nHost: t\r\nx: {}\r\n\r\n", "a".repeat(9_000)));
    assert_eq!(client.answer().status, 200);
    client.send(format!("GET /hello/1 HTTP/1.1\r\nHost: t\r\nx: {}\r\n\r\n", "a".repeat(10_000)));
    let answer = client.answer();
    answer.assert_problem(431);
    assert_eq!(answer.header("connection"), Some("close"));
    client.assert_closed();
}

#[test]
fn a_head_without_end() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    let mut writer = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let line = format!("x: {}\r\n", "a".repeat(1000));
        let _ = writer.write_all(b"GET / HTTP/1.1\r\n");
        for _ in 0..2000 {
            if writer.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    });
    client.answer().assert_problem(431);
    drop(client);
    sender.join().unwrap();
}

#[test]
fn too_long_a_target() {
    let server = Server::start(Config { max_uri: 100, ..Config::default() });
    let mut client = server.connect();
    assert_eq!(client.get(&format!("/hello/{}", "1".repeat(93))).status, 200);
    client.get(&format!("/hello/{}", "1".repeat(94))).assert_problem(414);
    client.get(&format!("/hello/1?{}", "1".repeat(94))).assert_problem(414);
    // The connection is still good.
    assert_eq!(client.get("/hello/1").status, 200);
}

#[test]
fn an_announced_body_that_is_too_large_is_refused_unread() {
    let server = Server::start(Config { max_body: 1000, ..Config::default() });
    let mut client = server.connect();
    client.send(post("Content-Length: 1001\r\nExpect: 100-continue", ""));
    client.answer().assert_problem(413);
    client.assert_closed();
    assert_eq!(server.calls(), 0);
}

#[test]
fn the_refusal_reaches_a_peer_that_keeps_sending() {
    let server = Server::start(Config { max_body: 1000, ..Config::default() });
    let mut client = server.connect();
    client.send(post("Content-Length: 8000000", ""));
    // Ignorant of the answer, as many clients are: write everything, then read.
    client.send(vec![b'x'; 8_000_000]);
    client.answer().assert_problem(413);
}

#[test]
fn a_chunked_body_that_grows_too_large_is_refused() {
    let server = Server::start(Config { max_body: 1000, ..Config::default() });
    let mut client = server.connect();
    client.send(post(
        "Transfer-Encoding: chunked",
        &format!("{}0\r\n\r\n", "64\r\n".to_owned() + &"y".repeat(100) + "\r\n").repeat(1),
    ));
    assert_eq!(client.answer().body.len(), 100);
    let mut client = server.connect();
    client.send(post(
        "Transfer-Encoding: chunked",
        &("64\r\n".to_owned() + &"y".repeat(100) + "\r\n").repeat(11),
    ));
    client.answer().assert_problem(413);
    client.assert_closed();
}

#[test]
fn a_route_may_ask_for_less() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send(post("Content-Length: 65537", ""));
    client.answer().assert_problem(413);
    client.assert_closed();
    let mut client = server.connect();
    let chunk = format!("fffe\r\n{}\r\n", "x".repeat(0xfffe));
    client.send(post("Transfer-Encoding: chunked", &chunk.repeat(2)));
    client.answer().assert_problem(413);
}

#[test]
fn host_is_required_once() {
    let server = Server::start(Config::default());
    for head in [
        "GET /hello/1 HTTP/1.1\r\n\r\n",
        "GET /hello/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /hello/1 HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    ] {
        let mut client = server.connect();
        client.send(head);
        client.answer().assert_problem(400);
    }
    assert_eq!(server.calls(), 0);
}

/// Heads that nobody may guess about: refused, closed, and nothing behind them is taken for a request.
#[test]
fn ambiguous_framing_is_refused() {
    let server = Server::start(Config::default());
    let smuggled = "GET /hello/666 HTTP/1.1\r\nHost: t\r\n\r\n";
    for headers in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: ",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\r\n: chunked",
        " Transfer-Encoding: chunked",
        "X: a\r\n Transfer-Encoding: chunked",
        "X: a\rTransfer-Encoding: chunked",
        "X: a\0b",
        "Content-Length\0: 5",
        "Content Length: 5",
        ": 5",
    ] {
        let before = server.calls();
        let mut client = server.connect();
        client.send(post(headers, &format!("hello{smuggled}")));
        let all = client.rest();
        assert!(all.starts_with("HTTP/1.1 400 "), "{headers:?}: {all}");
        assert!(all.contains("application/problem+json"), "{headers:?}: {all}");
        assert_eq!(all.matches("HTTP/1.1").count(), 1, "{headers:?}: {all}");
        assert_eq!(server.calls(), before, "{headers:?}");
    }
}

#[test]
fn transfer_encoding_is_unknown_to_http_1_0() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    let all = client.rest();
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
}

/// RFC 9112 §6.3: chunked wins over a length, and the connection ends with the answer.
#[test]
fn length_and_chunks_together_end_the_connection() {
    let server = Server::start(Config::default());
    for headers in
        ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3"]
    {
        let mut client = server.connect();
        client.send(post(headers, "2\r\nab\r\n0\r\n\r\nGET /hello/666 HTTP/1.1\r\nHost: t\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(answer.text(), "ab", "{headers}");
        assert_eq!(answer.header("connection"), Some("close"));
        client.assert_closed();
    }
}

#[test]
fn equal_lengths_count_once() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send(post("Content-Length: 5\r\nContent-Length: 5", "hello"));
    assert_eq!(client.answer().text(), "hello");
    assert_eq!(client.get("/hello/1").text(), "hello 1");
}

#[test]
fn broken_chunks_are_refused() {
    let server = Server::start(Config::default());
    for body in [
        "zz\r\n",
        "5\nhello\r\n",
        "5\r\nhelloX\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
        "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
        "\r\n",
    ] {
        let mut client = server.connect();
        client.send(post("Transfer-Encoding: chunked", body));
        let answer = client.answer();
        answer.assert_problem(400);
        client.assert_closed();
    }
}

#[test]
fn a_body_that_breaks_off_is_not_taken_for_whole() {
    let server = Server::start(Config::default());
    for headers in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut client = server.connect();
        client.send(post(headers, "4\r\nab"));
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let all = client.rest();
        assert!(!all.starts_with("HTTP/1.1 200"), "{all}");
    }
}

#[test]
fn connections_beyond_the_limit_wait() {
    let server = Server::start(Config { max_connections: 2, ..Config::default() });
    let mut first = server.connect();
    let mut second = server.connect();
    assert_eq!(first.get("/hello/1").status, 200);
    assert_eq!(second.get("/hello/2").status, 200);
    let mut third = server.connect();
    third.send("GET /hello/3 HTTP/1.1\r\nHost: t\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.calls(), 2, "the third connection was served beside two open ones");
    drop(first);
    assert_eq!(third.answer().text(), "hello 3");
    assert_eq!(second.get("/hello/4").text(), "hello 4");
}

#[test]
fn connections_that_die_in_the_queue_are_survived() {
    let server = Server::start(Config { max_connections: 50, ..Config::default() });
    for _ in 0..300 {
        let client = server.connect();
        socket2::SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    eventually("an answer", || server.connect().get("/hello/1").status == 200);
}

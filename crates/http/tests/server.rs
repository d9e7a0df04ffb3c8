//! The server over real sockets: the everyday protocol, panics, disconnects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use plectrum_http::{Config, HeaderValue, Listener};
use support::{Client, Server, eventually};

/// A method may begin as HTTP/2 does.
#[test]
fn a_request_that_comes_byte_by_byte() {
    let server = Server::start(Config::default());
    for (request, status) in [
        ("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi", 200),
        ("PRI /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n", 200),
        ("PRI * HTTP/1.1\r\nHost: t\r\n\r\n", 404),
    ] {
        let mut client = server.connect();
        for byte in request.bytes() {
            client.send([byte]);
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        assert_eq!(client.answer().status, status, "{request}");
    }
}

#[test]
fn keep_alive() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    for n in 0..50 {
        let answer = client.get(&format!("/hello/{n}"));
        assert_eq!((answer.status, answer.text()), (200, format!("hello {n}").as_str()));
        assert!(answer.header("date").is_some() && answer.header("server").is_none());
        assert_eq!(answer.header("connection"), None);
    }
    client.send("GET /hello/1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    assert_eq!(client.answer().header("connection"), Some("close"));
    client.assert_closed();
}

#[test]
fn http_1_0() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /hello/1 HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().text(), "hello 1");
    client.assert_closed();
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("GET /hello/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(client.answer().header("connection"), Some("keep-alive"));
    }
    // No chunks for a peer that cannot read them.
    client.send("GET /stream/2 HTTP/1.0\r\n\r\n");
    assert!(!client.head().contains("transfer-encoding"));
    assert_eq!(client.rest(), "tick;tick;");
}

#[test]
fn header_switches() {
    let config = Config {
        date_header: false,
        server_header: Some(HeaderValue::from_static("x/1")),
        ..Config::default()
    };
    let server = Server::start(config);
    let answer = server.connect().get("/hello/1");
    assert_eq!((answer.header("date"), answer.header("server")), (None, Some("x/1")));
}

#[test]
fn pipelined_answers_keep_their_order() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    let mut requests = String::new();
    for n in 0..100 {
        let path = match n % 4 {
            0 => format!("/slow/{}", n % 8),
            1 => "/stream/3".to_owned(),
            2 => format!("/big/{}", n * 1000),
            _ => format!("/hello/{n}"),
        };
        requests += &format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    let mut writer = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || writer.write_all(requests.as_bytes()).unwrap());
    for n in 0..100 {
        let answer = client.answer();
        match n % 4 {
            0 => assert_eq!(answer.text(), format!("slow {}", n % 8)),
            1 => assert_eq!(answer.text(), "tick;tick;tick;"),
            2 => assert_eq!(answer.body.len(), n * 1000),
            _ => assert_eq!(answer.text(), format!("hello {n}")),
        }
    }
    sender.join().unwrap();
}

#[test]
fn a_request_in_single_bytes() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    for byte in b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello" {
        client.send([*byte]);
    }
    assert_eq!(client.answer().text(), "hello");
    assert_eq!(client.get("/hello/2").text(), "hello 2");
}

#[test]
fn bodies_by_length_and_by_chunks() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().text(), "");
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n");
    assert_eq!(client.answer().text(), "abcdefg");
    let large = "z".repeat(60_000);
    client.send(format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n{large}"));
    assert_eq!(client.answer().text(), large);
    client.send(format!("POST /length HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n{large}"));
    assert_eq!(client.answer().text(), "60000");
}

#[test]
fn head_has_the_length_and_no_body() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("HEAD /big/1234 HTTP/1.1\r\nHost: t\r\n\r\n");
    let head = client.head();
    assert!(head.contains("content-length: 1234\r\n"), "{head}");
    client.send("HEAD /stream/5 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.head();
    assert_eq!(client.get("/hello/7").text(), "hello 7");
}

#[test]
fn no_content_has_no_length() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    let answer = client.get("/nothing");
    assert_eq!((answer.status, answer.header("content-length")), (204, None));
    assert_eq!(client.get("/hello/7").text(), "hello 7");
}

#[test]
fn a_wrong_length_from_the_application_is_corrected() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    assert_eq!(client.get("/lie").text(), "the truth");
    assert_eq!(client.get("/hello/7").text(), "hello 7");
}

#[test]
fn query_and_peer() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    let port = client.stream.local_addr().unwrap().port();
    let answer = client.get("/query?a=b%20c&d");
    assert_eq!(answer.text(), format!("\"a=b%20c&d\" Tcp(127.0.0.1:{port})"));
    client.send("GET http://other/hello/3?x HTTP/1.1\r\nHost: other\r\n\r\n");
    assert_eq!(client.answer().text(), "hello 3");
}

#[test]
fn expect_continue_is_sent_when_somebody_reads() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert_eq!(client.answer().text(), "hello");
    client.send("POST /ignore HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.answer().text(), "ignored");
    client.assert_closed();
}

#[test]
fn panics_are_contained() {
    std::panic::set_hook(Box::new(|_| {}));
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.get("/panic").assert_problem(500);
    client.get("/panic-later").assert_problem(500);
    assert_eq!(client.get("/hello/1").text(), "hello 1");
    client.send("GET /panic-stream HTTP/1.1\r\nHost: t\r\n\r\n");
    // The head may be out already; what matters is that the body does not end as if it were whole.
    assert!(!client.rest().ends_with("0\r\n\r\n"));
    assert_eq!(server.connect().get("/hello/2").text(), "hello 2");
}

#[test]
fn a_disconnect_drops_the_running_request() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /hang HTTP/1.1\r\nHost: t\r\n\r\n");
    eventually("the call", || server.calls() == 1);
    assert_eq!(server.dropped(), 0);
    let left = Instant::now();
    drop(client);
    eventually("the drop", || server.dropped() == 1);
    assert!(left.elapsed() < Duration::from_millis(100), "{:?}", left.elapsed());
}

#[test]
fn a_disconnect_is_seen_behind_pipelined_bytes() {
    let server = Server::start(Config::default());
    // Into hyper's buffer only, and more than it holds, so that bytes stay in the kernel too.
    for waiting in [1, 1000] {
        let before = server.dropped();
        let mut client = server.connect();
        client.send("GET /hang HTTP/1.1\r\nHost: t\r\n\r\n");
        client.send("GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n".repeat(waiting));
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(server.dropped(), before);
        client.stream.shutdown(Shutdown::Both).unwrap();
        drop(client);
        eventually("the drop", || server.dropped() == before + 1);
    }
}

#[test]
fn a_disconnect_is_seen_behind_an_unread_body() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("POST /hang HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nsome");
    eventually("the call", || server.calls() == 1);
    drop(client);
    eventually("the drop", || server.dropped() == 1);
}

#[test]
fn a_disconnect_ends_a_stream() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n");
    client.head();
    drop(client);
    eventually("the drop", || server.dropped() == 1);
}

#[test]
fn half_close_is_a_choice() {
    let server = Server::start(Config { half_close: true, ..Config::default() });
    let mut client = server.connect();
    client.send("GET /slow/50 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().text(), "slow 50");
    client.assert_closed();
    let server = Server::start(Config::default());
    let mut client = server.connect();
    client.send("GET /slow/50 HTTP/1.1\r\nHost: t\r\n\r\n");
    client.stream.shutdown(Shutdown::Write).unwrap();
    client.assert_closed();
}

#[test]
fn large_answers_arrive_whole() {
    let server = Server::start(Config::default());
    let mut client = server.connect();
    for size in [4000, 4096, 4097, 100_000, 5_000_000] {
        let answer = client.get(&format!("/big/{size}"));
        assert_eq!(answer.body.len(), size);
        assert!(answer.body.iter().all(|byte| *byte == b'x'));
    }
}

#[test]
fn unix_sockets() {
    let directory = std::env::temp_dir().join(format!("plectrum-http-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("socket");
    // A socket nobody listens on is replaced.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = Server::on(Listener::unix(&path, Some(0o600)).unwrap(), Config::default());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut client = Client::over(UnixStream::connect(&path).unwrap());
    assert_eq!(client.get("/hello/1").text(), "hello 1");
    assert_eq!(client.get("/query").text(), "\"\" Unix");
    // One that is served, and a file that is no socket, are not.
    let error = Listener::unix(&path, None).unwrap_err();
    assert!(error.to_string().ends_with("is served by another process"), "{error}");
    let file = directory.join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(Listener::unix(&file, None).unwrap_err().to_string().contains("is not a socket"));
    drop(server);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn inherited_sockets() {
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::on(Listener::from_fd(tcp.into()).unwrap(), Config::default());
    assert_eq!(server.connect().get("/hello/1").text(), "hello 1");
    let not_listening = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(Listener::from_fd(not_listening.into()).is_err());
}

#[test]
fn ipv6_accepts_ipv4_too() {
    let listener = Listener::tcp("[::]:0".parse().unwrap(), plectrum_http::server::TcpOptions::default());
    // Machines without IPv6 have nothing to show here.
    let Ok(listener) = listener else { return };
    let server = Server::on(listener, Config::default());
    for host in ["127.0.0.1", "::1"] {
        let stream = std::net::TcpStream::connect((host, server.address.port())).unwrap();
        assert_eq!(Client::new(stream).get("/hello/1").text(), "hello 1");
    }
}

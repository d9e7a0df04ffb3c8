//! A peer that does not keep to the protocol: every execution ends with an error, nothing panics, nothing hangs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use plectrum_db::error::Error;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::{Config, Host, SslMode};
use support::{Rows, run, sql};
use tokio::time::timeout;

/// A backend message.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend((body.len() as u32 + 4).to_be_bytes());
    out.extend(body);
    out
}

const GREETING: [(u8, &[u8]); 3] = [(b'R', &[0; 4]), (b'K', &[0; 8]), (b'Z', b"I")];

fn described() -> Vec<u8> {
    let mut column = b"\0\x01n\0".to_vec();
    column.extend([0; 6]);
    column.extend(23_u32.to_be_bytes());
    column.extend([0; 8]);
    [message(b'1', b""), message(b't', &[0, 0]), message(b'T', &column), message(b'Z', b"I")].concat()
}

/// Greets, then answers the first request with `first`, later ones with `then`; hangs up after it.
fn serve(greeting: Vec<u8>, first: Vec<u8>, then: Vec<u8>) -> Config {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &[&greeting, &first, &then]);
        }
    });
    Config {
        hosts: vec![Host { host: "127.0.0.1".to_owned(), port }],
        user: "nobody".to_owned(),
        sslmode: SslMode::Disable,
        max_connections: 1,
        connect_timeout: 2.0,
        acquire_timeout_ms: 2000,
        ..Config::default()
    }
}

fn answer(mut stream: TcpStream, answers: &[&[u8]]) -> std::io::Result<()> {
    let mut request = [0; 4096];
    for answer in answers {
        if stream.read(&mut request)? == 0 {
            return Ok(());
        }
        stream.write_all(answer)?;
    }
    Ok(())
}

fn execute(config: Config) -> Result<Rows, Error> {
    run(async {
        let pool = Pool::new(config).unwrap();
        // Not repeatable, so that one attempt decides.
        timeout(Duration::from_secs(5), sql(&pool, "VALUES (1)")).await.expect("an answer in time")
    })
}

fn greeting() -> Vec<u8> {
    GREETING.iter().flat_map(|(tag, body)| message(*tag, body)).collect()
}

fn row(body: &[u8]) -> Vec<u8> {
    [message(b'2', b""), message(b'D', body), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat()
}

#[test]
fn the_fake_server_can_do_right() {
    let rows = execute(serve(greeting(), described(), row(b"\0\x01\0\0\0\x04\0\0\0\x07"))).unwrap();
    assert_eq!(rows.int4(0, 0), 7);
}

#[test]
fn malformed_answers_break_the_connection() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no count", row(b"")),
        ("too many cells", row(b"\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\0")),
        ("too few cells", row(b"\0\0")),
        ("a cell past the end", row(b"\0\x01\0\0\0\x05\0\0\0\x07")),
        ("a huge cell", row(b"\0\x01\x7f\xff\xff\xff\0")),
        ("bytes after the cells", row(b"\0\x01\0\0\0\x01\0\0")),
        ("a length of three", vec![b'D', 0, 0, 0, 3]),
        ("a length of 4 GB", vec![b'D', 255, 255, 255, 255]),
        ("an unknown message", message(b'?', b"")),
        ("authentication again", message(b'R', &[0; 4])),
        ("an unknown state", message(b'Z', b"X")),
        ("no state", message(b'Z', b"")),
        ("an error without an end", message(b'E', b"Mboom")),
        ("a notification without text", message(b'A', &[0; 4])),
        ("a setting without a value", message(b'S', b"name\0")),
        ("nothing at all", vec![]),
        ("half a message", message(b'D', b"\0\x01\0\0\0\x04\0\0\0\x07")[..9].to_vec()),
    ];
    for (what, answer) in cases {
        let error = execute(serve(greeting(), described(), answer)).unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{what}: {error}");
    }
}

#[test]
fn malformed_descriptions_break_the_connection() {
    for (what, answer) in [
        ("a row", row(b"\0\x01\0\0\0\x04\0\0\0\x07")),
        ("half a column", [message(b'1', b""), message(b'T', b"\0\x01n\0\0"), message(b'Z', b"I")].concat()),
        ("half a parameter", [message(b'1', b""), message(b't', b"\0\x01\0"), message(b'Z', b"I")].concat()),
        ("nothing described", [message(b'1', b""), message(b'Z', b"I")].concat()),
    ] {
        let error = execute(serve(greeting(), answer, vec![])).unwrap_err();
        assert!(matches!(error, Error::Broken(_) | Error::Unavailable(_)), "{what}: {error}");
    }
}

#[test]
fn malformed_greetings_are_unavailable() {
    for (what, answer) in [
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("nothing", vec![]),
        ("an unknown method", message(b'R', &[0, 0, 0, 99])),
        ("half a method", message(b'R', &[0, 0])),
        ("no mechanism", message(b'R', &[0, 0, 0, 10, 0])),
        ("mechanisms without an end", message(b'R', b"\0\0\0\x0aSCRAM-SHA-256")),
        ("half a salt", message(b'R', &[0, 0, 0, 5, 1])),
        ("half a key", [message(b'R', &[0; 4]), message(b'K', &[0; 7])].concat()),
        ("a row", message(b'D', b"")),
    ] {
        let config = Config { password: Some("x".to_owned()), ..serve(answer, vec![], vec![]) };
        let error = execute(config).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{what}: {error}");
    }
}

#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Config { connect_timeout: 0.2, ..serve(vec![], vec![], vec![]) };
    let error =
        execute(Config { hosts: vec![Host { host: "127.0.0.1".to_owned(), port }], ..config }).unwrap_err();
    assert!(matches!(&error, Error::Unavailable(why) if why.ends_with("no session within 200ms")), "{error}");
}

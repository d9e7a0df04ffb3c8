//! WebSocket conversations over raw sockets: the table of what RFC 6455 and RFC 7692 ask of a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conversation;

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use conversation::{Server, frame, patient};
use plectrum_http::Timeouts;
use plectrum_http::websocket::{Compression, Limits};

#[test]
fn messages_of_all_lengths_come_back_as_they_were() {
    let server = Server::start(Limits::default(), patient());
    let mut client = server.connect("");
    for len in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000] {
        for first in [0x81, 0x82] {
            let payload = vec![b'*'; len];
            client.send(&frame(first, &payload));
            assert!(client.frame() == Some((first, payload)), "{len} bytes, {first:x}");
        }
    }
}

/// What is sent, the frames that come back before the close, and the code of the close (0: none given).
type Case = (&'static str, Vec<Vec<u8>>, Vec<(u8, &'static [u8])>, Option<u16>);

fn conversations() -> Vec<Case> {
    let f = frame;
    let bye = || f(0x88, b"\x03\xe8");
    let mut cases: Vec<Case> = vec![
        ("a ping is answered", vec![f(0x89, b"hi"), bye()], vec![(0x8a, b"hi")], Some(1000)),
        ("an empty ping", vec![f(0x89, b""), bye()], vec![(0x8a, b"")], Some(1000)),
        ("a ping of 125 bytes", vec![f(0x89, &[0xfe; 125]), bye()], vec![(0x8a, &[0xfe; 125])], Some(1000)),
        ("a ping of 126 bytes", vec![f(0x89, &[0xfe; 126])], vec![], Some(1002)),
        ("a pong nobody asked for", vec![f(0x8a, b"x"), bye()], vec![], Some(1000)),
        (
            "pings in order",
            (0..10).map(|_| f(0x89, b"n")).chain([bye()]).collect(),
            vec![(0x8a, b"n"); 10],
            Some(1000),
        ),
        (
            "a message in fragments",
            vec![f(1, b"a"), f(0, b"b"), f(0x80, b"c"), bye()],
            vec![(0x81, b"abc")],
            Some(1000),
        ),
        ("empty fragments", vec![f(1, b""), f(0, b""), f(0x80, b""), bye()], vec![(0x81, b"")], Some(1000)),
        (
            "a ping between fragments",
            vec![f(1, b"a"), f(0x89, b"p"), f(0x80, b"b"), bye()],
            vec![(0x8a, b"p"), (0x81, b"ab")],
            Some(1000),
        ),
        ("a fragmented ping", vec![f(0x09, b"a"), f(0x80, b"b")], vec![], Some(1002)),
        ("a fragmented pong", vec![f(0x0a, b"a"), f(0x80, b"b")], vec![], Some(1002)),
        ("a continuation of nothing", vec![f(0x80, b"a")], vec![], Some(1002)),
        ("an open continuation of nothing", vec![f(0x00, b"a")], vec![], Some(1002)),
        ("a continuation after the end", vec![f(0x81, b"a"), f(0x00, b"b")], vec![(0x81, b"a")], Some(1002)),
        ("a message inside of another", vec![f(1, b"a"), f(0x81, b"b")], vec![], Some(1002)),
        (
            "characters across fragments",
            vec![f(1, b"\xce"), f(0x80, b"\xba"), bye()],
            vec![(0x81, "κ".as_bytes())],
            Some(1000),
        ),
        ("a lone surrogate", vec![f(0x81, b"\xed\xa0\x80")], vec![], Some(1007)),
        ("half a character at the end", vec![f(0x81, b"abc\xce")], vec![], Some(1007)),
        ("past the last character", vec![f(1, b"\xf4\x90\x80\x80")], vec![], Some(1007)),
        ("an overlong form", vec![f(0x81, b"\xc0\xaf")], vec![], Some(1007)),
        (
            "binary need not be UTF-8",
            vec![f(0x82, b"\xff\xfe"), bye()],
            vec![(0x82, b"\xff\xfe")],
            Some(1000),
        ),
        ("a close without a code", vec![f(0x88, b"")], vec![], Some(0)),
        ("a close of one byte", vec![f(0x88, b"\x03")], vec![], Some(1002)),
        ("a close with a reason", vec![f(0x88, b"\x03\xe8bye")], vec![], Some(1000)),
        (
            "the longest reason",
            vec![f(0x88, &[b"\x03\xe8".as_slice(), &[b'*'; 123]].concat())],
            vec![],
            Some(1000),
        ),
        (
            "a close past 125 bytes",
            vec![f(0x88, &[b"\x03\xe8".as_slice(), &[b'*'; 124]].concat())],
            vec![],
            Some(1002),
        ),
        ("a reason that is not UTF-8", vec![f(0x88, b"\x03\xe8\xce")], vec![], Some(1007)),
        ("nothing counts after a close", vec![bye(), f(0x81, b"late"), f(0x89, b"late")], vec![], Some(1000)),
        ("two closes", vec![bye(), bye()], vec![], Some(1000)),
        ("an unmasked frame", vec![b"\x81\x01a".to_vec()], vec![], Some(1002)),
        ("a length with leading zeros", vec![b"\x82\xfe\x00\x01\0\0\0\0a".to_vec()], vec![], Some(1002)),
        ("a length past 63 bits", vec![b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0".to_vec()], vec![], Some(1002)),
        ("a message past the limit", vec![f(0x82, &[0; 2001])], vec![], Some(1009)),
        ("fragments past the limit", vec![f(0x02, &[0; 1999]), f(0x80, &[0; 2])], vec![], Some(1009)),
        (
            "a head that promises too much",
            vec![b"\x82\xff\0\0\x01\0\0\0\0\0\0\0\0\0".to_vec()],
            vec![],
            Some(1009),
        ),
    ];
    for first in [0xc1, 0xa1, 0x91, 0xb2, 0xf0, 0xc9, 0xa8, 0x83, 0x87, 0x8b, 0x8f, 0x03, 0x0b] {
        cases.push((
            "reserved bits and opcodes",
            vec![f(0x81, b"a"), f(first, b"b")],
            vec![(0x81, b"a")],
            Some(1002),
        ));
    }
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999_u16] {
        cases.push(("codes that come back", vec![f(0x88, &code.to_be_bytes())], vec![], Some(code)));
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535_u16] {
        cases.push(("codes that must not be sent", vec![f(0x88, &code.to_be_bytes())], vec![], Some(1002)));
    }
    cases
}

#[test]
fn conversations_whole_and_byte_by_byte() {
    let server = Server::start(Limits { max_message: 2000, ..Limits::default() }, patient());
    for (what, sent, answers, code) in conversations() {
        for bytewise in [false, true] {
            if bytewise && sent.iter().map(Vec::len).sum::<usize>() > 300 {
                continue;
            }
            let mut client = server.connect("");
            client.stream.set_nodelay(true).unwrap();
            for bytes in &sent {
                bytes.chunks(if bytewise { 1 } else { bytes.len() }).for_each(|piece| client.send(piece));
            }
            for (first, payload) in &answers {
                assert_eq!(client.frame(), Some((*first, payload.to_vec())), "{what}, bytewise: {bytewise}");
            }
            assert_eq!(client.close_code(), code, "{what}, bytewise: {bytewise}, {sent:x?}");
            drop(client.stream.shutdown(std::net::Shutdown::Write));
            assert_eq!(client.frame(), None, "{what}: the server closes");
        }
    }
}

#[test]
fn invalid_text_is_refused_before_its_frame_is_complete() {
    let server = Server::start(Limits::default(), patient());
    let mut client = server.connect("");
    let whole = frame(0x81, b"\xce\xba\xf4\x90 and much more that never comes");
    client.send(&whole[..10]);
    assert_eq!(client.close_code(), Some(1007));
}

#[test]
fn a_close_of_the_server_is_answered_by_the_client() {
    let server = Server::start(Limits::default(), patient());
    let mut client = server.connect("");
    client.send(&[frame(0x81, b"bye"), frame(0x81, b"not heard")].concat());
    assert_eq!(client.frame(), Some((0x88, b"\x0b\xb8as you wish".to_vec())));
    client.send(&frame(0x88, b"\x0b\xb8"));
    assert_eq!(client.frame(), None);
}

const DEFLATE: &str = "sec-websocket-extensions: permessage-deflate\r\n";

#[test]
fn compressed_messages_come_back_compressed() {
    let limits = |compression| Limits { compression, ..Limits::default() };
    for compression in [Compression::Shared, Compression::Dedicated] {
        let server = Server::start(limits(compression), patient());
        let mut client = server.connect(DEFLATE);
        for _ in 0..2 {
            // "Hello" twenty times, by zlib.
            let compressed = b"\xf2\x48\xcd\xc9\xc9\xf7\x18\x25\x07\x91\x04\x00";
            client.send(&frame(0xc1, compressed));
            let (first, payload) = client.frame().unwrap();
            assert_eq!(first, 0xc1, "{compression:?}");
            assert!(payload.len() < 30, "{payload:x?}");
        }
        client.send(&frame(0x81, b"as it is"));
        assert_eq!(client.frame(), Some((0x81, b"as it is".to_vec())));
        client.send(&frame(0xc1, b"\xff\xff\xff\xff"));
        assert_eq!(client.close_code(), Some(1002));
    }
}

#[test]
fn silence_is_answered_by_a_ping_and_then_by_the_end() {
    let timeouts = Timeouts {
        ping: Some(Duration::from_millis(100)),
        pong: Some(Duration::from_millis(100)),
        ..Timeouts::default()
    };
    let server = Server::start(Limits::default(), timeouts);
    let mut client = server.connect("");
    for _ in 0..2 {
        assert_eq!(client.frame(), Some((0x89, Vec::new())));
        client.send(&frame(0x8a, b""));
    }
    assert_eq!(client.frame(), Some((0x89, Vec::new())));
    assert_eq!(client.frame(), None);
}

#[test]
fn a_peer_that_never_reads_is_not_read_either_and_then_cut_off() {
    let timeouts = Timeouts { write: Some(Duration::from_millis(500)), ..patient() };
    let server = Server::start(Limits::default(), timeouts);
    let mut client = server.connect("");
    client.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let message = frame(0x82, &[7; 60_000]);
    let started = Instant::now();
    let mut sent = 0_usize;
    // Socket buffers hold some megabytes at each end; then nothing goes any more, and then the connection breaks.
    loop {
        match client.stream.write(&message) {
            Ok(count) => sent += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        assert!(started.elapsed() < Duration::from_secs(10), "never cut off");
    }
    assert!(sent < 100_000_000, "{sent} bytes were taken of a client that reads none");
}

#[test]
fn a_restart_is_announced() {
    let mut server = Server::start(Limits::default(), patient());
    let mut client = server.connect("");
    client.send(&frame(0x81, b"hello"));
    assert_eq!(client.frame(), Some((0x81, b"hello".to_vec())));
    drop(server.stop.take());
    assert_eq!(client.close_code(), Some(1012));
    client.send(&frame(0x88, b"\x03\xf4"));
    assert_eq!(client.frame(), None);
}

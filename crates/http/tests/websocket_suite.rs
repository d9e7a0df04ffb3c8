//! What conformance suites ask of a server beyond `websocket.rs`: every reserved opcode and bit, text cut at every byte,
//! every close code, and compression with every parameter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conversation;

use std::io::Write;

use conversation::{Server, frame, patient};
use flate2::{Compress, Compression as Level, Decompress, FlushCompress, FlushDecompress};
use plectrum_http::websocket::{Compression, Limits};

const BYE: &[u8] = b"\x03\xe8";

fn server() -> Server {
    Server::start(Limits::default(), patient())
}

/// Every opcode that means nothing, alone, with a payload, and after a message that is answered.
#[test]
fn reserved_opcodes() {
    let server = server();
    for opcode in (3..=7).chain(11..=15) {
        for payload in [b"".as_slice(), b"Hello"] {
            let mut client = server.connect("");
            client.send(&frame(0x81, b"before"));
            client.send(&frame(0x80 | opcode, payload));
            client.send(&frame(0x89, b"after"));
            assert_eq!(client.frame(), Some((0x81, b"before".to_vec())));
            assert_eq!(client.close_code(), Some(1002), "opcode {opcode}");
        }
    }
}

#[test]
fn reserved_bits_of_every_kind_of_frame() {
    let server = server();
    for bits in 1..=7_u8 {
        for opcode in [1, 2, 8, 9, 10] {
            let mut client = server.connect("");
            client.send(&frame(0x80 | bits << 4 | opcode, b""));
            assert_eq!(client.close_code(), Some(1002), "bits {bits:03b}, opcode {opcode}");
        }
    }
}

/// Text, and whether it is UTF-8; after Markus Kuhn's decoder stress test.
const TEXTS: [(&[u8], bool); 42] = [
    ("κόσμε".as_bytes(), true),
    ("Hello-µ@ßöäüàá-UTF-8!!".as_bytes(), true),
    (b"\x00", true),
    (b"\x7f", true),
    (b"\xc2\x80", true),
    (b"\xdf\xbf", true),
    (b"\xe0\xa0\x80", true),
    (b"\xed\x9f\xbf", true),
    (b"\xee\x80\x80", true),
    (b"\xef\xbf\xbd", true),
    (b"\xef\xbf\xbe", true),
    (b"\xef\xbf\xbf", true),
    (b"\xf0\x90\x80\x80", true),
    (b"\xf4\x8f\xbf\xbf", true),
    (b"\xf0\x9f\xbf\xbe", true),
    (b"\xf1\xbf\xbf\xbf", true),
    (b"\x80", false),
    (b"\xbf", false),
    (b"\x80\xbf\x80\xbf", false),
    (b"\xc0 ", false),
    (b"\xe0 ", false),
    (b"\xf0 ", false),
    (b"\xf8\x88\x80\x80\x80", false),
    (b"\xfc\x84\x80\x80\x80\x80", false),
    (b"\xfe", false),
    (b"\xff", false),
    (b"\xc3", false),
    (b"\xe1\xbf", false),
    (b"\xf1\xbf\xbf", false),
    (b"\xc0\xaf", false),
    (b"\xe0\x80\xaf", false),
    (b"\xf0\x80\x80\xaf", false),
    (b"\xc1\xbf", false),
    (b"\xe0\x9f\xbf", false),
    (b"\xf0\x8f\xbf\xbf", false),
    (b"\xed\xa0\x80", false),
    (b"\xed\xaf\xbf", false),
    (b"\xed\xbf\xbf", false),
    (b"\xed\xa0\x80\xed\xb0\x80", false),
    (b"\xf4\x90\x80\x80", false),
    (b"\xf7\xbf\xbf\xbf", false),
    (b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited", false),
];

/// Whole, and cut into two frames and into two segments at every byte.
#[test]
fn text_cut_anywhere() {
    let server = server();
    for (text, good) in TEXTS {
        for cut in 0..=text.len() {
            for as_frames in [true, false] {
                let (first, second) = text.split_at(cut);
                let mut client = server.connect("");
                if as_frames {
                    client.send(&[frame(0x01, first), frame(0x80, second)].concat());
                } else {
                    let whole = frame(0x81, text);
                    client.send(&whole[..6 + cut]);
                    client.send(&whole[6 + cut..]);
                }
                if good {
                    assert_eq!(client.frame(), Some((0x81, text.to_vec())), "{text:x?} cut at {cut}");
                } else {
                    assert_eq!(client.close_code(), Some(1007), "{text:x?} cut at {cut}");
                }
            }
        }
    }
}

/// The first byte that no continuation can mend ends the conversation: the rest never comes.
#[test]
fn invalid_text_fails_at_once() {
    let server = server();
    for (text, good) in TEXTS {
        // What is wrong only for its end is not known before it.
        let Err(error) = std::str::from_utf8(text) else { continue };
        let Some(len) = error.error_len().filter(|_| !good) else { continue };
        let known = error.valid_up_to() + len + 1;
        for first in [0x81, 0x01] {
            let mut client = server.connect("");
            let whole = frame(first, &[text, b"and more that never comes"].concat());
            client.send(&whole[..6 + known]);
            assert_eq!(client.close_code(), Some(1007), "{text:x?}");
        }
    }
}

#[test]
fn close_codes() {
    let server = server();
    for code in (0..=1100).chain([1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65_535]) {
        let good = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let mut client = server.connect("");
        let payload = [u16::to_be_bytes(code).as_slice(), b"reason"].concat();
        client.send(&frame(0x88, &payload));
        assert_eq!(client.close_code(), Some(if good { code } else { 1002 }), "{code}");
    }
}

/// What stands behind a close is not answered, whatever it is.
#[test]
fn nothing_is_answered_after_a_close() {
    let server = server();
    for late in [
        frame(0x81, b"text"),
        frame(0x89, b"ping"),
        frame(0x01, b"begun"),
        frame(0x83, b"wrong"),
        vec![0xff; 200],
    ] {
        let mut client = server.connect("");
        client.send(&[frame(0x88, BYE), late].concat());
        assert_eq!(client.close_code(), Some(1000));
        let _ = client.stream.shutdown(std::net::Shutdown::Write);
        assert_eq!(client.frame(), None);
    }
}

/// Sixteen megabytes in one frame, and one in frames of 64 bytes and in segments of a thousand.
#[test]
fn large_messages() {
    let server = server();
    let mut client = server.connect("");
    let large = vec![b'*'; 16 * 1024 * 1024];
    for first in [0x81, 0x82] {
        let (mut writer, whole) = (client.stream.try_clone().unwrap(), frame(first, &large));
        let sent = std::thread::spawn(move || writer.write_all(&whole).unwrap());
        assert!(client.frame() == Some((first, large.clone())));
        sent.join().unwrap();
    }
    let pieces = 16_384;
    let mut wire = frame(0x02, &[7; 64]);
    (2..pieces).for_each(|_| wire.extend_from_slice(&frame(0x00, &[7; 64])));
    wire.extend_from_slice(&frame(0x80, &[7; 64]));
    wire.chunks(1000).for_each(|piece| client.send(piece));
    assert!(client.frame() == Some((0x82, vec![7; 64 * pieces])));
}

/// A client's half of permessage-deflate.
struct Codec {
    compress: Compress,
    decompress: Decompress,
    keeps: (bool, bool),
}

impl Codec {
    /// `own` and `servers` are window bits; `keeps` whether each side's messages refer to earlier ones.
    fn new(own: u8, servers: u8, keeps: (bool, bool)) -> Self {
        Self {
            compress: Compress::new_with_window_bits(Level::default(), false, own),
            decompress: Decompress::new_with_window_bits(false, servers),
            keeps,
        }
    }

    fn pack(&mut self, payload: &[u8]) -> Vec<u8> {
        if payload.is_empty() {
            // There is nothing to flush: RFC 7692 §7.2.3.6.
            return vec![0];
        }
        let mut out = Vec::with_capacity(payload.len() + 1024);
        self.compress.compress_vec(payload, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]), "room enough");
        out.truncate(out.len() - 4);
        if !self.keeps.0 {
            self.compress.reset();
        }
        out
    }

    fn unpack(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024 * 1024);
        self.decompress.decompress_vec(payload, &mut out, FlushDecompress::Sync).unwrap();
        self.decompress.decompress_vec(&[0, 0, 0xff, 0xff], &mut out, FlushDecompress::Sync).unwrap();
        if !self.keeps.1 {
            self.decompress.reset(false);
        }
        out
    }
}

/// What the server agreed to: its window, and whether the client's and its own messages may refer to earlier ones.
fn agreed(head: &str) -> (u8, (bool, bool)) {
    let line = head
        .lines()
        .find(|line| line.starts_with("sec-websocket-extensions: "))
        .expect("compression is agreed to");
    let bits = line.split("server_max_window_bits=").nth(1).map_or(15, |bits| bits.parse().unwrap());
    (bits, (!line.contains("client_no_context_takeover"), !line.contains("server_no_context_takeover")))
}

#[test]
fn compression_with_every_parameter() {
    let words = b"a phrase that comes again, as phrases do; ".repeat(2000);
    for compression in [Compression::Shared, Compression::Dedicated] {
        let server = Server::start(Limits { compression, ..Limits::default() }, patient());
        for bits in [None, Some(9_u8), Some(10), Some(12), Some(15)] {
            for takeover in ["", "; server_no_context_takeover", "; client_no_context_takeover"] {
                let window = bits.map_or(String::new(), |bits| format!("; server_max_window_bits={bits}"));
                let offer = format!("permessage-deflate{window}{takeover}; client_max_window_bits");
                let (mut client, head) =
                    server.connect_with(&format!("sec-websocket-extensions: {offer}\r\n"));
                let (servers, keeps) = agreed(&head);
                assert_eq!(servers, bits.unwrap_or(15), "{offer}");
                assert!(!takeover.contains("server") || !keeps.1, "{offer}: {head}");
                // A client may use a smaller window than it might.
                let mut codec = Codec::new(9, servers, keeps);
                for len in [0, 16, 64, 256, 1024, 4096, 8192, 32_768, 65_536] {
                    let text = &words[..len];
                    let packed = codec.pack(text);
                    // In one frame, and in many with pings between them.
                    let pieces: Vec<_> = packed.chunks(packed.len().div_ceil(5).max(1)).collect();
                    client.send(&frame(0xc1, &packed));
                    let packed_again = codec.pack(text);
                    let again: Vec<_> = packed_again.chunks(pieces.len().max(7)).collect();
                    for (at, piece) in again.iter().enumerate() {
                        let last = if at + 1 == again.len() { 0x80 } else { 0 };
                        client.send(&frame(last | if at == 0 { 0x41 } else { 0 }, piece));
                        if last == 0 && at < 3 {
                            client.send(&frame(0x89, b"?"));
                        }
                    }
                    let mut seen = 0;
                    while seen < 2 {
                        let (first, payload) = client.frame().expect("an answer");
                        match first {
                            0x8a => {}
                            0x81 => assert!(payload == text, "{offer}: {len} bytes as they are"),
                            0xc1 => assert!(codec.unpack(&payload) == text, "{offer}: {len} bytes"),
                            other => panic!("{offer}: {other:x}"),
                        }
                        seen += usize::from(first != 0x8a);
                    }
                }
            }
        }
    }
}

#[test]
fn compression_where_none_was_agreed_to() {
    let server = server();
    for offer in ["", "sec-websocket-extensions: permessage-deflate; server_max_window_bits=8\r\n"] {
        let (mut client, head) = server.connect_with(offer);
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
        client.send(&frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"));
        assert_eq!(client.close_code(), Some(1002));
    }
}

#[test]
fn compressed_messages_that_are_wrong() {
    let server = Server::start(Limits { max_message: 10_000, ..Limits::default() }, patient());
    let deflate = "sec-websocket-extensions: permessage-deflate\r\n";
    let mut codec = Codec::new(15, 15, (false, false));
    let (bomb, not_text) = (codec.pack(&[0; 10_001]), codec.pack(b"abc\xff"));
    for (sent, code) in [
        (vec![frame(0xc2, &bomb)], 1009),
        (vec![frame(0xc1, &not_text)], 1007),
        (vec![frame(0xc1, b"\xff\xff\xff")], 1002),
        (vec![frame(0x41, &bomb[..2]), frame(0xc0, &bomb[2..])], 1002),
        (vec![frame(0xc9, b"ping")], 1002),
        (vec![frame(0xe1, b"")], 1002),
    ] {
        let mut client = server.connect(deflate);
        sent.iter().for_each(|bytes| client.send(bytes));
        assert_eq!(client.close_code(), Some(code), "{sent:x?}");
    }
}

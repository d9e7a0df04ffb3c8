//! Thousands of broken requests: no panic, no 5xx, and afterwards the server still works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use plectrum_http::Config;
use support::Server;

const REQUESTS: usize = 20_000;

const SEEDS: [&str; 8] = [
    "GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
    "GET /query?a=%20&b=%zz HTTP/1.0\r\nCookie: a=b; c=\"d\"\r\n\r\n",
    "HEAD /hello/100 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "GET http://t/stream/2 HTTP/1.1\r\nHost: t\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// xorshift64*: reproducible, and good enough to be nasty.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }
}

const NASTY: [&[u8]; 14] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b":",
    b" ",
    b"\t",
    b"%",
    b"\xff\xfe",
    b"Content-Length: 7\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"99999999999999999999",
    b"HTTP/1.1",
    b"{{{{",
];

fn mutate(random: &mut Random) -> Vec<u8> {
    let mut bytes = SEEDS[random.below(SEEDS.len())].as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(9) {
            0 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            6..=8 if !bytes.is_empty() => bytes[at] = b' ' + (random.next() % 95) as u8,
            3 => drop(bytes.splice(at..at, NASTY[random.below(NASTY.len())].iter().copied())),
            4 => {
                let other = SEEDS[random.below(SEEDS.len())].as_bytes();
                drop(bytes.splice(at.., other[random.below(other.len())..].iter().copied()));
            }
            _ => {
                let noise: Vec<u8> = (0..random.below(40)).map(|_| random.next() as u8).collect();
                drop(bytes.splice(at..at, noise));
            }
        }
    }
    bytes
}

#[test]
fn malformed_requests() {
    // Half closed peers are answered, so that every mutation gets as far as it can.
    let server = Server::start(Config { half_close: true, ..Config::default() });
    let threads: Vec<_> = (1..=4u64)
        .map(|seed| {
            let address = server.address;
            std::thread::spawn(move || {
                let mut tally = [0usize; 6];
                let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                for _ in 0..REQUESTS / 4 {
                    let bytes = mutate(&mut random);
                    let answer = exchange(address, &bytes);
                    let shown = || {
                        format!(
                            "{:?} → {:?}",
                            bytes.escape_ascii().to_string(),
                            String::from_utf8_lossy(&answer)
                        )
                    };
                    // Whatever came back begins with a status line of ours, and none of them is our fault.
                    let http2 = bytes.starts_with(b"PRI * HTTP/2.0");
                    assert!(answer.is_empty() || http2 || answer.starts_with(b"HTTP/1."), "{}", shown());
                    for status in statuses(&answer) {
                        assert!((1..5).contains(&status), "{}", shown());
                        tally[status] += 1;
                    }
                }
                tally
            })
        })
        .collect();
    let mut tally = [0; 6];
    for thread in threads {
        thread.join().unwrap().iter().zip(&mut tally).for_each(|(more, sum)| *sum += more);
    }
    // The mutations must reach both the parser's refusals and the handlers.
    assert!(tally[4] > REQUESTS / 5 && tally[2] > REQUESTS / 20, "{tally:?}");
    assert_eq!(server.connect().get("/hello/1").text(), "hello 1");
}

/// The first digits of all status lines.
fn statuses(answer: &[u8]) -> impl Iterator<Item = usize> {
    let lines = answer.windows(10).filter(|w| w.starts_with(b"HTTP/1.") && w[8] == b' ');
    lines.map(|w| usize::from(w[9].wrapping_sub(b'0')))
}

/// Sends, says that nothing more will come, and reads until the server closes.
fn exchange(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = Vec::new();
    // The server may have closed in the middle of it.
    if stream.write_all(bytes).is_ok() {
        let _ = stream.shutdown(Shutdown::Write);
        if let Err(error) = stream.read_to_end(&mut answer) {
            let kind = error.kind();
            assert_eq!(
                kind,
                std::io::ErrorKind::ConnectionReset,
                "no answer and no close: {:?}",
                bytes.escape_ascii().to_string()
            );
        }
    }
    answer
}

//! Out of file descriptors: the server waits and goes on. Alone in its process, whose limit it lowers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs::File;
use std::time::Duration;

use plectrum_http::Config;
use support::Server;

/// Lowers the number of descriptors this process may have.
fn lower_limit(limit: u64) {
    let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: the pointer is to a live struct of the expected type.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
}

#[test]
fn accepting_goes_on_when_descriptors_are_back() {
    let server = Server::start(Config::default());
    let mut before = server.connect();
    assert_eq!(before.get("/hello/1").status, 200);
    lower_limit(64);
    // A connected client without a descriptor left for the server's side of it.
    let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    files.pop();
    let mut waiting = server.connect();
    waiting.send("GET /hello/2 HTTP/1.1\r\nHost: t\r\n\r\n");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.calls(), 1, "there was a descriptor left");
    assert_eq!(before.get("/hello/3").text(), "hello 3");
    drop(files);
    assert_eq!(waiting.answer().text(), "hello 2");
    assert_eq!(server.connect().get("/hello/4").text(), "hello 4");
}

//! A server that sends back what it receives, and a client that says exactly what it is told.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::{Rc, Weak};
use std::time::Duration;

use plectrum_http::server::TcpOptions;
use plectrum_http::websocket::{Close, Code, Limits, Socket, Watcher, handshake};
use plectrum_http::{Config, HeaderMap, Listener, Reply, Request, Timeouts, serve};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;

/// Sends back what it receives, as long as the peer takes it.
struct Echo(Weak<Socket>);

impl Watcher for Echo {
    fn readable(&self) {
        let Some(socket) = self.0.upgrade() else { return };
        while !socket.is_congested() {
            match socket.receive() {
                Some(Ok(message)) if message.data == "bye" => {
                    socket.close(&Close::new(Code(3000), "as you wish"))
                }
                Some(Ok(message)) => drop(socket.send(message.text, &message.data)),
                Some(Err(_)) | None => return,
            }
        }
    }

    fn writable(&self) {
        self.readable();
    }
}

pub struct Server {
    address: SocketAddr,
    pub stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    pub fn start(limits: Limits, timeouts: Timeouts) -> Self {
        let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)), TcpOptions::default()).unwrap();
        let address = listener.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).unwrap();
            let config = Config { timeouts, drain: Duration::from_secs(5), ..Config::default() };
            let service = move |request: Request| -> Reply {
                match handshake(&request, &limits, &[]) {
                    Err(response) => (*response).into(),
                    Ok(opening) => {
                        opening.socket.watch(Rc::new(Echo(Rc::downgrade(&opening.socket))));
                        opening.accept(None, HeaderMap::new()).into()
                    }
                }
            };
            let shutdown = async { drop(stopped.await) };
            runtime.block_on(serve(vec![listener], Rc::new(config), Rc::new(service), shutdown)).unwrap();
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    pub fn connect(&self, extensions: &str) -> Client {
        self.connect_with(extensions).0
    }

    /// The same, with the head of the server's answer.
    pub fn connect_with(&self, extensions: &str) -> (Client, String) {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut client = Client { stream, input: Vec::new() };
        let head = format!(
            "GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\r\n"
        );
        client.stream.write_all(head.as_bytes()).unwrap();
        let head = client.until(b"\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        (client, head)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().unwrap().join();
    }
}

pub struct Client {
    pub stream: TcpStream,
    input: Vec<u8>,
}

impl Client {
    pub fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.input.windows(end.len()).position(|window| window == end) {
                return String::from_utf8(self.input.drain(..at + end.len()).collect()).unwrap();
            }
            assert!(self.more(), "the server closed");
        }
    }

    pub fn more(&mut self) -> bool {
        let mut buffer = [0; 65_536];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.input.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        // The server may have heard enough.
        let _ = self.stream.write_all(bytes);
    }

    /// First byte and payload of the next frame; `None` where the server has closed.
    pub fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((used, frame)) = parse(&self.input) {
                self.input.drain(..used);
                return Some(frame);
            }
            if !self.more() {
                assert!(self.input.is_empty(), "a frame was cut off");
                return None;
            }
        }
    }

    pub fn close_code(&mut self) -> Option<u16> {
        let (first, payload) = self.frame()?;
        assert_eq!(first, 0x88, "a close frame: {payload:?}");
        assert!(std::str::from_utf8(payload.get(2..).unwrap_or_default()).is_ok());
        Some(payload.first_chunk::<2>().map_or(0, |code| u16::from_be_bytes(*code)))
    }
}

fn parse(input: &[u8]) -> Option<(usize, (u8, Vec<u8>))> {
    let [first, second, rest @ ..] = input else { return None };
    assert_eq!(second & 0x80, 0, "servers do not mask");
    let (len, head) = match second {
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?) as usize, 10),
        len => (usize::from(*len), 2),
    };
    let payload = input.get(head..head + len)?;
    Some((head + len, (*first, payload.to_vec())))
}

pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x12, 0xab, 0x00, 0xff];
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

pub fn patient() -> Timeouts {
    Timeouts { ping: None, pong: None, ..Timeouts::default() }
}

//! A connection's task: socket ↔ queues, until both sides have said goodbye.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::ReadBuf;

use super::close::{Close, Code};
use super::reader::Reader;
use super::socket::{Phase, Socket};
use crate::server::pulse::{self, Order, Overdue, Pulse};
use crate::server::stream::{Line, Stream};

/// What a peer may still send that was told goodbye.
const LINGER_BYTES: usize = 1024 * 1024;

/// Bytes read at once; the buffer belongs to the thread, so that a silent connection has none.
const READ: usize = 32 * 1024;

thread_local! {
    /// Taken out while it is used.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::default();
}

/// Runs a conversation to its end. `leftover` is what was read behind the request.
pub(crate) async fn run(stream: Stream, mut leftover: BytesMut, socket: Rc<Socket>, pulse: Rc<Pulse>) {
    let reader = Reader::new(socket.deflate(), socket.limits().max_message);
    if leftover.is_empty() {
        // It still holds the buffer that the request was read into, and a parameter lives as long as the function.
        leftover = BytesMut::new();
    }
    let line = Rc::new(RefCell::new(stream));
    socket.connect(Rc::clone(&line));
    let mut drive = Drive { line, reader, leftover, socket, pulse };
    drive.pulse.enter(pulse::Phase::Talking);
    poll_fn(|cx| drive.poll(cx)).await;
    let abandoned = drive.socket.phase() == Phase::Gone;
    drive.socket.finish();
    if !abandoned {
        let line = Rc::clone(&drive.line);
        drop(drive);
        // The socket let go of it when it was finished.
        if let Some(stream) = Rc::into_inner(line) {
            stream.into_inner().linger(LINGER_BYTES).await;
        }
    }
}

/// Runs a conversation over a socket that no server accepted: for clients in process.
pub async fn converse(stream: tokio::net::UnixStream, socket: Rc<Socket>) {
    run(Stream::Unix(stream), BytesMut::new(), socket, Rc::new(Pulse::new(Rc::default()))).await;
}

struct Drive {
    line: Line,
    reader: Reader,
    leftover: BytesMut,
    socket: Rc<Socket>,
    pulse: Rc<Pulse>,
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.socket.finish();
    }
}

impl Drive {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.pulse.attach(cx.waker());
        loop {
            self.socket.begin(cx.waker());
            let turn = self.turn(cx);
            if !self.socket.rest() || turn.is_ready() {
                return turn;
            }
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.obey();
        let mut written = self.poll_write(cx).is_ready();
        if !self.leftover.is_empty() {
            let mut bytes = std::mem::take(&mut self.leftover);
            self.read(&mut bytes);
            written = self.poll_write(cx).is_ready();
        }
        while self.socket.has_room() {
            match self.poll_read(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false) | Err(_)) => {
                    self.socket.cut_off("the connection broke");
                    self.socket.tell_readable();
                }
            }
            written = self.poll_write(cx).is_ready();
        }
        // What the last news made the application say.
        if !written || !self.outbox_is_empty() {
            written = self.poll_write(cx).is_ready();
        }
        match self.socket.phase() {
            Phase::Gone => Poll::Ready(()),
            Phase::Leaving if written => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    fn outbox_is_empty(&self) -> bool {
        self.socket.outbox().borrow().frames.is_empty()
    }

    /// Does what the reaper and the drain want.
    fn obey(&self) {
        match self.pulse.order() {
            Order::Serve => {}
            Order::LastCall | Order::Drain => {
                self.socket.close(&Close::new(Code::RESTART, "the server restarts"));
                self.pulse.enter(pulse::Phase::Parting);
                self.pulse.obeyed();
            }
            Order::Expire(Overdue::Quiet) => {
                self.socket.ping();
                self.pulse.enter(pulse::Phase::Pinged);
                self.pulse.obeyed();
            }
            Order::Expire(_) => self.socket.cut_off("the peer does not answer"),
            Order::Abort => self.socket.cut_off("the server stops"),
        }
        if self.socket.phase() == Phase::Closing && self.pulse.phase() != pulse::Phase::Parting {
            self.pulse.enter(pulse::Phase::Parting);
        }
    }

    /// Reads once; `false` at the end of the stream.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut scratch = SCRATCH.take();
        if scratch.is_empty() {
            scratch = vec![0; READ].into();
        }
        let mut buf = ReadBuf::new(&mut scratch);
        let received = self.line.borrow_mut().poll_read(cx, &mut buf).map_ok(|()| !buf.filled().is_empty());
        if let Poll::Ready(Ok(true)) = received {
            self.read(buf.filled_mut());
        }
        SCRATCH.set(scratch);
        received
    }

    /// Each message is handed over before the next is looked at, so that what it is answered with goes out before the
    /// answer to a close frame that came with it.
    fn read(&mut self, mut bytes: &mut [u8]) {
        self.pulse.heard();
        loop {
            match self.reader.next(&mut bytes) {
                Ok(Some(event)) => self.socket.take_in(event),
                Ok(None) => return,
                Err(close) => self.socket.fail(close),
            }
            self.socket.tell_readable();
            if matches!(self.socket.phase(), Phase::Leaving | Phase::Gone) {
                return;
            }
        }
    }

    /// Ready once everything queued was taken by the system.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.outbox_is_empty() {
            let written = self.socket.outbox().borrow_mut().poll_write(&mut self.line.borrow_mut(), cx);
            match written {
                Poll::Pending => {
                    self.pulse.write_blocked();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => self.pulse.wrote(),
                Poll::Ready(Err(_)) => self.socket.cut_off("the connection broke"),
            }
            self.socket.tell_writable();
        }
        // An error will be met by the next read.
        self.line.borrow_mut().poll_flush(cx).map(drop)
    }
}

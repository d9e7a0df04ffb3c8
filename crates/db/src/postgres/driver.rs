//! The task behind a connection: writes what gathered, reads what came, gives each answer to the front request.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tracing::debug;

use super::connection::{Connection, Phase};
use super::error::Response;
use super::frame::{Frame, Malformed, ReadBuffer};
use super::message::{Notification, Reader};
use super::stream::Stream;

/// Bytes handled before other tasks get their turn.
const TURN: usize = 256 * 1024;

/// What a driver tells its owner.
pub(crate) trait Events {
    /// A request was answered: there is room for another one.
    fn answered(&self);
    /// This request shall be cancelled, by a connection of its own, unless it ends by itself soon.
    fn cancel(&self, connection: &Rc<Connection>, serial: u64);
    /// `NOTIFY` by somebody.
    fn notified(&self, notification: Notification);
}

/// Owns the socket of a connection.
pub(crate) struct Driver<E> {
    connection: Rc<Connection>,
    stream: Stream,
    input: ReadBuffer,
    events: E,
    /// Requests may be part of a transaction: the connection is one user's.
    transactions: bool,
    /// Terminate is in the outbox.
    leaving: bool,
}

/// Why a connection ended early.
struct Fault(String);

impl From<Malformed> for Fault {
    fn from(Malformed(what): Malformed) -> Self {
        Self(format!("the server broke the protocol: {what}"))
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl<E: Events> Driver<E> {
    /// `input` holds what was read past the end of the handshake.
    pub(crate) fn new(connection: Rc<Connection>, stream: Stream, input: ReadBuffer, events: E) -> Self {
        Self { connection, stream, input, events, transactions: false, leaving: false }
    }

    /// Lets requests be part of a transaction.
    pub(crate) fn with_transactions(mut self, transactions: bool) -> Self {
        self.transactions = transactions;
        self
    }

    /// Runs until the connection ends; says why if it was not asked to.
    pub(crate) async fn run(mut self) -> Result<(), String> {
        let ended = poll_fn(|cx| self.poll(cx)).await.map_err(|Fault(why)| why);
        if let Err(why) = &ended {
            self.connection.close(why);
        }
        ended
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let connection = Rc::clone(&self.connection);
        connection.attend(cx.waker());
        // Answers first: the server may have said why it does not listen any more.
        self.read(cx)?;
        if let Err(error) = self.write(cx) {
            return Poll::Ready(Err(error.into()));
        }
        if let Some(serial) = connection.unwanted() {
            self.events.cancel(&connection, serial);
        }
        if connection.phase() == Phase::Retiring && connection.depth() == 0 {
            return self.leave(cx);
        }
        Poll::Pending
    }

    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let stream = &mut self.stream;
        let mut wrote = false;
        while self.connection.outbox().drain(|bytes| match Pin::new(&mut *stream).poll_write(cx, bytes) {
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(result) => result,
            Poll::Pending => Ok(0),
        })? {
            wrote = true;
        }
        if self.stream.is_buffered()
            && (wrote || self.connection.outbox().is_empty())
            && let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            return Err(error);
        }
        Ok(())
    }

    fn leave(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !self.leaving {
            self.leaving = true;
            self.connection.outbox().say_goodbye();
            self.write(cx)?;
        }
        if !self.connection.outbox().is_empty() {
            return Poll::Pending;
        }
        // The server hangs up by itself; that it already has is no fault.
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        Poll::Ready(Ok(()))
    }

    /// Reads until nothing is left or the turn is over.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut turn = TURN;
        loop {
            let count = match self.stream.poll_fill(cx, self.input.space()?) {
                Poll::Pending => return Ok(()),
                Poll::Ready(count) => count?,
            };
            if count == 0 {
                return Err(Fault("the server closed the connection".to_owned()));
            }
            self.input.advance(count);
            self.dispatch()?;
            turn = turn.saturating_sub(count);
            if turn == 0 {
                cx.waker().wake_by_ref();
                return Ok(());
            }
        }
    }

    /// Gives every complete message to whom it belongs.
    fn dispatch(&mut self) -> Result<(), Fault> {
        let mut front = self.connection.front();
        let mut answered = false;
        loop {
            let filled = self.input.filled();
            let taken = if filled.first() == Some(&b'D') {
                let reply = front.as_ref().ok_or_else(|| Malformed::new("a row that nobody asked for"))?;
                reply.rows(filled)?
            } else {
                let Some((frame, size)) = Frame::first(filled)? else { break };
                match frame.tag {
                    b'Z' => {
                        ready_for_query(frame.body, self.transactions)?;
                        let reply =
                            front.take().ok_or_else(|| Malformed::new("an answer that nobody waits for"))?;
                        self.connection.pop_synced();
                        reply.finished();
                        self.events.answered();
                        answered = true;
                        front = self.connection.front();
                    }
                    // CommandComplete, EmptyQueryResponse
                    b'C' | b'I' if self.connection.is_joined() => {
                        let reply = front.take();
                        self.connection.pop();
                        reply.iter().for_each(|reply| reply.finished());
                        self.events.answered();
                        answered = true;
                        front = self.connection.front();
                    }
                    // BindComplete, CommandComplete, ParseComplete, CloseComplete, EmptyQueryResponse
                    b'2' | b'C' | b'1' | b'3' | b'I' => {}
                    _ => message(&self.connection, &self.events, front.as_ref(), frame)?,
                }
                size
            };
            if taken == 0 {
                break;
            }
            self.input.consume(taken);
        }
        if answered {
            self.connection.mark();
            if front.is_none() {
                self.input.rest();
            }
        }
        Ok(())
    }
}

impl<E> Drop for Driver<E> {
    /// However it ends, by a panic in a sink too: nobody waits for an answer that cannot come.
    fn drop(&mut self) {
        self.connection.close("the connection was closed");
    }
}

/// Every request is a transaction of its own; one that leaves its transaction open would drag the next ones into it.
fn ready_for_query(body: &[u8], transactions: bool) -> Result<(), Fault> {
    match body {
        b"I" => Ok(()),
        b"T" | b"E" if transactions => Ok(()),
        b"T" | b"E" => {
            Err(Fault("a statement left its transaction open; use one statement per transaction".to_owned()))
        }
        _ => Err(Malformed::new("an unknown transaction state").into()),
    }
}

/// Messages that are not on the hot path.
fn message<E: Events>(
    connection: &Connection,
    events: &E,
    front: Option<&Rc<dyn super::call::Reply>>,
    frame: Frame<'_>,
) -> Result<(), Fault> {
    match (frame.tag, front) {
        (b'E', front) => {
            let response = Box::new(Response::parse(frame.body)?);
            match front {
                Some(reply) if !response.is_fatal() => {
                    reply.refused(response, connection.cancellation().may_echo())
                }
                _ => return Err(Fault(response.message)),
            }
        }
        (b'T' | b't' | b'n', Some(reply)) => reply.described(frame)?,
        (b'N', _) => {
            let notice = Response::parse(frame.body)?;
            debug!(severity = notice.severity, code = notice.code, "{}", notice.message);
        }
        (b'S', _) => {
            let mut reader = Reader(frame.body);
            connection.set_parameter(reader.text()?, reader.text()?);
        }
        (b'A', _) => events.notified(Notification::parse(frame.body)?),
        (b'G' | b'H' | b'W', _) => {
            return Err(Fault("COPY cannot be executed as a plan".to_owned()));
        }
        (tag, _) => return Err(Malformed::new(format!("unexpected message {:?}", char::from(tag))).into()),
    }
    Ok(())
}

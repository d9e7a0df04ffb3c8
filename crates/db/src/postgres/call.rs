//! One execution in flight: rows go from the read buffer straight into its sink.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::connection::Connection;
use super::error::Response;
use super::frame::{Frame, Malformed};
use super::memory::Memory;
use super::message;
use super::prepared::Prepared;
use crate::error::Error;
use crate::sink::{Column, RowSink};

/// Who gets the server's answer to one request. The driver calls it; requests are answered in order.
pub(crate) trait Reply {
    /// Takes the complete rows at the front of `input`; returns how many bytes they were.
    fn rows(&self, input: &[u8]) -> Result<usize, Malformed>;
    /// `RowDescription`, `ParameterDescription` or `NoData`.
    fn described(&self, frame: Frame<'_>) -> Result<(), Malformed>;
    /// `ErrorResponse`; `cancelling` when a cancel request of this connection may have hit the wrong statement.
    fn refused(&self, response: Box<Response>, cancelling: bool);
    /// `ReadyForQuery`.
    fn finished(&self);
    /// The connection is gone; `sent` when the server may have seen some of the request.
    fn lost(&self, why: &str, sent: bool);
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// All rows delivered.
    Complete,
    /// The server refused it.
    Refused(Box<Response>),
    /// The connection broke; the server may have executed it.
    Broken(String),
    /// The connection broke before the server saw it.
    Unsent(String),
    /// Somebody else's cancel request hit it; it has done nothing.
    Stolen,
}

impl Ending {
    /// What the caller is told when nothing more is tried.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Refused(response) => response.into_error(),
            Self::Broken(why) | Self::Unsent(why) => Error::Broken(why),
            Self::Stolen => Error::Broken("cancelled together with another statement".to_owned()),
            Self::Complete => Error::Broken("the server ended the statement without an answer".to_owned()),
        }
    }
}

/// An execution with its sink.
pub(crate) struct Call<S> {
    body: RefCell<Body<S>>,
}

/// Where the columns come from.
pub(crate) enum Described {
    /// Known before.
    Already(Rc<[Column]>),
    /// Described with the rows; [`crate::Statement::id`] files them.
    WithRows(Rc<Memory>, u64),
}

struct Body<S> {
    /// `None` once nobody wants the rows.
    sink: Option<S>,
    columns: Described,
    /// The sink has seen rows.
    touched: bool,
    /// The sink refused a row.
    refusal: Option<Error>,
    ending: Option<Ending>,
    /// The caller may have its answer.
    over: bool,
    waker: Option<Waker>,
}

impl<S: RowSink> Call<S> {
    pub(crate) fn new(sink: S, columns: Described) -> Self {
        let body = Body {
            sink: Some(sink),
            columns,
            touched: false,
            refusal: None,
            ending: None,
            over: false,
            waker: None,
        };
        Self { body: RefCell::new(body) }
    }
}

/// Rows as wide as this need no allocation.
const USUAL_WIDTH: usize = 32;

impl<S: RowSink> Reply for Call<S> {
    fn rows(&self, input: &[u8]) -> Result<usize, Malformed> {
        let body = &mut *self.body.borrow_mut();
        let mut few = [None; USUAL_WIDTH];
        let mut many = Vec::new();
        let width = body.columns()?.len();
        let cells = if width <= USUAL_WIDTH {
            &mut few[..width]
        } else {
            many.resize(width, None);
            &mut many[..]
        };
        let mut taken = 0;
        while let Some((frame, size)) = Frame::first(&input[taken..])? {
            if frame.tag != b'D' {
                break;
            }
            body.row(frame.body, cells)?;
            taken += size;
        }
        Ok(taken)
    }

    fn described(&self, frame: Frame<'_>) -> Result<(), Malformed> {
        let body = &mut *self.body.borrow_mut();
        if let (b'T', Described::WithRows(memory, id)) = (frame.tag, &body.columns) {
            body.columns = Described::Already(memory.share(*id, message::columns(frame.body)?));
        }
        Ok(())
    }

    fn refused(&self, response: Box<Response>, cancelling: bool) {
        let body = &mut *self.body.borrow_mut();
        let stolen = response.is_cancellation() && cancelling && response.is_user_request();
        body.ending.get_or_insert(if stolen { Ending::Stolen } else { Ending::Refused(response) });
    }

    fn finished(&self) {
        let body = &mut *self.body.borrow_mut();
        if let (None, None, Some(sink)) = (&body.ending, &body.refusal, &mut body.sink) {
            sink.complete();
        }
        body.end(Ending::Complete);
    }

    fn lost(&self, why: &str, sent: bool) {
        let why = why.to_owned();
        self.body.borrow_mut().end(if sent { Ending::Broken(why) } else { Ending::Unsent(why) });
    }
}

impl<S: RowSink> Body<S> {
    #[inline]
    fn row<'a>(&mut self, body: &'a [u8], cells: &mut [Option<&'a [u8]>]) -> Result<(), Malformed> {
        split(body, cells)?;
        let Some(sink) = &mut self.sink else { return Ok(()) };
        if self.refusal.is_some() {
            return Ok(());
        }
        let mut taken = Ok(());
        if !self.touched {
            self.touched = true;
            let Described::Already(columns) = &self.columns else { return Err(undescribed()) };
            taken = sink.columns(columns);
        }
        self.refusal = taken.and_then(|()| sink.row(cells)).err();
        Ok(())
    }

    fn columns(&self) -> Result<&Rc<[Column]>, Malformed> {
        match &self.columns {
            Described::Already(columns) => Ok(columns),
            Described::WithRows(..) => Err(undescribed()),
        }
    }

    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
        self.over = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

fn undescribed() -> Malformed {
    Malformed::new("a row before its description")
}

/// Finds the cells of a `DataRow`; the server sends exactly as many as it described.
#[inline]
fn split<'a>(body: &'a [u8], cells: &mut [Option<&'a [u8]>]) -> Result<(), Malformed> {
    let short = || Malformed::new("a row ends early");
    let (count, mut rest) = body.split_first_chunk::<2>().ok_or_else(short)?;
    if usize::from(u16::from_be_bytes(*count)) != cells.len() {
        return Err(Malformed::new("a row with another number of columns than described"));
    }
    for cell in cells {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = i32::from_be_bytes(*length);
        if length < 0 {
            (*cell, rest) = (None, after);
            continue;
        }
        let (bytes, after) = after.split_at_checked(length as usize).ok_or_else(short)?;
        (*cell, rest) = (Some(bytes), after);
    }
    if rest.is_empty() { Ok(()) } else { Err(Malformed::new("a row longer than its cells")) }
}

/// What became of a sink.
pub(crate) struct Outcome<S> {
    pub(crate) ending: Ending,
    pub(crate) sink: Option<S>,
    /// The sink has seen rows.
    pub(crate) touched: bool,
    /// The sink refused a row.
    pub(crate) refusal: Option<Error>,
    /// The prepared statement that was executed.
    pub(crate) prepared: Option<Rc<Prepared>>,
}

impl<S> Outcome<S> {
    /// The request did not even begin.
    pub(crate) fn untouched(ending: Ending, sink: S) -> Self {
        Self { ending, sink: Some(sink), touched: false, refusal: None, prepared: None }
    }
}

/// Waits for a [`Call`]. Dropping it tells the connection that nobody wants the answer.
pub(crate) struct Running<S: RowSink> {
    pub(crate) call: Rc<Call<S>>,
    pub(crate) connection: Rc<Connection>,
    /// The request's number on its connection.
    pub(crate) serial: u64,
    /// What it executes, unless unnamed. Held, so that it is not evicted meanwhile.
    pub(crate) prepared: Option<Rc<Prepared>>,
}

impl<S: RowSink> Future for Running<S> {
    type Output = Outcome<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, prepared, .. } = &mut *self;
        let body = &mut *call.body.borrow_mut();
        if !body.over {
            match &mut body.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        let ending = body.ending.take().unwrap_or(Ending::Complete);
        Poll::Ready(Outcome {
            ending,
            sink: body.sink.take(),
            touched: body.touched,
            refusal: body.refusal.take(),
            prepared: prepared.take(),
        })
    }
}

impl<S: RowSink> Drop for Running<S> {
    fn drop(&mut self) {
        let mut body = self.call.body.borrow_mut();
        if !body.over {
            body.sink = None;
            body.waker = None;
            self.connection.abandon(self.serial);
        }
    }
}

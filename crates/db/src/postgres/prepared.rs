//! A statement that one connection has prepared or is preparing.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::call::{Ending, Reply};
use super::error::Response;
use super::frame::{Frame, Malformed};
use super::memory::Memory;
use super::message;
use crate::sink::Column;

/// What the server said about a prepared statement.
#[derive(Debug)]
pub(crate) struct Described {
    /// Parameter types.
    pub(crate) parameters: Vec<u32>,
    pub(crate) columns: Rc<[Column]>,
}

/// Known to the server by name, or about to be.
pub(crate) struct Prepared {
    pub(crate) name: String,
    /// [`crate::Statement::id`]
    id: u64,
    memory: Rc<Memory>,
    described: OnceCell<Described>,
    parameters: Cell<Vec<u32>>,
    columns: Cell<Option<Rc<[Column]>>>,
    failure: RefCell<Option<Ending>>,
    waiting: RefCell<Vec<Waker>>,
}

impl Prepared {
    pub(crate) fn new(name: String, id: u64, memory: Rc<Memory>) -> Self {
        Self {
            name,
            id,
            memory,
            described: OnceCell::new(),
            parameters: Cell::default(),
            columns: Cell::default(),
            failure: RefCell::default(),
            waiting: RefCell::default(),
        }
    }

    /// Once the server has described it.
    #[inline]
    pub(crate) fn described(&self) -> Option<&Described> {
        self.described.get()
    }

    /// Preparing failed; it has to be tried anew.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// Waits until the server has described it.
    pub(crate) async fn ready(&self) -> Result<&Described, Ending> {
        poll_fn(|cx| {
            if let Some(described) = self.described.get() {
                return Poll::Ready(Ok(described));
            }
            if let Some(failure) = &*self.failure.borrow() {
                return Poll::Ready(Err(failure.clone()));
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn wake(&self) {
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    fn fail(&self, ending: Ending) {
        self.failure.borrow_mut().get_or_insert(ending);
    }
}

impl Reply for Prepared {
    fn rows(&self, _: &[u8]) -> Result<usize, Malformed> {
        Err(Malformed::new("a row in answer to Parse"))
    }

    fn described(&self, frame: Frame<'_>) -> Result<(), Malformed> {
        match frame.tag {
            b't' => self.parameters.set(message::parameters(frame.body)?),
            b'T' => self.columns.set(Some(message::columns(frame.body)?)),
            _ => self.columns.set(Some(Rc::default())),
        }
        Ok(())
    }

    fn refused(&self, response: Box<Response>, _: bool) {
        // Preparing is never cancelled on purpose.
        let stolen = response.is_cancellation() && response.is_user_request();
        self.fail(if stolen { Ending::Stolen } else { Ending::Refused(response) });
    }

    fn finished(&self) {
        if !self.has_failed() {
            match self.columns.take() {
                Some(columns) => {
                    let columns = self.memory.share(self.id, columns);
                    let _ = self.described.set(Described { parameters: self.parameters.take(), columns });
                }
                None => self.fail(Ending::Broken("the server did not describe the statement".to_owned())),
            }
        }
        self.wake();
    }

    fn lost(&self, why: &str, _sent: bool) {
        // Preparing does nothing that could not be done again elsewhere.
        self.fail(Ending::Unsent(why.to_owned()));
        self.wake();
    }
}

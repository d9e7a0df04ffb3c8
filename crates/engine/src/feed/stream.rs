//! One client of a feed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use plectrum_http::BodyStream;
use plectrum_http::body::StreamError;

/// Bytes that wait for a client; one that takes less is sent away and comes back for the rest.
const MOST: usize = 1024 * 1024;

/// What a client waits for, shared with the feed.
pub(super) struct Client {
    /// Values of the feed's filters; `None` where this client has none.
    pub(super) wanted: Vec<Option<Box<str>>>,
    events: RefCell<VecDeque<Bytes>>,
    size: Cell<usize>,
    reader: RefCell<Option<Waker>>,
    over: Cell<bool>,
}

impl Client {
    pub(super) fn new(wanted: Vec<Option<Box<str>>>) -> Rc<Self> {
        Rc::new(Self {
            wanted,
            events: RefCell::default(),
            size: Cell::new(0),
            reader: RefCell::default(),
            over: Cell::new(false),
        })
    }

    /// Queues an event, which is shared with other clients.
    pub(super) fn push(&self, event: Bytes) {
        self.size.set(self.size.get() + event.len());
        if self.size.get() > MOST {
            self.over.set(true);
        } else {
            self.events.borrow_mut().push_back(event);
        }
        if let Some(reader) = self.reader.borrow_mut().take() {
            reader.wake();
        }
    }
}

/// The client's end of it.
pub(super) struct ClientStream(pub(super) Rc<Client>);

impl BodyStream for ClientStream {
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let client = &self.0;
        if let Some(event) = client.events.borrow_mut().pop_front() {
            client.size.set(client.size.get().saturating_sub(event.len()));
            return Poll::Ready(Some(Ok(event)));
        }
        if client.over.get() {
            return Poll::Ready(None);
        }
        *client.reader.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

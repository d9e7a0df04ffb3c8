//! What waits for one subscriber; bounded, so that one who takes nothing costs no more than that.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::Stream;
use plectrum_graphql::{Code, Error};

/// Bytes that may wait.
const MOST: usize = 1024 * 1024;

/// Responses on their way to a subscriber.
#[derive(Default)]
pub(super) struct Mailbox {
    waiting: RefCell<VecDeque<Bytes>>,
    size: Cell<usize>,
    /// Why nothing more comes, once what waits is taken.
    ended: RefCell<Option<Error>>,
    reader: RefCell<Option<Waker>>,
}

impl Mailbox {
    /// Queues a response, which is shared with other subscribers.
    pub(super) fn push(&self, response: Bytes) {
        if self.ended.borrow().is_some() {
            return;
        }
        self.size.set(self.size.get() + response.len());
        if self.size.get() > MOST {
            let why = "Events come faster than they are taken: subscribe again, and ask for what was missed.";
            return self.end(Error::new(Code::LimitExceeded, why));
        }
        self.waiting.borrow_mut().push_back(response);
        self.wake();
    }

    /// Ends the subscription.
    pub(super) fn end(&self, why: Error) {
        self.ended.borrow_mut().get_or_insert(why);
        self.wake();
    }

    fn wake(&self) {
        if let Some(reader) = self.reader.borrow_mut().take() {
            reader.wake();
        }
    }
}

/// The subscriber's end of it.
pub(super) struct Inbox {
    mailbox: Rc<Mailbox>,
    over: bool,
}

impl Inbox {
    pub(super) fn new(mailbox: Rc<Mailbox>) -> Self {
        Self { mailbox, over: false }
    }
}

impl Stream for Inbox {
    type Item = Result<Bytes, Vec<Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let next = self.mailbox.waiting.borrow_mut().pop_front();
        if let Some(response) = next {
            self.mailbox.size.set(self.mailbox.size.get().saturating_sub(response.len()));
            return Poll::Ready(Some(Ok(response)));
        }
        let ended = self.mailbox.ended.borrow().clone();
        if let Some(why) = ended {
            self.over = true;
            return Poll::Ready(Some(Err(vec![why])));
        }
        *self.mailbox.reader.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};

    #[test]
    fn who_takes_nothing_is_sent_away_after_what_waits() {
        let mailbox = Rc::new(Mailbox::default());
        let mut inbox = Inbox::new(Rc::clone(&mailbox));
        assert!(inbox.next().now_or_never().is_none());
        mailbox.push(Bytes::from(vec![b'a'; MOST / 2]));
        mailbox.push(Bytes::from(vec![b'b'; MOST / 2]));
        mailbox.push(Bytes::from_static(b"c"));
        mailbox.push(Bytes::from_static(b"d"));
        for first in [b'a', b'b'] {
            let next = inbox.next().now_or_never();
            assert!(matches!(next, Some(Some(Ok(response))) if response[0] == first));
        }
        let last = inbox.next().now_or_never();
        assert!(matches!(last, Some(Some(Err(errors))) if errors[0].code == Code::LimitExceeded));
        assert!(matches!(inbox.next().now_or_never(), Some(None)));
    }
}

//! What a connection's task and the application share: two queues, and how it ended.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::task::Waker;

use bytes::Bytes;

use super::Limits;
use super::close::{Close, Code};
use super::deflate::Deflate;
use super::flush;
use super::frame::{self, Message, Opcode, Outgoing};
use super::outbox::Outbox;
use super::reader::Event;
use crate::server::stream::Line;

/// From this many waiting bytes on, senders are to wait …
const CONGESTED: usize = 64 * 1024;
/// … until so few are left.
const RELIEVED: usize = 16 * 1024;

/// Who is told that something happened. Called on the worker's thread, outside of any borrow.
pub trait Watcher {
    /// There may be something to receive.
    fn readable(&self);
    /// There may be room to send.
    fn writable(&self);
}

/// One side of a conversation: the application's handle to it.
pub struct Socket {
    me: Weak<Self>,
    limits: Limits,
    deflate: Option<Deflate>,
    inbox: RefCell<Inbox>,
    outbox: RefCell<Outbox>,
    phase: Cell<Phase>,
    ended: RefCell<Option<Close>>,
    watcher: RefCell<Option<Rc<dyn Watcher>>>,
    task: RefCell<Option<Waker>>,
    /// What it runs over, once it does.
    line: RefCell<Option<Line>>,
    /// It is noted among those that have something to send.
    noted: Cell<bool>,
    /// Somebody waits for room.
    awaited: Cell<bool>,
    /// The task is running, and will write what is queued before it rests.
    busy: Cell<bool>,
    /// The task has to look again.
    again: Cell<bool>,
}

/// Messages that wait for the application.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Inbox {
    fn push(&mut self, message: Message) {
        self.bytes += message.data.len();
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.data.len();
        if self.messages.is_empty() && self.messages.capacity() > 8 {
            self.messages.shrink_to(0);
        }
        Some(message)
    }

    /// Whether the peer is not to be read: there are many, or together they are as long as one may be.
    fn is_full(&self, limits: &Limits) -> bool {
        self.messages.len() >= limits.max_inbox || self.bytes >= limits.max_message.max(1)
    }
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Both sides talk.
    Open,
    /// Our close frame is on its way; the peer's is awaited.
    Closing,
    /// Nothing more is read; what is queued goes out.
    Leaving,
    /// Nothing more goes out.
    Gone,
}

impl Socket {
    pub(super) fn new(limits: Limits, deflate: Option<Deflate>) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            limits,
            deflate,
            inbox: RefCell::default(),
            outbox: RefCell::default(),
            phase: Cell::new(Phase::Open),
            ended: RefCell::new(None),
            watcher: RefCell::new(None),
            task: RefCell::new(None),
            line: RefCell::new(None),
            noted: Cell::new(false),
            awaited: Cell::new(false),
            busy: Cell::new(false),
            again: Cell::new(false),
        })
    }

    /// Says who is told of news; replaces who was before.
    pub fn watch(&self, watcher: Rc<dyn Watcher>) {
        *self.watcher.borrow_mut() = Some(watcher);
    }

    /// The next message, or how the conversation ended; `None` while there is neither.
    pub fn receive(&self) -> Option<Result<Message, Close>> {
        let mut inbox = self.inbox.borrow_mut();
        let full = inbox.is_full(&self.limits);
        if let Some(message) = inbox.pop() {
            // The peer was not read while the inbox was full.
            if full && !inbox.is_full(&self.limits) {
                self.wake();
            }
            return Some(Ok(message));
        }
        self.ended.borrow().clone().map(Err)
    }

    /// Queues a message.
    ///
    /// # Errors
    /// How the conversation ended.
    pub fn send(&self, text: bool, payload: &[u8]) -> Result<(), Close> {
        self.check_open()?;
        self.push(frame::encode_message(text, payload, self.deflate.as_ref()));
        Ok(())
    }

    /// Queues a message that others receive, too. A peer that does not take what waits for it is cut off.
    ///
    /// # Errors
    /// How the conversation ended.
    pub fn send_shared(&self, message: &mut Outgoing) -> Result<(), Close> {
        self.check_open()?;
        self.push(message.frame(self.deflate.as_ref()));
        Ok(())
    }

    fn check_open(&self) -> Result<(), Close> {
        if self.phase.get() == Phase::Open {
            return Ok(());
        }
        Err(self.ended.borrow().clone().unwrap_or_else(|| Close::new(Code::NORMAL, "closed already")))
    }

    fn push(&self, frame: Bytes) {
        let mut outbox = self.outbox.borrow_mut();
        outbox.bytes += frame.len();
        outbox.frames.push_back(frame);
        let (waiting, full) = (outbox.frames.len(), outbox.bytes > self.limits.max_outbox);
        drop(outbox);
        if full && waiting > 1 {
            self.cut_off("the peer does not take what is sent");
        }
        // With more than one frame queued somebody knows already, and so does the task while it runs.
        if (waiting == 1 || full) && !self.busy.get() && !self.note() {
            self.wake();
        }
    }

    /// Has its frames written together with those of others; `false` where its own task has to.
    fn note(&self) -> bool {
        if self.line.borrow().is_none() || self.phase.get() != Phase::Open {
            return false;
        }
        let noted = self.noted.get() || self.me.upgrade().is_some_and(flush::soon);
        self.noted.set(noted);
        noted
    }

    /// Writes what is queued as far as the system takes it at once; the task does the rest.
    pub(super) fn flush(&self) {
        self.noted.set(false);
        if self.busy.get() || self.outbox.borrow().frames.is_empty() {
            return;
        }
        let line = self.line.borrow();
        let written = line.as_ref().map(|line| self.outbox.borrow_mut().write_now(&line.borrow()));
        drop(line);
        match written {
            Some(Ok(())) if self.outbox.borrow().frames.is_empty() => self.tell_writable(),
            // The task learns of errors by its own write.
            _ => self.wake(),
        }
    }

    /// Whether so much waits for the peer that a sender should wait, too; [`Watcher::writable`] tells when no longer.
    pub fn is_congested(&self) -> bool {
        let congested = self.outbox.borrow().bytes > CONGESTED && self.phase.get() != Phase::Gone;
        if congested {
            self.awaited.set(true);
        }
        congested
    }

    /// Sends a close frame; what the peer still sends is read until it answers. Does nothing the second time.
    pub fn close(&self, close: &Close) {
        if self.phase.get() == Phase::Open {
            self.phase.set(Phase::Closing);
            self.push(frame::encode(Opcode::Close, false, &close.payload()));
        }
    }

    /// Whether the conversation is over or about to be.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase.get() != Phase::Open
    }

    /// How the conversation ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<Close> {
        self.ended.borrow().clone()
    }

    /// The conversation never began: its connection is gone.
    pub fn abandon(&self) {
        self.finish();
    }

    // -- for the connection's task -------------------------------------------------------------------------------

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(super) fn deflate(&self) -> Option<Deflate> {
        self.deflate.clone()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The conversation runs over this.
    pub(super) fn connect(&self, line: Line) {
        *self.line.borrow_mut() = Some(line);
    }

    /// The task runs: it need not be woken.
    pub(super) fn begin(&self, waker: &Waker) {
        self.busy.set(true);
        let mut task = self.task.borrow_mut();
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    /// The task is about to rest; whether it may not.
    pub(super) fn rest(&self) -> bool {
        self.busy.set(false);
        self.again.take()
    }

    pub(super) fn wake(&self) {
        if self.busy.get() {
            self.again.set(true);
        } else if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    pub(super) fn outbox(&self) -> &RefCell<Outbox> {
        &self.outbox
    }

    /// Whether more of what the peer sends can be taken.
    pub(super) fn has_room(&self) -> bool {
        matches!(self.phase.get(), Phase::Open | Phase::Closing)
            && !self.inbox.borrow().is_full(&self.limits)
            && self.outbox.borrow().bytes <= CONGESTED
    }

    pub(super) fn take_in(&self, event: Event) {
        let phase = self.phase.get();
        match event {
            // After our close frame nobody wants to hear more.
            Event::Message(message) if phase == Phase::Open => self.inbox.borrow_mut().push(message),
            Event::Ping(payload) if phase == Phase::Open => {
                self.push(frame::encode(Opcode::Pong, false, &payload));
            }
            Event::Close(close) => {
                if phase == Phase::Open {
                    self.push(frame::encode(Opcode::Close, false, &close.payload()));
                }
                self.end(close, Phase::Leaving);
            }
            Event::Message(_) | Event::Ping(_) | Event::Pong => {}
        }
    }

    /// The peer broke the protocol.
    pub(super) fn fail(&self, close: Close) {
        if self.phase.get() == Phase::Open {
            self.push(frame::encode(Opcode::Close, false, &close.payload()));
        }
        self.end(close, Phase::Leaving);
    }

    pub(super) fn ping(&self) {
        if self.phase.get() == Phase::Open {
            self.push(frame::encode(Opcode::Ping, false, b""));
        }
    }

    /// Ends the conversation without a word: nobody would hear it.
    pub(super) fn cut_off(&self, reason: &str) {
        self.end(Close::new(Code::ABNORMAL, reason), Phase::Gone);
        *self.outbox.borrow_mut() = Outbox::default();
    }

    fn end(&self, close: Close, phase: Phase) {
        self.ended.borrow_mut().get_or_insert(close);
        self.phase.set(phase);
    }

    pub(super) fn tell_readable(&self) {
        let watcher = self.watcher.borrow().clone();
        if let Some(watcher) = watcher {
            watcher.readable();
        }
    }

    /// Some bytes went out.
    pub(super) fn tell_writable(&self) {
        if self.awaited.get() && self.outbox.borrow().bytes <= RELIEVED {
            self.awaited.set(false);
            let watcher = self.watcher.borrow().clone();
            if let Some(watcher) = watcher {
                watcher.writable();
            }
        }
    }

    /// The task is over; whoever waits learns of it, for the last time.
    pub(super) fn finish(&self) {
        if self.phase.get() != Phase::Gone {
            self.cut_off("the connection broke");
        }
        self.tell_readable();
        self.tell_writable();
        self.line.borrow_mut().take();
        self.watcher.borrow_mut().take();
        self.task.borrow_mut().take();
    }
}

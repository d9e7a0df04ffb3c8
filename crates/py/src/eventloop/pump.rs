//! The Tokio task that runs the loop's turns.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use pyo3::prelude::*;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Sleep, sleep_until};

use super::event_loop::EventLoop;

/// Runs a turn when the selector has events, when a timer is due, or when somebody asked for one; then lets others have a go.
pub(super) struct Pump {
    event_loop: Rc<EventLoop>,
    selector: AsyncFd<OwnedFd>,
    // Whether a turn has collected events since the runtime said that there are some.
    collected: bool,
    sleep: Pin<Box<Sleep>>,
    armed: Option<Instant>,
}

impl Pump {
    /// `selector` is the descriptor of the loop's selector, which must be open.
    pub(super) fn new(event_loop: Rc<EventLoop>, selector: RawFd) -> io::Result<Self> {
        // SAFETY: open, as the caller promises. The copy is this pump's own, so that it does not matter who closes first.
        let selector = unsafe { BorrowedFd::borrow_raw(selector) }.try_clone_to_owned()?;
        // SAFETY: the descriptor is owned by the `AsyncFd` and open until that is dropped.
        let selector = unsafe { AsyncFd::register_with_interest(selector, Interest::READABLE) }?;
        let sleep = Box::pin(sleep_until(Instant::now().into()));
        Ok(Self { event_loop, selector, collected: false, sleep, armed: None })
    }

    /// Whether the selector may have events; if not, the runtime will wake this task when it has.
    ///
    /// The runtime reports a change once, the selector what is left unread again and again: so its own answer decides.
    fn poll_selector(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        while let Poll::Ready(guard) = self.selector.poll_read_ready(cx) {
            let mut guard = guard?;
            if !self.collected || is_readable(guard.get_inner()) {
                self.collected = true;
                return Ok(true);
            }
            guard.clear_ready();
            self.collected = false;
        }
        Ok(false)
    }

    /// Whether the next timer is due; if not, the runtime will wake this task when it is.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.event_loop.deadline();
        if self.armed != deadline {
            self.armed = deadline;
            if let Some(deadline) = deadline {
                self.sleep.as_mut().reset(deadline.into());
            }
        }
        self.armed.is_some() && self.sleep.as_mut().poll(cx).is_ready()
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let pump = &mut *self;
        pump.event_loop.signal().register(cx.waker());
        let asked = pump.event_loop.signal().take();
        let due = pump.poll_timer(cx);
        // An error means that the runtime is shutting down: there will be no more events.
        let Ok(readable) = pump.poll_selector(cx) else { return Poll::Ready(()) };
        if !asked && !due && !readable {
            return Poll::Pending;
        }
        Python::attach(|py| pump.event_loop.turn(py, readable));
        // One turn, however much there is to do. The next poll also asks to be woken for what this turn brought about.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Whether reading from `descriptor` would not block.
fn is_readable(descriptor: &OwnedFd) -> bool {
    let mut entry = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry, and no waiting.
    unsafe { libc::poll(&raw mut entry, 1, 0) != 0 }
}

//! The Tokio task that runs the loop's turns.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
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
        Ok(Self { event_loop, selector, sleep: Box::pin(sleep_until(Instant::now().into())), armed: None })
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
        let readable = match pump.selector.poll_read_ready(cx) {
            Poll::Ready(Ok(guard)) => Some(guard),
            // The runtime is shutting down: there will be no more events.
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => None,
        };
        if !asked && !due && readable.is_none() {
            return Poll::Pending;
        }
        let active = Python::attach(|py| pump.event_loop.turn(py, readable.is_some()));
        // Readiness is reported once per change, so that it may only be forgotten when the selector had nothing more.
        if let Some(mut guard) = readable
            && !active
        {
            guard.clear_ready();
        }
        // One turn, however much there is to do. The next poll also asks to be woken for what this turn brought about.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

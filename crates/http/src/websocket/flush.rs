//! What was queued outside of a connection's own turn goes out here: one task writes for all sockets of a worker.
//!
//! Waking thousands of tasks for a broadcast costs more than their writes do. So a socket with something to send is noted,
//! and one task writes to each what the system takes at once; only a socket that is full wakes its own task. It writes a
//! batch in a turn, so that a broadcast to many does not hold up everything else.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::socket::Socket;

/// Sockets written to in one turn.
const BATCH: usize = 64;
/// Sockets for which the list keeps its memory.
const KEPT: usize = 1024;

#[derive(Default)]
struct Noted {
    sockets: VecDeque<Rc<Socket>>,
    /// None where nobody writes.
    task: Option<Waker>,
}

thread_local! {
    static NOTED: RefCell<Noted> = RefCell::default();
}

/// Notes a socket; `false` where nobody would write.
pub(super) fn soon(socket: Rc<Socket>) -> bool {
    NOTED.with_borrow_mut(|noted| {
        let Some(task) = &noted.task else { return false };
        if noted.sockets.is_empty() {
            task.wake_by_ref();
        }
        noted.sockets.push_back(socket);
        true
    })
}

/// Writes for the sockets of this thread until aborted.
pub(crate) async fn run() {
    let _rest = Rest;
    poll_fn(|cx| {
        NOTED.with_borrow_mut(|noted| {
            if !noted.task.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
                noted.task = Some(cx.waker().clone());
            }
        });
        for _ in 0..BATCH {
            let Some(socket) = NOTED.with_borrow_mut(next) else { return Poll::Pending };
            socket.flush();
        }
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    })
    .await;
}

fn next(noted: &mut Noted) -> Option<Rc<Socket>> {
    let socket = noted.sockets.pop_front();
    if noted.sockets.is_empty() && noted.sockets.capacity() > KEPT {
        noted.sockets = VecDeque::new();
    }
    socket
}

/// Leaves the sockets to their own tasks.
struct Rest;

impl Drop for Rest {
    fn drop(&mut self) {
        let Noted { sockets, .. } = NOTED.take();
        sockets.iter().for_each(|socket| socket.wake());
    }
}

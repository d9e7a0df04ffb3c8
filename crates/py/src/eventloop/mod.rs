//! asyncio on the worker's own thread: coroutines are stepped where the request was read, and what suspends continues on
//! an asyncio loop whose turns are run by the same Tokio runtime.
//!
//! In the order a request meets them: [`EventLoop`] steps a coroutine inside a [`spare`] task; if the coroutine finishes,
//! the spare is as good as new and nothing was scheduled. If it suspends, the spare becomes the request's task, its
//! [`body`] carries on with the coroutine, the [`pump`] runs the loop's turns, and [`Pending`] has the result.
//! [`scheduler`], [`timers`] and [`handle`] are what asyncio keeps its callbacks in, [`wakeup`] ends sleeps. A [`Waiter`] is what a coroutine awaits that Rust wakes. [`SyncPool`] is where blocking handlers go.
//!
//! `docs/decisions/asyncio-bridge.md` says why it is built this way, with measurements.

mod awaitable;
mod body;
mod completion;
mod context;
mod event_loop;
mod handle;
mod pending;
mod pump;
mod scheduler;
mod spare;
mod sync_pool;
pub(crate) mod testing;
mod timers;
mod waiter;
mod wake;
mod wakeup;

pub(crate) use context::Entered;
pub(crate) use event_loop::{EventLoop, Step};
pub(crate) use pending::Pending;
pub(crate) use sync_pool::{Busy, SyncCall, SyncPool};
pub(crate) use waiter::Waiter;

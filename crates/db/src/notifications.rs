//! `LISTEN`: one connection of a worker's own, and everybody on the worker who wants to hear.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::postgres::Notification;
use crate::postgres::connect::Target;
use crate::postgres::frame::{Frame, ReadBuffer};
use crate::postgres::stream::Stream;

/// Between two attempts to reach a server that is gone.
const AGAIN: Duration = Duration::from_millis(250);

/// What a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A payload.
    Payload(&'a str),
    /// The connection was lost: what was sent since, until [`Heard::Listening`], nobody heard.
    Lost,
    /// From now on nothing is missed.
    Listening,
}

type Listener = Rc<dyn Fn(Heard<'_>)>;

/// A worker's ear to one database; clones share it. The connection is opened with the first subscription and comes back by
/// itself.
#[derive(Clone)]
pub struct Notifications(Rc<Inner>);

struct Inner {
    target: Rc<Target>,
    channels: RefCell<BTreeMap<String, Vec<(u64, Listener)>>>,
    next: Cell<u64>,
    running: Cell<bool>,
    /// Another channel is to be listened to.
    changed: Notify,
}

/// Ends with its drop.
pub struct Subscription {
    inner: Weak<Inner>,
    channel: String,
    number: u64,
}

impl Notifications {
    pub(crate) fn new(target: Rc<Target>) -> Self {
        Self(Rc::new(Inner {
            target,
            channels: RefCell::default(),
            next: Cell::new(0),
            running: Cell::new(false),
            changed: Notify::new(),
        }))
    }

    /// Calls `listener` for everything that is sent to `channel`, until the subscription is dropped.
    #[must_use]
    pub fn subscribe(&self, channel: &str, listener: impl Fn(Heard<'_>) + 'static) -> Subscription {
        let inner = &self.0;
        let number = inner.next.get();
        inner.next.set(number + 1);
        inner.channels.borrow_mut().entry(channel.to_owned()).or_default().push((number, Rc::new(listener)));
        inner.changed.notify_one();
        if !inner.running.replace(true) {
            spawn_local(run(Rc::downgrade(inner), Rc::clone(&inner.target)));
        }
        Subscription { inner: Rc::downgrade(inner), channel: channel.to_owned(), number }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(inner) = self.inner.upgrade() else { return };
        let mut channels = inner.channels.borrow_mut();
        if let Some(listeners) = channels.get_mut(&self.channel) {
            listeners.retain(|(number, _)| *number != self.number);
            if listeners.is_empty() {
                channels.remove(&self.channel);
                inner.changed.notify_one();
            }
        }
    }
}

impl Inner {
    /// Listeners are called outside of any borrow: they may subscribe.
    fn tell(&self, channel: Option<&str>, heard: Heard<'_>) {
        let listeners: Vec<Listener> = {
            let channels = self.channels.borrow();
            let all = channels.iter().filter(|(name, _)| channel.is_none_or(|channel| channel == *name));
            all.flat_map(|(_, listeners)| listeners.iter().map(|(_, listener)| Rc::clone(listener))).collect()
        };
        listeners.iter().for_each(|listener| listener(heard));
    }
}

/// Listens as long as the pool lives.
async fn run(inner: Weak<Inner>, target: Rc<Target>) {
    let mut told = false;
    loop {
        match target.open().await {
            Ok((session, _)) => {
                told = false;
                let mut ear = Ear { stream: session.stream, input: session.input, listening: Vec::new() };
                if let Err(error) = ear.listen(&inner).await {
                    tracing::warn!("database connection for notifications lost: {error}");
                }
                let Some(inner) = inner.upgrade() else { return };
                inner.tell(None, Heard::Lost);
            }
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!("database cannot be reached for notifications: {error}");
            }
            Err(_) => {}
        }
        sleep(AGAIN).await;
        if inner.strong_count() == 0 {
            return;
        }
    }
}

/// An open connection.
struct Ear {
    stream: Stream,
    input: ReadBuffer,
    /// Channels the server knows of.
    listening: Vec<String>,
}

impl Ear {
    /// Until the connection breaks, or the worker has let go of it.
    async fn listen(&mut self, inner: &Weak<Inner>) -> Result<(), String> {
        loop {
            let Some(shared) = inner.upgrade() else { return Ok(()) };
            let wanted: Vec<String> = shared.channels.borrow().keys().cloned().collect();
            self.tune(&wanted).await?;
            if let Err(error) = self.dispatch(&shared) {
                return Err(error.to_owned());
            }
            let changed = shared.changed.notified();
            tokio::select! {
                count = fill(&mut self.stream, &mut self.input) => {
                    if count? == 0 {
                        return Err("the server closed it".to_owned());
                    }
                }
                () = changed => {}
            }
        }
    }

    /// Tells the server what to send.
    async fn tune(&mut self, wanted: &[String]) -> Result<(), String> {
        let mut out = BytesMut::new();
        for (verb, from, to) in [("LISTEN", wanted, &*self.listening), ("UNLISTEN", &*self.listening, wanted)]
        {
            for channel in from.iter().filter(|channel| !to.contains(channel)) {
                let statement = format!("{verb} \"{}\"", channel.replace('"', "\"\""));
                frontend::query(&statement, &mut out).map_err(|error| error.to_string())?;
            }
        }
        if !out.is_empty() {
            self.stream.write_all(&out).await.map_err(|error| error.to_string())?;
            self.stream.flush().await.map_err(|error| error.to_string())?;
            self.listening = wanted.to_vec();
        }
        Ok(())
    }

    /// Hands on what was read.
    fn dispatch(&mut self, shared: &Inner) -> Result<(), &'static str> {
        loop {
            let first = Frame::first(self.input.filled())
                .map_err(|_| "the server does not speak PostgreSQL's protocol")?;
            let Some((frame, size)) = first else { return Ok(()) };
            let heard = match frame.tag {
                b'A' => Some(Notification::parse(frame.body).map_err(|_| "a notification that ends early")?),
                b'E' => return Err("the server refused to listen"),
                _ => None,
            };
            // CommandComplete of a LISTEN: nothing is missed from here on.
            let began = frame.tag == b'C' && frame.body.starts_with(b"LISTEN");
            self.input.consume(size);
            if let Some(notification) = heard {
                shared.tell(Some(&notification.channel), Heard::Payload(&notification.payload));
            } else if began {
                shared.tell(None, Heard::Listening);
            }
        }
    }
}

async fn fill(stream: &mut Stream, input: &mut ReadBuffer) -> Result<usize, String> {
    let space = input.space().map_err(|_| "a message without an end".to_owned())?;
    let count = poll_fn(|cx| Pin::new(&mut *stream).get_mut().poll_fill(cx, space)).await;
    let count = count.map_err(|error| error.to_string())?;
    input.advance(count);
    Ok(count)
}

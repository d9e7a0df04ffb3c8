//! A feed on its worker: changes in order, read once, given to whoever wants them, and kept for those who come back.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use plectrum_db::notifications::Subscription;
use plectrum_db::{Context, Operation, Outcome, buffer};
use plectrum_http::sse::Event;
use serde_json::value::RawValue;

use super::change::{Change, Kind};
use super::news::{self, News};
use super::stream::Client;
use crate::database::Database;
use crate::native::Zones;

/// Rows read at the same time.
const AT_ONCE: usize = 32;

/// What the clients of one feed share.
pub(super) struct Channel {
    pub(super) parts: ChannelParts,
    clients: RefCell<Vec<Weak<Client>>>,
    ring: RefCell<VecDeque<Kept>>,
    /// Dropped with the channel; none before the first client.
    subscription: RefCell<Option<Subscription>>,
}

/// What a channel is made of.
pub(super) struct ChannelParts {
    pub(super) name: String,
    pub(super) database: Database,
    pub(super) operation: Arc<Operation>,
    pub(super) zones: Zones,
    /// Keys of the row that clients may filter by.
    pub(super) filters: Vec<String>,
    /// Events that are kept.
    pub(super) history: usize,
    /// What the trigger sends to.
    pub(super) channel: String,
}

/// An event that happened.
struct Kept {
    id: u64,
    /// The row's values of the filters; none for a delete, which everybody hears of.
    values: Option<Vec<Box<str>>>,
    event: Bytes,
}

impl Channel {
    pub(super) fn new(parts: ChannelParts) -> Rc<Self> {
        Rc::new(Self {
            parts,
            clients: RefCell::default(),
            ring: RefCell::default(),
            subscription: RefCell::new(None),
        })
    }

    /// Begins to listen, if nobody did; `false` where the database has no notifications.
    pub(super) fn listen(self: &Rc<Self>) -> bool {
        if self.subscription.borrow().is_some() {
            return true;
        }
        let Some((subscription, receiver)) = news::listen(&self.parts.database, &self.parts.channel) else {
            return false;
        };
        *self.subscription.borrow_mut() = Some(subscription);
        tokio::task::spawn_local(follow(Rc::downgrade(self), receiver));
        true
    }

    /// Adds a client, who has heard everything up to the event `last`.
    pub(super) fn add(&self, client: &Rc<Client>, last: Option<u64>) {
        if let Some(last) = last {
            let ring = self.ring.borrow();
            match ring.iter().position(|kept| kept.id == last) {
                Some(at) => ring.iter().skip(at + 1).for_each(|kept| kept.give(client)),
                None => client.push(reset()),
            }
        }
        let mut clients = self.clients.borrow_mut();
        if clients.len() == clients.capacity() {
            // Where nothing changes, nobody else forgets those that have left.
            clients.retain(|client| client.strong_count() > 0);
        }
        clients.push(Rc::downgrade(client));
    }

    fn publish(&self, kept: Kept) {
        self.each(|client| kept.give(client));
        let mut ring = self.ring.borrow_mut();
        if ring.len() >= self.parts.history {
            ring.pop_front();
        }
        ring.push_back(kept);
    }

    /// Nobody can tell what was missed.
    fn gap(&self) {
        self.ring.borrow_mut().clear();
        self.each(|client| client.push(reset()));
    }

    fn each(&self, tell: impl Fn(&Client)) {
        self.clients.borrow_mut().retain(|client| client.upgrade().inspect(|client| tell(client)).is_some());
    }

    /// The event of a change; `None` where the row is gone again or could not be read.
    async fn read(&self, change: Change) -> Result<Option<Kept>, ()> {
        if change.kind == Kind::Delete {
            let data = serde_json::json!({ "id": change.key }).to_string();
            return Ok(Some(Kept { id: change.id, values: None, event: written(&change, &data) }));
        }
        let Zones { current, session } = self.parts.zones.clone();
        let context = Context { zone: current, session, url: String::new(), signer: None, failures: None };
        let outcome = self.parts.database.run(&self.parts.operation, vec![change.argument()], context).await;
        match outcome {
            Ok(Outcome::Found(row)) => {
                let text = String::from_utf8_lossy(&row);
                let values = values_of(&text, &self.parts.filters);
                let event = written(&change, &text);
                drop(text);
                buffer::give(row);
                Ok(Some(Kept { id: change.id, values: Some(values), event }))
            }
            Ok(Outcome::NotFound) => Ok(None),
            Err(error) => {
                tracing::error!(target: "plectrum.database", "{}: a changed row cannot be read: {error}", self.parts.name);
                Err(())
            }
        }
    }
}

impl Kept {
    fn give(&self, client: &Client) {
        let fits = self.values.as_ref().is_none_or(|values| {
            values
                .iter()
                .zip(&client.wanted)
                .all(|(value, wanted)| wanted.as_ref().is_none_or(|wanted| wanted == value))
        });
        if fits {
            client.push(self.event.clone());
        }
    }
}

/// Reads what changed, in order, some rows at a time.
async fn follow(channel: Weak<Channel>, mut news: news::Receiver) {
    loop {
        let some = news.take(AT_ONCE).await;
        let Some(channel) = channel.upgrade().filter(|_| !some.is_empty()) else { return };
        let reading = stream::iter(some).map(|news| async {
            match news {
                News::Change(change) => channel.read(change).await,
                News::Gap => Err(()),
            }
        });
        let mut read = std::pin::pin!(reading.buffered(AT_ONCE));
        while let Some(kept) = read.next().await {
            match kept {
                Ok(Some(kept)) => channel.publish(kept),
                Ok(None) => {}
                Err(()) => channel.gap(),
            }
        }
    }
}

fn written(change: &Change, data: &str) -> Bytes {
    let id = change.id.to_string();
    let event =
        Event { data: Some(data), event: Some(change.kind.name()), id: Some(&id), ..Event::default() };
    let mut out = Vec::with_capacity(data.len() + 64);
    // Neither field has a line break.
    let _ = event.write(&mut out);
    out.into()
}

/// Tells a client that it may have missed something, and has to read anew what it shows.
fn reset() -> Bytes {
    Bytes::from_static(b"event: reset\nid: \ndata: {}\n\n")
}

/// The row's values of `filters`, as text: a string without its quotes, anything else as JSON.
fn values_of(row: &str, filters: &[String]) -> Vec<Box<str>> {
    if filters.is_empty() {
        return Vec::new();
    }
    let fields: HashMap<String, &RawValue> = serde_json::from_str(row).unwrap_or_default();
    let text = |raw: &&RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
    filters.iter().map(|name| fields.get(name).map(text).unwrap_or_default().into()).collect()
}

//! Workers of any number of hosts, by the publish and subscribe of one Redis.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSubSink, PubSubStream};
use redis::{AsyncCommands, Client};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::envelope::Envelope;
use super::hub::Hub;
use crate::seldom::Seldom;

/// Between two attempts to reach a Redis that is gone.
const AGAIN: Duration = Duration::from_millis(250);
/// For Redis to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// One worker's connections to Redis: one that publishes, one that listens.
pub(super) struct Redis {
    prefix: Box<str>,
    publisher: ConnectionManager,
    topics: Rc<RefCell<BTreeSet<String>>>,
    changes: mpsc::UnboundedSender<Change>,
    outgoing: mpsc::UnboundedSender<(String, Bytes)>,
    tasks: [JoinHandle<()>; 2],
}

/// What the listening connection is to do.
enum Change {
    Subscribe(String),
    Unsubscribe(String),
}

impl Redis {
    /// `own` is the topic on which this worker alone is reached.
    pub(super) fn open(url: &str, prefix: &str, hub: Weak<Hub>, own: &str) -> Result<Self, String> {
        let client =
            Client::open(url).map_err(|error| format!("{url:?} is not the address of a Redis: {error}"))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let publisher = client.get_connection_manager_lazy(config).map_err(|error| error.to_string())?;
        let topics = Rc::new(RefCell::new(BTreeSet::from([format!("{prefix}:{own}")])));
        let ((changes, changed), (outgoing, sent)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let tasks = [
            tokio::task::spawn_local(listen(client, Rc::clone(&topics), changed, hub)),
            tokio::task::spawn_local(publish_all(publisher.clone(), sent)),
        ];
        Ok(Self { prefix: prefix.into(), publisher, topics, changes, outgoing, tasks })
    }

    fn channel(&self, topic: &str) -> String {
        format!("{}:{topic}", self.prefix)
    }

    pub(super) fn subscribe(&self, topic: &str) {
        let channel = self.channel(topic);
        if self.topics.borrow_mut().insert(channel.clone()) {
            // The listening task lives as long as this.
            let _ = self.changes.send(Change::Subscribe(channel));
        }
    }

    pub(super) fn unsubscribe(&self, topic: &str) {
        let channel = self.channel(topic);
        if self.topics.borrow_mut().remove(&channel) {
            let _ = self.changes.send(Change::Unsubscribe(channel));
        }
    }

    /// In order, as soon as Redis takes it.
    pub(super) fn send(&self, topic: &str, message: Bytes) {
        let _ = self.outgoing.send((self.channel(topic), message));
    }

    /// How many other workers listen.
    pub(super) async fn publish(&self, topic: &str, message: Bytes) -> usize {
        let channel = self.channel(topic);
        let listens = self.topics.borrow().contains(&channel);
        let heard: usize = self.publisher.clone().publish(channel, &*message).await.unwrap_or(0);
        heard.saturating_sub(usize::from(listens))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn publish_all(mut publisher: ConnectionManager, mut sent: mpsc::UnboundedReceiver<(String, Bytes)>) {
    let lost = Seldom::new();
    while let Some((channel, message)) = sent.recv().await {
        let published: Result<usize, _> = publisher.publish(channel, &*message).await;
        if let Err(error) = published
            && let Some(more) = lost.turn(Instant::now())
        {
            tracing::error!(target: "plectrum.channels", "Redis does not take messages for other workers: {error} ({more} more lost)");
        }
    }
}

/// Listens for ever, on a new connection whenever the last one broke.
async fn listen(
    client: Client,
    topics: Rc<RefCell<BTreeSet<String>>>,
    mut changed: mpsc::UnboundedReceiver<Change>,
    hub: Weak<Hub>,
) {
    let told = Seldom::new();
    loop {
        match connect(&client, &topics, &mut changed).await {
            Ok((sink, stream)) => hear(sink, stream, &mut changed, &hub).await,
            Err(error) => {
                if told.turn(Instant::now()).is_some() {
                    tracing::error!(target: "plectrum.channels", "Redis cannot be heard: {error}");
                }
            }
        }
        sleep(AGAIN).await;
    }
}

async fn connect(
    client: &Client,
    topics: &RefCell<BTreeSet<String>>,
    changed: &mut mpsc::UnboundedReceiver<Change>,
) -> Result<(PubSubSink, PubSubStream), String> {
    let attempt = async {
        let mut pubsub = client.get_async_pubsub().await?;
        // Everything that changed meanwhile is in the set.
        while changed.try_recv().is_ok() {}
        let all: Vec<String> = topics.borrow().iter().cloned().collect();
        pubsub.subscribe(all).await?;
        redis::RedisResult::Ok(pubsub.split())
    };
    match timeout(PATIENCE, attempt).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// Until the connection breaks.
async fn hear(
    mut sink: PubSubSink,
    mut stream: PubSubStream,
    changed: &mut mpsc::UnboundedReceiver<Change>,
    hub: &Weak<Hub>,
) {
    loop {
        tokio::select! {
            message = stream.next() => {
                let (Some(message), Some(hub)) = (message, hub.upgrade()) else { return };
                if let Some(envelope) = Envelope::decode(Bytes::copy_from_slice(message.get_payload_bytes())) {
                    hub.arrive(envelope);
                }
            }
            change = changed.recv() => {
                let done = match change {
                    Some(Change::Subscribe(channel)) => sink.subscribe(channel).await,
                    Some(Change::Unsubscribe(channel)) => sink.unsubscribe(channel).await,
                    None => return,
                };
                if done.is_err() {
                    return;
                }
            }
        }
    }
}

//! A worker's members of all groups, and what happens to a message.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use plectrum_http::websocket::{Group, Message, Socket};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::envelope::{Envelope, Kind};
use super::link::{Link, Reach};

/// How long other workers may take to say who is there.
const ROLL_CALL: Duration = Duration::from_millis(500);

/// Members may join, before those are looked for that have left without a word.
const SWEEP_AFTER: usize = 256;

/// Somebody who receives events, and is no WebSocket.
pub trait Mailbox {
    /// Takes an event. Called on the worker's thread; must not block.
    fn deliver(&self, topic: &str, payload: &Bytes);
}

/// One worker's groups.
pub struct Hub {
    /// A number that no other worker has.
    id: u64,
    topics: RefCell<HashMap<Box<str>, Topic>>,
    link: OnceCell<Link>,
    /// Running roll calls, by number.
    asked: RefCell<HashMap<u64, mpsc::UnboundedSender<Bytes>>>,
    next: Cell<u64>,
    /// Members that may join before the next [`Self::sweep`].
    patience: Cell<usize>,
}

#[derive(Default)]
struct Topic {
    sockets: Group,
    names: HashMap<usize, (Weak<Socket>, Box<str>)>,
    mailboxes: Vec<(u64, Rc<dyn Mailbox>)>,
}

impl Topic {
    fn is_empty(&self) -> bool {
        self.sockets.is_empty() && self.mailboxes.is_empty()
    }

    /// Forgets those whose conversation is over.
    fn forget_closed(&mut self) {
        self.sockets.forget_closed();
        self.names.retain(|_, (socket, _)| socket.upgrade().is_some_and(|socket| !socket.is_closed()));
    }

    /// Names of those who are there.
    fn present(&mut self) -> Vec<String> {
        self.forget_closed();
        self.names.values().map(|(_, name)| name.to_string()).collect()
    }
}

impl Hub {
    /// Inside of the worker's runtime. `id` must be unlike any other worker's.
    ///
    /// # Errors
    /// A sentence for the user where the reach cannot be had at all; links that break come back by themselves.
    pub fn open(id: u64, reach: &Reach) -> Result<Rc<Self>, String> {
        let hub = Rc::new(Self {
            id,
            topics: RefCell::default(),
            link: OnceCell::new(),
            asked: RefCell::default(),
            next: Cell::new(0),
            patience: Cell::new(SWEEP_AFTER),
        });
        let link = Link::open(reach, Rc::downgrade(&hub), &own_topic(id))?;
        let _ = hub.link.set(link);
        Ok(hub)
    }

    pub(super) fn link(&self) -> Option<&Link> {
        self.link.get()
    }

    /// Adds a WebSocket to a group, under a name that others may ask for.
    pub fn join(&self, topic: &str, socket: &Rc<Socket>, name: Option<&str>) {
        match self.patience.get().checked_sub(1) {
            Some(left) => self.patience.set(left),
            None => self.sweep(),
        }
        self.with(topic, |members| {
            members.sockets.join(socket);
            if let Some(name) = name {
                members.names.insert(Rc::as_ptr(socket) as usize, (Rc::downgrade(socket), name.into()));
            }
        });
    }

    /// Forgets members that are gone, and groups of nobody else: a group to which nothing is sent would never learn of it.
    /// It is done once for as many that join as there are, so that it costs each of them no more than a look at one.
    fn sweep(&self) {
        let mut members = 0;
        self.topics.borrow_mut().retain(|name, topic| {
            topic.forget_closed();
            members += topic.sockets.len();
            if topic.is_empty()
                && let Some(link) = self.link.get()
            {
                link.unsubscribe(name);
            }
            !topic.is_empty()
        });
        self.patience.set(members.max(SWEEP_AFTER));
    }

    /// Takes a WebSocket out of a group.
    pub fn leave(&self, topic: &str, socket: &Rc<Socket>) {
        self.with_known(topic, |members| {
            members.sockets.leave(socket);
            members.names.remove(&(Rc::as_ptr(socket) as usize));
        });
    }

    /// Adds a mailbox; the number takes it out again.
    pub fn subscribe(&self, topic: &str, mailbox: Rc<dyn Mailbox>) -> u64 {
        let number = self.number();
        self.with(topic, |members| members.mailboxes.push((number, mailbox)));
        number
    }

    /// Takes a mailbox out.
    pub fn unsubscribe(&self, topic: &str, number: u64) {
        self.with_known(topic, |members| members.mailboxes.retain(|(known, _)| *known != number));
    }

    /// Sends to every member everywhere; how many there are on this worker. Never waits.
    pub fn publish(&self, topic: &str, kind: Kind, payload: Bytes) -> usize {
        if let Some(link) = self.link.get().filter(|link| !matches!(link, Link::None)) {
            link.send(topic, self.envelope(topic, kind, payload.clone()).encode());
        }
        self.deliver(topic, kind, payload)
    }

    /// Names of a group's members on all workers that answer in time, sorted.
    pub async fn present(self: Rc<Self>, topic: &str) -> Vec<String> {
        let number = self.number();
        let (sender, mut answers) = mpsc::unbounded_channel();
        self.asked.borrow_mut().insert(number, sender);
        let question = format!("{} {number}", self.id);
        let message = self.envelope(topic, Kind::Who, question.into()).encode();
        let expected = Link::publish(Rc::clone(&self), topic.into(), message).await;
        let mut names = self.here(topic);
        let deadline = Instant::now() + ROLL_CALL;
        for _ in 0..expected {
            let Ok(Some(answer)) = timeout_at(deadline, answers.recv()).await else { break };
            names.extend(serde_json::from_slice::<Vec<String>>(&answer).unwrap_or_default());
        }
        self.asked.borrow_mut().remove(&number);
        names.sort_unstable();
        names
    }

    /// A message of another worker.
    pub(super) fn arrive(&self, envelope: Envelope) {
        let Envelope { origin, kind, topic, payload } = envelope;
        if origin == self.id {
            return;
        }
        match kind {
            Kind::Who => self.answer(&topic, &payload),
            Kind::Here => self.take_answer(&payload),
            Kind::Text | Kind::Binary | Kind::Event => drop(self.deliver(&topic, kind, payload)),
        }
    }

    fn deliver(&self, topic: &str, kind: Kind, payload: Bytes) -> usize {
        if kind == Kind::Event {
            return self.post(topic, &payload);
        }
        let message = Message { text: kind == Kind::Text, data: payload };
        self.with_known(topic, |members| members.sockets.broadcast(message)).unwrap_or(0)
    }

    /// Mailboxes are called outside of any borrow: what they do may come back here.
    fn post(&self, topic: &str, payload: &Bytes) -> usize {
        let mailboxes: Vec<_> = self
            .topics
            .borrow()
            .get(topic)
            .map(|members| members.mailboxes.iter().map(|(_, mailbox)| Rc::clone(mailbox)).collect())
            .unwrap_or_default();
        mailboxes.iter().for_each(|mailbox| mailbox.deliver(topic, payload));
        mailboxes.len()
    }

    fn here(&self, topic: &str) -> Vec<String> {
        self.topics.borrow_mut().get_mut(topic).map(Topic::present).unwrap_or_default()
    }

    fn answer(&self, topic: &str, question: &[u8]) {
        let asked = std::str::from_utf8(question).ok().and_then(|text| text.split_once(' '));
        let Some((Ok(asker), number)) = asked.map(|(asker, number)| (asker.parse::<u64>(), number)) else {
            return;
        };
        let names = serde_json::to_string(&self.here(topic)).unwrap_or_default();
        let back = own_topic(asker);
        if let Some(link) = self.link.get() {
            link.send(
                &back,
                self.envelope(&back, Kind::Here, format!("{asker} {number} {names}").into()).encode(),
            );
        }
    }

    fn take_answer(&self, answer: &Bytes) {
        let Ok(text) = std::str::from_utf8(answer) else { return };
        let mut parts = text.splitn(3, ' ');
        let (asker, number, names) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        if asker.and_then(|asker| asker.parse().ok()) != Some(self.id) {
            return;
        }
        let Some(number) = number.and_then(|number| number.parse().ok()) else { return };
        if let Some(sender) = self.asked.borrow().get(&number) {
            // A roll call that is over needs no answer.
            let _ = sender.send(Bytes::copy_from_slice(names.as_bytes()));
        }
    }

    fn envelope(&self, topic: &str, kind: Kind, payload: Bytes) -> Envelope {
        Envelope { origin: self.id, kind, topic: topic.into(), payload }
    }

    fn number(&self) -> u64 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    fn with(&self, topic: &str, work: impl FnOnce(&mut Topic)) {
        let mut topics = self.topics.borrow_mut();
        if let Some(members) = topics.get_mut(topic) {
            return work(members);
        }
        let mut members = Topic::default();
        work(&mut members);
        topics.insert(topic.into(), members);
        if let Some(link) = self.link.get() {
            link.subscribe(topic);
        }
    }

    /// Forgets the topic where nobody is left.
    fn with_known<T>(&self, topic: &str, work: impl FnOnce(&mut Topic) -> T) -> Option<T> {
        let mut topics = self.topics.borrow_mut();
        let members = topics.get_mut(topic)?;
        let done = work(members);
        if members.is_empty() {
            topics.remove(topic);
            if let Some(link) = self.link.get() {
                link.unsubscribe(topic);
            }
        }
        Some(done)
    }
}

/// The topic on which one worker alone is reached.
fn own_topic(id: u64) -> String {
    format!("!{id:x}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use plectrum_http::websocket::{Close, Code, Limits, handshake};
    use plectrum_http::{HeaderValue, Method, Request, RequestBody, Uri};

    use super::*;

    fn socket() -> Rc<Socket> {
        let mut request = Request::new(Method::GET, Uri::from_static("/"), RequestBody::default());
        for (name, value) in [
            ("host", "example.org"),
            ("upgrade", "websocket"),
            ("connection", "upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            request.headers.insert(name, HeaderValue::from_static(value));
        }
        handshake(&request, &Limits::default(), &[]).ok().unwrap().socket
    }

    #[test]
    fn rooms_that_are_silent_forget_who_is_gone() {
        let hub = Hub::open(1, &Reach::Worker).unwrap();
        let stays = socket();
        hub.join("everybody", &stays, Some("stays"));
        for number in 0..10 * SWEEP_AFTER {
            let goes = socket();
            hub.join("everybody", &goes, None);
            hub.join(&format!("user-{number}"), &goes, Some("goes"));
            goes.close(&Close::new(Code::NORMAL, ""));
            // Whoever keeps the handle of a conversation that is over does not keep it in its groups.
            std::mem::forget(goes);
        }
        assert!(hub.topics.borrow().len() <= SWEEP_AFTER + 1);
        assert!(hub.topics.borrow()["everybody"].sockets.len() <= SWEEP_AFTER + 1);
        assert_eq!(hub.here("everybody"), ["stays"]);
        assert_eq!(hub.topics.borrow()["everybody"].sockets.len(), 1);
    }
}

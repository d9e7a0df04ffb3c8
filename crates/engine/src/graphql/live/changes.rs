//! A table's changes as events of subscriptions: each changed row is read once for all who asked the same.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use plectrum_db::buffer;
use plectrum_db::notifications::Subscription;
use plectrum_db::value::Value;
use plectrum_graphql::{Code, Error, RootField};
use plectrum_json::text;
use serde::Deserialize;

use super::mailbox::{Inbox, Mailbox};
use super::responses::Responses;
use crate::database::Database;
use crate::feed::change::{Change, Kind};
use crate::feed::news::{self, News};
use crate::graphql::call;
use crate::graphql::endpoint::Inner;
use crate::graphql::plans::{Plan, Viewer};
use crate::graphql::prepare::{Prepared, Preparer};
use crate::graphql::run::{self, Failure};

/// Changes that are read at the same time.
const AT_ONCE: usize = 32;

/// What a subscription hears of a table, as the binding describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Watched {
    /// What the table's trigger sends to.
    pub channel: String,
    /// Name of each kind of change that is wanted.
    pub kinds: HashMap<Changed, String>,
    /// What an event consists of, by response key.
    pub members: Vec<(String, Member)>,
    /// Shapes that read a changed row; one that gives null says that it is none of the subscriber's.
    pub rows: Vec<String>,
    /// Which placeholder of theirs is the row's key.
    pub key: usize,
    /// What goes before the key of a row where ids name their type.
    pub prefix: Option<String>,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Changed {
    /// It is new.
    Insert,
    /// It is another.
    Update,
    /// It is no more.
    Delete,
}

/// A part of an event.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Member {
    /// What happened.
    Kind,
    /// The row's id.
    Id,
    /// Known beforehand.
    Literal(String),
    /// The row, read by the shape of this number; null where it is no more.
    Row(usize),
}

impl From<Kind> for Changed {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Insert => Self::Insert,
            Kind::Update => Self::Update,
            Kind::Delete => Self::Delete,
        }
    }
}

/// The tables of one graph that somebody hears of.
#[derive(Default)]
pub(in crate::graphql) struct Channels(RefCell<HashMap<String, Weak<Channel>>>);

/// One table.
struct Channel {
    watches: RefCell<HashMap<String, Weak<Watch>>>,
    /// Watches made so far.
    made: Cell<u64>,
    /// Ends with the channel.
    _subscription: Subscription,
}

/// One question to each change, and all who asked it.
struct Watch {
    inner: Rc<Inner>,
    prepared: Rc<Prepared>,
    field: RootField,
    watched: Watched,
    reads: Vec<Read>,
    /// Of those who ask, one; of the only one, where functions are told of it.
    viewer: Viewer,
    mailboxes: RefCell<Vec<Weak<Mailbox>>>,
    /// As long as somebody asks.
    _channel: Rc<Channel>,
}

/// How a row is read, with all that is bound but its key.
struct Read {
    plan: Rc<Plan>,
    args: Vec<Value>,
}

impl Channels {
    /// Begins to hear of a table.
    pub(super) fn subscribe(
        &self,
        inner: &Rc<Inner>,
        prepared: &Rc<Prepared>,
        field: &RootField,
        watched: Watched,
        viewer: &Viewer,
    ) -> Result<Responses, Vec<Error>> {
        let failed = |error: Error| vec![prepared.located(field, error)];
        let reads = reads_of(&inner.preparer, field, &watched, viewer).map_err(failed)?;
        let Some(database) = reads.first().map(|read| read.plan.database.clone()) else {
            return Err(failed(Error::new(Code::Internal, "Internal server error.")));
        };
        let channel = self.channel(&watched.channel, &database).ok_or_else(|| {
            failed(Error::new(Code::Unavailable, "Changes cannot be heard here: the database sends none."))
        })?;
        let watch = channel.watch((inner, prepared), field, watched, reads, viewer);
        let mailbox = Rc::new(Mailbox::default());
        watch.add(&mailbox);
        // The watch lives as long as somebody listens to it.
        let inbox = Inbox::new(mailbox).map(move |response| {
            let _ = &watch;
            response
        });
        Ok(inbox.boxed_local())
    }

    fn channel(&self, name: &str, database: &Database) -> Option<Rc<Channel>> {
        if let Some(known) = self.0.borrow().get(name).and_then(Weak::upgrade) {
            return Some(known);
        }
        let (subscription, receiver) = news::listen(database, name)?;
        let channel =
            Rc::new(Channel { watches: RefCell::default(), made: Cell::new(0), _subscription: subscription });
        tokio::task::spawn_local(follow(Rc::downgrade(&channel), receiver));
        self.0.borrow_mut().insert(name.to_owned(), Rc::downgrade(&channel));
        Some(channel)
    }
}

/// Plans and binds what reads a changed row.
fn reads_of(
    preparer: &Preparer,
    field: &RootField,
    watched: &Watched,
    viewer: &Viewer,
) -> Result<Vec<Read>, Error> {
    let read = |shape: &String| {
        let row = call::of_shape(field, shape.clone(), field.values.clone());
        let plan = preparer.planned(&row)?;
        let args = plan.bind(&row.values, viewer).map_err(|failing| Failure::Values(failing).into_error())?;
        Ok(Read { plan, args })
    };
    watched.rows.iter().map(read).collect()
}

impl Channel {
    /// The watch that asks the same, if there is one.
    fn watch(
        self: &Rc<Self>,
        (inner, prepared): (&Rc<Inner>, &Rc<Prepared>),
        field: &RootField,
        watched: Watched,
        reads: Vec<Read>,
        viewer: &Viewer,
    ) -> Rc<Watch> {
        let bound: Vec<&[Value]> = reads.iter().map(|read| &*read.args).collect();
        let mut same = format!("{} {} {bound:?}", field.key, String::from_utf8_lossy(&field.shape));
        self.made.set(self.made.get() + 1);
        if reads.iter().any(|read| read.plan.resolves) {
            // What a function answers may depend on anything of its request.
            same = format!("{same} {}", self.made.get());
        }
        if let Some(known) = self.watches.borrow().get(&same).and_then(Weak::upgrade) {
            return known;
        }
        let watch = Rc::new(Watch {
            inner: Rc::clone(inner),
            prepared: Rc::clone(prepared),
            field: call::of_shape(field, String::new(), Vec::new()),
            watched,
            reads,
            viewer: viewer.clone(),
            mailboxes: RefCell::default(),
            _channel: Rc::clone(self),
        });
        let mut watches = self.watches.borrow_mut();
        watches.retain(|_, watch| watch.strong_count() > 0);
        watches.insert(same, Rc::downgrade(&watch));
        watch
    }

    /// Everybody who asks.
    fn asked(&self) -> Vec<Rc<Watch>> {
        self.watches.borrow().values().filter_map(Weak::upgrade).collect()
    }
}

impl Watch {
    /// The event of a change; none where it is not wanted, or none of theirs.
    async fn read(&self, change: &Change) -> Result<Option<Bytes>, Error> {
        let Some(kind) = self.watched.kinds.get(&change.kind.into()) else { return Ok(None) };
        let mut rows = Vec::new();
        if change.kind != Kind::Delete {
            for row in join_all(self.reads.iter().map(|read| self.fetch(read, change))).await {
                rows.push(row?);
            }
            if rows.iter().any(|row| row == b"null") {
                return Ok(None);
            }
        }
        let value = self.value(change, kind, &rows);
        rows.into_iter().for_each(buffer::give);
        let value =
            run::complete(&self.inner.preparer, &self.prepared, &self.field, value.into(), &self.viewer)
                .await;
        Ok(Some(buffer::freeze(run::write_response(&self.prepared, vec![value]))))
    }

    /// What the members are, one by one.
    fn value(&self, change: &Change, kind: &str, rows: &[Vec<u8>]) -> Vec<u8> {
        let mut out = vec![b'{'];
        for (index, (key, member)) in self.watched.members.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            text::write(&mut out, key);
            out.push(b':');
            match member {
                Member::Kind => text::write(&mut out, kind),
                Member::Literal(literal) => text::write(&mut out, literal),
                Member::Id => text::write(&mut out, &self.id(change)),
                Member::Row(number) => {
                    out.extend_from_slice(rows.get(*number).map_or(b"null", Vec::as_slice));
                }
            }
        }
        out.push(b'}');
        out
    }

    async fn fetch(&self, read: &Read, change: &Change) -> Result<Vec<u8>, Error> {
        let mut args = read.args.clone();
        if let Some(key) = args.get_mut(self.watched.key) {
            *key = change.argument();
        }
        let row = run::fetch(&self.field, &read.plan, args, buffer::take()).await;
        row.map_err(|failure| self.prepared.located(&self.field, failure.into_error()))
    }

    fn id(&self, change: &Change) -> String {
        let key = change.key.as_str().map_or_else(|| change.key.to_string(), str::to_owned);
        match &self.watched.prefix {
            Some(prefix) => plectrum_graphql::global_id(prefix, &key),
            None => key,
        }
    }

    fn add(&self, mailbox: &Rc<Mailbox>) {
        let mut mailboxes = self.mailboxes.borrow_mut();
        if mailboxes.len() == mailboxes.capacity() {
            // Where nothing changes, nobody else forgets those that have left.
            mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
        }
        mailboxes.push(Rc::downgrade(mailbox));
    }

    /// Nobody can tell what was missed.
    fn gap(&self) -> Error {
        let why = "Changes may have been missed: subscribe again, and ask for what is shown anew.";
        self.prepared.located(&self.field, Error::new(Code::Unavailable, why))
    }

    fn tell(&self, tell: impl Fn(&Mailbox)) {
        self.mailboxes
            .borrow_mut()
            .retain(|mailbox| mailbox.upgrade().inspect(|mailbox| tell(mailbox)).is_some());
    }
}

/// Reads what changed, in order, some rows at a time.
async fn follow(channel: Weak<Channel>, mut news: news::Receiver) {
    loop {
        let some = news.take(AT_ONCE).await;
        let Some(channel) = channel.upgrade().filter(|_| !some.is_empty()) else { return };
        let asked = channel.asked();
        drop(channel);
        let reading = stream::iter(some).map(|news| read(&asked, news));
        let mut read = std::pin::pin!(reading.buffered(AT_ONCE));
        while let Some(events) = read.next().await {
            for (watch, event) in asked.iter().zip(events) {
                match event {
                    Ok(Some(event)) => watch.tell(|mailbox| mailbox.push(event.clone())),
                    Ok(None) => {}
                    Err(error) => watch.tell(|mailbox| mailbox.end(error.clone())),
                }
            }
        }
    }
}

/// What each watch makes of a piece of news.
async fn read(asked: &[Rc<Watch>], news: News) -> Vec<Result<Option<Bytes>, Error>> {
    match news {
        News::Change(change) => join_all(asked.iter().map(|watch| watch.read(&change))).await,
        News::Gap => asked.iter().map(|watch| Err(watch.gap())).collect(),
    }
}

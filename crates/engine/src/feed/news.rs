//! What a table's trigger says, as it is heard.

use std::cell::Cell;
use std::rc::Rc;

use plectrum_db::notifications::{Heard, Subscription};
use tokio::sync::mpsc;

use super::change::Change;
use crate::database::Database;

/// News that may wait. Where rows change faster than they can be read, all of it is given up for one [`News::Gap`].
const MOST: usize = 10_000;

/// What is heard of a table.
#[derive(Debug)]
pub(crate) enum News {
    /// A row changed.
    Change(Change),
    /// Something may have been missed.
    Gap,
}

/// What was heard and not taken yet.
pub(crate) struct Receiver {
    waiting: mpsc::Receiver<News>,
    /// There was no room for some.
    lost: Rc<Cell<bool>>,
}

/// Listens to `channel` until the subscription is dropped; `None` where the database has no notifications.
pub(crate) fn listen(database: &Database, channel: &str) -> Option<(Subscription, Receiver)> {
    let notifications = database.notifications()?;
    let (send, receiver) = queue();
    let hear = move |heard: Heard<'_>| match heard {
        Heard::Payload(payload) => send(serde_json::from_str(payload).map_or(News::Gap, News::Change)),
        Heard::Lost => send(News::Gap),
        Heard::Listening => {}
    };
    Some((notifications.subscribe(channel, hear), receiver))
}

fn queue() -> (impl Fn(News), Receiver) {
    let (sender, waiting) = mpsc::channel(MOST);
    let lost = Rc::new(Cell::new(false));
    let receiver = Receiver { waiting, lost: Rc::clone(&lost) };
    // Without a receiver nobody misses anything.
    (move |news| lost.set(lost.get() || sender.try_send(news).is_err()), receiver)
}

impl Receiver {
    /// Waits for news and takes at most so many; none once the subscription is dropped.
    pub(crate) async fn take(&mut self, most: usize) -> Vec<News> {
        let mut some = Vec::new();
        self.waiting.recv_many(&mut some, most).await;
        if self.lost.replace(false) {
            // Who reads anew after the gap sees what these would have told.
            while self.waiting.try_recv().is_ok() {}
            return vec![News::Gap];
        }
        some
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::feed::change::Kind;

    fn change(id: u64) -> News {
        News::Change(Change { kind: Kind::Delete, id, key: id.into() })
    }

    fn ids(news: &[News]) -> Vec<Option<u64>> {
        let id = |news: &News| match news {
            News::Change(change) => Some(change.id),
            News::Gap => None,
        };
        news.iter().map(id).collect()
    }

    #[test]
    fn more_than_can_wait_is_one_gap() {
        let (send, mut receiver) = queue();
        let mut take = |most| ids(&receiver.take(most).now_or_never().unwrap());
        (0..3).for_each(|id| send(change(id)));
        assert_eq!(take(2), [Some(0), Some(1)]);
        assert_eq!(take(2), [Some(2)]);

        (0..MOST as u64 + 5).for_each(|id| send(change(id)));
        assert_eq!(take(2), [None], "nothing from before the gap may come after it");
        send(change(7));
        assert_eq!(take(2), [Some(7)]);

        drop(send);
        assert_eq!(take(2), []);
    }
}

//! What a table's trigger says, as it is heard.

use plectrum_db::notifications::{Heard, Subscription};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::change::Change;
use crate::database::Database;

/// What is heard of a table.
pub(crate) enum News {
    /// A row changed.
    Change(Change),
    /// Something may have been missed.
    Gap,
}

/// Listens to `channel` until the subscription is dropped; `None` where the database has no notifications.
pub(crate) fn listen(database: &Database, channel: &str) -> Option<(Subscription, UnboundedReceiver<News>)> {
    let notifications = database.notifications()?;
    let (sender, receiver) = unbounded_channel();
    let hear = move |heard: Heard<'_>| {
        let news = match heard {
            Heard::Payload(payload) => serde_json::from_str(payload).map_or(News::Gap, News::Change),
            Heard::Lost => News::Gap,
            Heard::Listening => return,
        };
        // Whoever listened is gone with the receiver.
        let _ = sender.send(news);
    };
    Some((notifications.subscribe(channel, hear), receiver))
}

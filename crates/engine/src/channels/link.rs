//! The way from this worker to others.

use std::path::PathBuf;
use std::rc::{Rc, Weak};

use bytes::Bytes;

use super::hub::Hub;
use super::mesh::Mesh;
use super::redis::Redis;

/// How far messages go.
#[derive(Clone, Debug, Default)]
pub enum Reach {
    /// Not beyond this worker.
    #[default]
    Worker,
    /// To all workers that meet in this directory.
    Host(PathBuf),
    /// To all that use this Redis, under this prefix.
    Redis {
        /// `redis://…`
        url: String,
        /// Put before every name.
        prefix: String,
    },
}

/// A link that is up or tries to be.
pub(super) enum Link {
    None,
    Mesh(Mesh),
    Redis(Redis),
}

impl Link {
    /// Begins to connect; what arrives goes to `hub`.
    pub(super) fn open(reach: &Reach, hub: Weak<Hub>, own: &str) -> Result<Self, String> {
        match reach {
            Reach::Worker => Ok(Self::None),
            Reach::Host(directory) => {
                Mesh::open(directory, hub).map(Self::Mesh).map_err(|error| error.to_string())
            }
            Reach::Redis { url, prefix } => Redis::open(url, prefix, hub, own).map(Self::Redis),
        }
    }

    /// Somebody here wants to hear of `topic`.
    pub(super) fn subscribe(&self, topic: &str) {
        if let Self::Redis(redis) = self {
            redis.subscribe(topic);
        }
    }

    /// Nobody here does any more.
    pub(super) fn unsubscribe(&self, topic: &str) {
        if let Self::Redis(redis) = self {
            redis.unsubscribe(topic);
        }
    }

    /// Sends to all others; how many workers hear of it, this one not included, as far as is known.
    pub(super) async fn publish(hub: Rc<Hub>, topic: Box<str>, message: Bytes) -> usize {
        match hub.link() {
            Some(Self::Mesh(mesh)) => mesh.publish(&message),
            Some(Self::Redis(redis)) => redis.publish(&topic, message).await,
            Some(Self::None) | None => 0,
        }
    }

    /// Sends without asking who hears of it.
    pub(super) fn send(&self, topic: &str, message: Bytes) {
        match self {
            Self::None => {}
            Self::Mesh(mesh) => drop(mesh.publish(&message)),
            Self::Redis(redis) => redis.send(topic, message),
        }
    }
}

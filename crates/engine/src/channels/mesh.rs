//! Workers of a host, each connected to each over unix sockets in a directory that only their user may enter.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::envelope::Envelope;
use super::hub::Hub;
use crate::seldom::Seldom;

/// Messages that wait for a worker which does not read; further ones are lost to it.
const WAITING: usize = 4096;
/// Bytes of a message at most.
const LONGEST: usize = 64 * 1024 * 1024;

/// The connections to the other workers, by name.
type Peers = Rc<RefCell<HashMap<String, mpsc::Sender<Bytes>>>>;

/// One worker's part of the mesh. Its socket is removed with it; that of a killed one by whoever finds it dead.
pub(super) struct Mesh {
    path: PathBuf,
    peers: Peers,
    lost: Seldom,
}

impl Mesh {
    /// Listens, and connects to those that are there already. Those that come later connect to this one.
    pub(super) fn open(directory: &Path, hub: Weak<Hub>) -> io::Result<Self> {
        let name = format!("{}-{:x}", std::process::id(), rand_name());
        let path = directory.join(&name);
        let listener = UnixListener::bind(&path)?;
        let peers = Peers::default();
        let party = Party { own: name.clone(), peers: Rc::clone(&peers), hub };
        for entry in std::fs::read_dir(directory)?.flatten() {
            let other = entry.file_name().to_string_lossy().into_owned();
            if other != name {
                tokio::task::spawn_local(connect(entry.path(), other, party.clone()));
            }
        }
        tokio::task::spawn_local(accept(listener, party));
        Ok(Self { path, peers, lost: Seldom::new() })
    }

    /// Hands a message to the connections; how many there are.
    pub(super) fn publish(&self, message: &Bytes) -> usize {
        self.peers.borrow_mut().retain(|name, peer| match peer.try_send(message.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                if self.lost.turn(Instant::now()).is_some() {
                    tracing::warn!(target: "plectrum.channels", "worker {name} does not read: messages to it are lost");
                }
                true
            }
        });
        self.peers.borrow().len()
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        // It may be gone with its directory.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn rand_name() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    let hasher = std::hash::RandomState::new().build_hasher();
    hasher.finish() as u32
}

/// What every connection needs.
#[derive(Clone)]
struct Party {
    own: String,
    peers: Peers,
    hub: Weak<Hub>,
}

async fn connect(path: PathBuf, name: String, party: Party) {
    let Ok(stream) = UnixStream::connect(&path).await else {
        // Nobody listens: its worker was killed.
        let _ = std::fs::remove_file(&path);
        return;
    };
    let (read, mut write) = stream.into_split();
    if send(&mut write, party.own.as_bytes()).await.is_ok() {
        talk(read, write, name, party).await;
    }
}

async fn accept(listener: UnixListener, party: Party) {
    while let Ok((stream, _)) = listener.accept().await {
        let party = party.clone();
        tokio::task::spawn_local(async move {
            let (mut read, write) = stream.into_split();
            if let Ok(name) = receive(&mut read).await {
                talk(read, write, String::from_utf8_lossy(&name).into_owned(), party).await;
            }
        });
    }
}

/// Two workers that start together connect twice; each sends over the connection it learned of last only.
async fn talk(mut read: OwnedReadHalf, mut write: OwnedWriteHalf, name: String, party: Party) {
    let (sender, mut waiting) = mpsc::channel::<Bytes>(WAITING);
    party.peers.borrow_mut().insert(name, sender);
    let writing = tokio::task::spawn_local(async move {
        while let Some(message) = waiting.recv().await {
            if send(&mut write, &message).await.is_err() {
                break;
            }
        }
        // Held open for the other side's sake, who may send over it.
        std::future::pending::<()>().await;
    });
    while let Ok(message) = receive(&mut read).await {
        let Some(hub) = party.hub.upgrade() else { break };
        if let Some(envelope) = Envelope::decode(message) {
            hub.arrive(envelope);
        }
    }
    writing.abort();
}

async fn send(write: &mut OwnedWriteHalf, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    write.write_all(&length.to_be_bytes()).await?;
    write.write_all(message).await
}

async fn receive(read: &mut OwnedReadHalf) -> io::Result<Bytes> {
    let length = read.read_u32().await? as usize;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    read.read_exact(&mut message).await?;
    Ok(message.into())
}

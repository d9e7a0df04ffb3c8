//! Accepting connections: no more than allowed, and never giving up.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connection::Worker;
use super::listener::{Kind, Listener};
use super::stream::Stream;
use crate::{Peer, Service};

/// How long to wait when the system has no descriptor or memory for another connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(200);

type Accepted = (Stream, Peer);

enum Socket {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Socket {
    fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener.0 {
            Kind::Tcp(listener) => Self::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Kind::Unix(listener) => Self::Unix(tokio::net::UnixListener::from_std(listener)?),
        })
    }

    fn into_queue(self) -> io::Result<Queue> {
        Ok(Queue(match self {
            Self::Tcp(listener) => Kind::Tcp(listener.into_std()?),
            Self::Unix(listener) => Kind::Unix(listener.into_std()?),
        }))
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(Ok((Stream::Tcp(stream), Peer::Tcp(address))))
            }
            Self::Unix(listener) => {
                let (stream, _) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(Ok((Stream::Unix(stream), Peer::Unix)))
            }
        }
    }
}

/// All listeners of a worker, served in turn.
struct Sockets {
    sockets: Vec<Socket>,
    /// Who is asked first next time, so that a busy listener cannot starve the others.
    turn: usize,
}

impl Sockets {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let count = self.sockets.len();
        self.turn = (self.turn + 1) % count.max(1);
        let (later, first) = self.sockets.split_at(self.turn.min(count));
        for socket in first.iter().chain(later) {
            if let Poll::Ready(accepted) = socket.poll_accept(cx) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }

    /// The next connection, whatever goes wrong meanwhile.
    async fn accept(&mut self) -> Accepted {
        let mut told = false;
        loop {
            match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(accepted) => return accepted,
                Err(error) if is_peers_fault(&error) => {}
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(%error, "cannot accept connections; trying again every 200 ms");
                    }
                    sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }
}

/// The connection died in the queue: nothing is wrong with the listener.
fn is_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// The running accept loop of a worker.
pub(crate) struct Acceptor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Acceptor {
    /// Starts accepting.
    pub(crate) fn spawn<S: Service + 'static>(
        listeners: Vec<Listener>,
        worker: &Rc<Worker<S>>,
    ) -> io::Result<Self> {
        let sockets = listeners.into_iter().map(Socket::new).collect::<io::Result<Vec<_>>>()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::task::spawn_local(run(Sockets { sockets, turn: 0 }, Rc::clone(worker), stopped));
        Ok(Self { stop, task })
    }

    /// Ends the loop and closes the listeners.
    pub(crate) async fn stop(self) {
        // Errors mean that the loop is gone, which is what we want.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

async fn run<S: Service + 'static>(
    mut sockets: Sockets,
    worker: Rc<Worker<S>>,
    mut stopped: oneshot::Receiver<()>,
) {
    tokio::select! {
        biased;
        _ = &mut stopped => {}
        () = accept_forever(&mut sockets, &worker) => {}
    }
    // Closing the listeners would reset what waits in their queues, though those peers believe to be connected.
    for socket in sockets.sockets {
        let Ok(queue) = socket.into_queue() else { continue };
        while let Ok(slot) = Arc::clone(&worker.slots).try_acquire_owned() {
            let Some((stream, peer)) = queue.next() else { break };
            worker.open(stream, peer, slot);
        }
    }
}

/// A listener that is asked directly: the runtime learns of connections only between its turns.
struct Queue(Kind);

impl Queue {
    /// The next connection that the kernel has accepted already.
    fn next(&self) -> Option<Accepted> {
        loop {
            match self.accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) if is_peers_fault(&error) => {}
                Err(_) => return None,
            }
        }
    }

    fn accept(&self) -> io::Result<Accepted> {
        match &self.0 {
            Kind::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok((Stream::Tcp(tokio::net::TcpStream::from_std(stream)?), Peer::Tcp(address)))
            }
            Kind::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok((Stream::Unix(tokio::net::UnixStream::from_std(stream)?), Peer::Unix))
            }
        }
    }
}

/// Takes a slot first, then a connection for it: at the limit, connections wait in the kernel's queue.
async fn accept_forever<S: Service + 'static>(sockets: &mut Sockets, worker: &Rc<Worker<S>>) {
    while let Some(slot) = free_slot(worker).await {
        let (stream, peer) = sockets.accept().await;
        worker.open(stream, peer, slot);
    }
}

/// `None` never happens: nobody closes the semaphore.
async fn free_slot<S>(worker: &Worker<S>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(&worker.slots).acquire_owned().await.ok()
}

//! A thread that reads one query's rows, a batch ahead of whoever takes them.
//!
//! It is held up by a full channel and ended by a closed one, so the query is stopped when nobody wants the rows.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use plectrum_db::buffer;
use plectrum_db::error::Error;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::Config;
use plectrum_db::value::Value;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;

use super::file::File;

/// For the server to notice that the query is cancelled, or that we leave.
const GRACE: Duration = Duration::from_secs(2);

/// What the thread does.
pub(super) struct Job {
    pub(super) cursor: plectrum_db::Cursor,
    pub(super) args: Vec<Value>,
    pub(super) config: Config,
    pub(super) file: File,
}

/// Settings for a connection that is nobody else's and stays as long as it is needed.
pub(super) fn alone(json: &str) -> Result<Config, String> {
    let config = Config::from_json(json)?;
    Ok(Config { max_connections: 1, idle_timeout: 0.0, max_lifetime: 0.0, transactions: true, ..config })
}

/// Bytes, and the number of rows so far.
type Piece = (Vec<u8>, u64);
/// What the thread sends: `None` is the proper end. One that is gone without it has failed.
type News = Result<Option<Piece>, Error>;

enum State {
    Waiting(Box<Job>),
    Running(Receiver<News>),
    Over,
}

/// The taking end.
pub(super) struct Reader {
    state: Mutex<State>,
    /// Dropped to end the thread; also while `state` is locked by somebody who waits for a piece.
    interest: Mutex<Interest>,
}

#[derive(Default)]
struct Interest {
    closed: bool,
    held: Option<oneshot::Sender<()>>,
}

impl Reader {
    pub(super) fn new(job: Job) -> Self {
        Self { state: Mutex::new(State::Waiting(Box::new(job))), interest: Mutex::default() }
    }

    /// The next piece; `None` after the last one, and once it is closed.
    pub(super) fn next(&self) -> Result<Option<Piece>, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Waiting(_) = &*state
            && let State::Waiting(job) = std::mem::replace(&mut *state, State::Over)
        {
            *state = self.start(*job)?;
        }
        let State::Running(pieces) = &*state else { return Ok(None) };
        let received = pieces.recv();
        if self.interest.lock().unwrap_or_else(PoisonError::into_inner).closed {
            *state = State::Over;
            return Ok(None);
        }
        if let Ok(Ok(Some(piece))) = received {
            return Ok(Some(piece));
        }
        *state = State::Over;
        received.unwrap_or_else(|_| Err(Error::Broken("the thread that read the rows is gone".to_owned())))
    }

    fn start(&self, job: Job) -> Result<State, Error> {
        let (interest, lost) = oneshot::channel();
        let mut held = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        if held.closed {
            return Ok(State::Over);
        }
        held.held = Some(interest);
        let (sender, pieces) = sync_channel(1);
        let thread = std::thread::Builder::new().name("plectrum-export".to_owned());
        thread
            .spawn(move || run(job, &sender, lost))
            .map_err(|error| Error::Unavailable(format!("no thread for the export: {error}")))?;
        Ok(State::Running(pieces))
    }

    /// Ends the thread and its query.
    pub(super) fn close(&self) {
        let mut interest = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        interest.closed = true;
        interest.held = None;
        drop(interest);
        // A thread that waits for room is freed by this; where somebody waits for the thread, `next` does it.
        if let Ok(mut state) = self.state.try_lock() {
            *state = State::Over;
        }
    }
}

fn run(job: Job, sender: &SyncSender<News>, lost: oneshot::Receiver<()>) {
    let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => runtime,
        Err(error) => {
            // Whoever is gone needs no news, here and below.
            let _ = sender.send(Err(Error::Unavailable(error.to_string())));
            return;
        }
    };
    runtime.block_on(async {
        let pool = match Pool::new(job.config.clone()) {
            Ok(pool) => pool,
            Err(error) => {
                let _ = sender.send(Err(Error::Unavailable(error)));
                return;
            }
        };
        let read = tokio::select! {
            read = read(job, &pool, sender) => read,
            _ = lost => Ok(()),
        };
        if let Err(error) = read {
            let _ = sender.send(Err(error));
        }
        pool.close(GRACE).await;
    });
}

/// Reads to the end, or until nobody takes what it sends.
async fn read(job: Job, pool: &Pool, sender: &SyncSender<News>) -> Result<(), Error> {
    let Job { cursor, args, mut file, .. } = job;
    cursor.open(pool, &args).await?;
    let mut out = file.begin();
    loop {
        let json = cursor.next(pool, &args, &file.context, buffer::take()).await?;
        if file.batch(json, &mut out)? == 0 {
            break;
        }
        if sender.send(Ok(Some((std::mem::take(&mut out), file.rows())))).is_err() {
            return Ok(());
        }
    }
    out.extend_from_slice(&file.end());
    // A transaction that does not end well has given rows that may not be.
    cursor.close(pool).await?;
    let last = (!out.is_empty()).then(|| (out, file.rows()));
    for piece in last.map(Some).into_iter().chain([None]) {
        let _ = sender.send(Ok(piece));
    }
    Ok(())
}

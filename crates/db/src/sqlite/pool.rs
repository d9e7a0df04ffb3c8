//! The threads, and the [`Backend`] over them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::config::Config;
use super::worker::{Job, Ticket, Worker};
use crate::backend::{Backend, Session};
use crate::error::Error;
use crate::statement::Statement;
use crate::value::Value;
use crate::writer::RowWriter;

/// A database and the threads that read it. Threads end when it is dropped.
pub struct Sqlite {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // The lock guards a list that is whole at every moment; a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; `None` when there will be no more.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, job: Job) {
        self.state().jobs.push_back(job);
        self.changed.notify_one();
    }
}

impl Sqlite {
    /// Starts the threads; each opens its connection for its first statement.
    ///
    /// # Errors
    /// Settings that can never work, or no thread to be had.
    pub fn new(config: Config) -> Result<Self, String> {
        let config = Arc::new(config.checked()?);
        let sqlite = Self { queue: Arc::default() };
        for number in 0..config.threads {
            let (queue, config) = (Arc::clone(&sqlite.queue), Arc::clone(&config));
            thread::Builder::new()
                .name(format!("sqlite-{number}"))
                .spawn(move || {
                    let mut worker = Worker::new(config);
                    while let Some(job) = queue.next() {
                        worker.run(job);
                    }
                })
                .map_err(|why| format!("cannot start a thread for SQLite: {why}"))?;
        }
        Ok(sqlite)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queue.state().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Backend for Sqlite {
    type Session<'a> = &'a Self;

    async fn session(&self) -> Result<&Self, Error> {
        Ok(self)
    }
}

impl Session for &Sqlite {
    async fn fetch(
        &self,
        statement: &Statement,
        values: Cow<'_, [Value]>,
        writer: RowWriter,
    ) -> Result<RowWriter, Error> {
        let (reply, answer) = oneshot::channel();
        let ticket = Arc::new(Ticket::default());
        let interest = Interest(Arc::clone(&ticket));
        self.queue.push(Job {
            sql: statement.sql().to_owned(),
            types: statement.item_types().into(),
            values: values.into_owned(),
            writer,
            ticket,
            reply,
        });
        let answer = answer.await;
        drop(interest);
        answer.unwrap_or_else(|_| Err(Error::Broken("the thread that ran it is gone".to_owned())))
    }
}

/// Held as long as the rows are wanted; dropping it interrupts the statement.
struct Interest(Arc<Ticket>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

//! An execution from its first attempt to its last.

use std::rc::Rc;

use super::Inner;
use crate::error::Error;
use crate::plan::BindType;
use crate::postgres::begin::Stage;
use crate::postgres::call::{Ending, Outcome};
use crate::postgres::connection::Connection;
use crate::postgres::prepared::Prepared;
use crate::sink::RowSink;
use crate::statement::Statement;
use crate::value::Value;

/// Attempts that cost the server nothing (not sent, cancelled by mistake) before giving up.
const FREE_ATTEMPTS: u32 = 5;

/// An execution with what is needed to begin it again.
pub(super) struct Attempt<'a> {
    pub(super) pool: Rc<Inner>,
    pub(super) connection: Rc<Connection>,
    pub(super) statement: &'a Statement,
    pub(super) args: &'a [Value],
}

/// What was tried already.
#[derive(Default)]
struct Tried {
    free: u32,
    again: bool,
    prepared_again: bool,
    /// The refusal of the declared types, while inferred ones are tried.
    declared: Option<Error>,
}

impl Attempt<'_> {
    /// Sees it through: prepares, waits, and begins again where that is safe.
    pub(super) async fn finish<S: RowSink + 'static>(mut self, mut stage: Stage<S>) -> Result<S, Error> {
        let mut tried = Tried::default();
        loop {
            let outcome = match stage {
                Stage::Running(running) => running.await,
                Stage::Preparing(expected, sink) => match expected.prepared.ready().await {
                    Ok(described) => {
                        stage = self.connection.resume(&expected, described, self.args, sink);
                        continue;
                    }
                    Err(ending) => Outcome::untouched(ending, sink),
                },
                Stage::Unfit(error) => return Err(error),
                Stage::Closed(sink) => {
                    Outcome::untouched(Ending::Unsent("the connection was closed".to_owned()), sink)
                }
            };
            let sink = match self.judge(outcome, &mut tried)? {
                Verdict::Done(sink) => return Ok(sink),
                Verdict::Again(sink) => sink,
            };
            if !self.connection.is_open() {
                self.connection = self.pool.acquire().await?;
            }
            stage = self.connection.begin(self.statement, self.args, sink, None);
        }
    }

    /// Whether the outcome is final.
    fn judge<S: RowSink>(&self, outcome: Outcome<S>, tried: &mut Tried) -> Result<Verdict<S>, Error> {
        let Outcome { ending, sink, touched, refusal, prepared } = outcome;
        if let Some(error) = refusal {
            return Err(error);
        }
        let Some(mut sink) = sink else { return Err(Error::Cancelled) };
        if matches!(ending, Ending::Complete) {
            return Ok(Verdict::Done(sink));
        }
        if touched && !sink.rewind() {
            return Err(ending.into_error());
        }
        if self.may_begin_again(&ending, prepared.as_deref(), tried) {
            return Ok(Verdict::Again(sink));
        }
        Err(self.give_up(ending, tried))
    }

    /// Decides on another attempt and prepares for it. `prepared` is absent while the statement was not prepared.
    fn may_begin_again(&self, ending: &Ending, prepared: Option<&Prepared>, tried: &mut Tried) -> bool {
        match (ending, prepared) {
            (Ending::Unsent(_) | Ending::Stolen, _) if tried.free < FREE_ATTEMPTS => tried.free += 1,
            (Ending::Broken(_), _) if self.statement.is_repeatable() && !tried.again => tried.again = true,
            (Ending::Refused(response), Some(stale))
                if response.is_stale_statement() && !tried.prepared_again =>
            {
                tried.prepared_again = true;
                self.connection.forget(self.statement, self.args, &stale.name);
            }
            (Ending::Refused(response), None) if response.may_be_declared_types() && self.declares(tried) => {
                tried.declared = Some(ending.clone().into_error());
                self.pool.memory.infer(self.statement, true);
            }
            _ => return false,
        }
        true
    }

    /// Whether declared types were sent and inferred ones not yet tried.
    fn declares(&self, tried: &Tried) -> bool {
        tried.declared.is_none() && self.statement.types().iter().any(|kind| *kind != BindType::Infer)
    }

    /// If inferring did not help either, the declared types were not the reason: back to them, and the first refusal is
    /// the one to report.
    fn give_up(&self, ending: Ending, tried: &mut Tried) -> Error {
        match (&ending, tried.declared.take()) {
            (Ending::Refused(second), Some(first)) if second.may_be_declared_types() => {
                self.pool.memory.infer(self.statement, false);
                first
            }
            _ => ending.into_error(),
        }
    }
}

enum Verdict<S> {
    Done(S),
    Again(S),
}

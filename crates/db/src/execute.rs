//! Runs an operation over any backend: top statements together, then their children level by level.

use std::sync::{Arc, Mutex};

use futures_util::future::try_join_all;

use crate::backend::{Backend, Session};
use crate::buffer;
use crate::cursor::Signer;
use crate::error::Error;
use crate::key::KeySet;
use crate::operation::Operation;
use crate::query::{Node, Query};
use crate::response::{Body, Form, Segment, Turn};
use crate::rows::Rows;
use crate::stitch::stitch;
use crate::value::Value;
use crate::writer::{Limit, RowWriter};
use crate::zone::{Clock, Zone};

/// What an execution depends on besides its arguments.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The time zone aware datetimes are written in.
    pub zone: Zone,
    /// The time zone of the database session (`DATABASES[…]["TIME_ZONE"]`; UTC where `USE_TZ`).
    pub session: Zone,
    /// The request's absolute address, for a page's links.
    pub url: String,
    /// Signs the cursors in them; without one there are none.
    pub signer: Option<Arc<Signer>>,
    /// Takes what fails below the top statements, whose rows are then shown with [`crate::mark`]s; without it the first
    /// failure is the execution's.
    pub failures: Option<Failures>,
}

/// What failed below the top statements of an execution, by number.
#[derive(Debug, Clone, Default)]
pub struct Failures(Arc<Mutex<Vec<Error>>>);

impl Failures {
    /// Takes an error that is the statement's own; others are the whole execution's.
    fn note(&self, error: Error) -> Result<Rows, Error> {
        match (error, self.0.lock()) {
            (
                error @ (Error::Server { .. } | Error::Column(..) | Error::Timeout | Error::MultipleObjects),
                Ok(mut noted),
            ) => {
                noted.push(error);
                Ok(Rows { failed: Some(noted.len() - 1), ..Rows::default() })
            }
            (error, _) => Err(error),
        }
    }

    /// All of them, once the execution is over.
    #[must_use]
    pub fn take(&self) -> Vec<Error> {
        self.0.lock().map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default()
    }
}

impl Context {
    fn clock(&self) -> Clock {
        Clock::new(self.zone.clone(), self.session.clone())
    }
}

/// A response, or that there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The body, behind whatever the buffer held before.
    Found(Vec<u8>),
    /// A single object that is not there, or a page past the end.
    NotFound,
}

/// Executes `operation`; the response is appended to `out` (see [`buffer::take`], [`buffer::freeze`]).
///
/// # Errors
/// The first error of any statement; the others are abandoned with it. Of statements below the top only where the context
/// takes no failures.
pub async fn execute<B: Backend>(
    backend: &B,
    operation: &Operation,
    args: &[Value],
    context: &Context,
    out: Vec<u8>,
) -> Result<Outcome, Error> {
    operation.check(args)?;
    let mut body = Body::new(&operation.segments, out, args, context)?;
    let session = backend.session().await?;
    if let [query] = operation.queries.as_slice()
        && !query.has_children()
    {
        let form = body.form();
        let text = body.lend();
        let writer = RowWriter::direct(query.root(), context.clock(), form.limit(args)?, text);
        let values = query.root().statement.bind(args, None)?;
        let mut writer = session.fetch(&query.root().statement, values, writer).await?;
        writer.complete();
        body.note_edges(std::mem::take(&mut writer.rows.edges));
        let found = form.is_found(writer.rows.count);
        body.take_back(writer.rows.text, writer.rows.count);
        return Ok(outcome(body, found));
    }
    Execution { session: &session, operation, args, context }.run(body).await
}

fn outcome(body: Body, found: bool) -> Outcome {
    match body.into_bytes() {
        Some(bytes) if found => Outcome::Found(bytes),
        unused => {
            buffer::give(unused.unwrap_or_default());
            Outcome::NotFound
        }
    }
}

/// An execution of several statements.
struct Execution<'a, S> {
    session: &'a S,
    operation: &'a Operation,
    args: &'a [Value],
    context: &'a Context,
}

impl<S: Session> Execution<'_, S> {
    async fn run(&self, body: Body) -> Result<Outcome, Error> {
        let body = Arc::new(Mutex::new(body));
        let mut results = self.top(&body).await?;
        self.descend(&mut results).await?;
        // The statements' turns are over; nobody else holds the body.
        let mut body = Arc::into_inner(body)
            .and_then(|body| body.into_inner().ok())
            .ok_or_else(|| Error::Broken("a statement kept its place in the response".to_owned()))?;
        body.finish(|query, out| {
            let count = splice(&self.operation.queries[query], &results[query], out);
            (count, std::mem::take(&mut results[query][0].edges))
        });
        let found = self.places().all(|(query, form)| form.is_found(results[query][0].count));
        results.into_iter().flatten().for_each(|rows| buffer::give(rows.text));
        Ok(outcome(body, found))
    }

    /// Queries with their forms, in the response's order.
    fn places(&self) -> impl Iterator<Item = (usize, Form)> {
        self.operation.segments.iter().filter_map(|segment| match segment {
            Segment::Query { query, form } => Some((*query, *form)),
            _ => None,
        })
    }

    /// Runs all top statements, in the response's order.
    async fn top(&self, body: &Arc<Mutex<Body>>) -> Result<Vec<Vec<Rows>>, Error> {
        let fetches = self.places().map(|(index, form)| {
            let query = &self.operation.queries[index];
            let (clock, limit) = (self.context.clock(), form.limit(self.args));
            async move {
                let writer = if query.has_children() {
                    RowWriter::apart(query.root(), clock, limit?, KeySet::default())
                } else {
                    RowWriter::in_turn(query.root(), clock, limit?, Turn::new(body, index))
                };
                Ok((index, self.fetch(query.root(), None, writer).await?))
            }
        });
        let mut results: Vec<Vec<Rows>> = self.operation.queries.iter().map(empty).collect();
        for (index, rows) in try_join_all(fetches).await? {
            results[index][0] = rows;
        }
        Ok(results)
    }

    /// Runs the children of all queries, one level after the other.
    async fn descend(&self, results: &mut [Vec<Rows>]) -> Result<(), Error> {
        let levels = self.operation.queries.iter().map(Query::levels).max().unwrap_or(0);
        for level in 1..levels {
            let mut fetches = Vec::new();
            for (index, query) in self.operation.queries.iter().enumerate() {
                for (number, node) in query.nodes.iter().enumerate().filter(|(_, node)| node.level == level) {
                    let Some(keys) = take_keys(node, &mut results[index]) else { continue };
                    let values = keys.to_value();
                    let writer = RowWriter::apart(node, self.context.clock(), Limit::Any, keys);
                    fetches.push(async move {
                        let rows =
                            match (self.fetch(node, Some(values), writer).await, &self.context.failures) {
                                (Err(error), Some(failures)) => failures.note(error)?,
                                (fetched, _) => fetched?,
                            };
                        Ok((index, number, rows))
                    });
                }
            }
            for (index, number, rows) in try_join_all(fetches).await? {
                results[index][number] = rows;
            }
        }
        Ok(())
    }

    async fn fetch(&self, node: &Arc<Node>, keys: Option<Value>, writer: RowWriter) -> Result<Rows, Error> {
        let values = node.statement.bind(self.args, keys.as_ref())?;
        let mut writer = self.session.fetch(&node.statement, values, writer).await?;
        writer.complete();
        Ok(writer.rows)
    }
}

/// No rows yet for any node.
fn empty(query: &Query) -> Vec<Rows> {
    query.nodes.iter().map(|_| Rows::default()).collect()
}

/// The keys a child asks for; `None` where its parent's rows have none.
fn take_keys(node: &Node, rows: &mut [Rows]) -> Option<KeySet> {
    let relation = node.relation?;
    let keys = std::mem::take(rows[relation.parent].keys.get_mut(relation.number)?);
    (!keys.is_empty()).then_some(keys)
}

/// Appends a query's rows; returns how many there are.
fn splice(query: &Query, rows: &[Rows], out: &mut Vec<u8>) -> usize {
    if query.has_children() {
        stitch(query, rows, out);
    } else {
        out.extend_from_slice(&rows[0].text);
    }
    rows[0].count
}

#[cfg(test)]
mod tests;

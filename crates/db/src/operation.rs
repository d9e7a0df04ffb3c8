//! What one request executes, compiled: queries and the response around them.

use std::sync::Arc;

use crate::error::Error;
use crate::plan::{self, Kind, Response};
use crate::plan_error::PlanError;
use crate::query::Query;
use crate::response::{self, Segment};
use crate::value::Value;

/// A compiled [`plan::Operation`]. Made once, executed often, from any thread.
#[derive(Debug)]
pub struct Operation {
    pub(crate) queries: Vec<Query>,
    pub(crate) segments: Arc<[Segment]>,
    checks: Box<[plan::Check]>,
    arity: usize,
}

impl Operation {
    /// Compiles a description: an operation, or a single plan whose rows are the response (`[…]`).
    ///
    /// # Errors
    /// [`PlanError`] with the place of what is malformed, out of range or contradictory.
    pub fn from_json(json: &str) -> Result<Self, PlanError> {
        let malformed = |error: serde_json::Error| PlanError::new("description", error.to_string());
        let is_operation = serde_json::from_str::<Shape>(json).map_err(malformed)?.queries.is_some();
        if is_operation {
            return Self::compile(&serde_json::from_str(json).map_err(malformed)?);
        }
        let plan = serde_json::from_str(json).map_err(malformed)?;
        Self::compile(&plan::Operation {
            queries: vec![plan],
            response: Response::Rows(0),
            checks: Vec::new(),
        })
    }

    /// Compiles a description.
    ///
    /// # Errors
    /// As [`Operation::from_json`].
    pub fn compile(description: &plan::Operation) -> Result<Self, PlanError> {
        let compile = |(index, plan)| {
            Query::compile(plan).map_err(|error: PlanError| error.within(&format!("queries[{index}]")))
        };
        let queries = description.queries.iter().enumerate().map(compile).collect::<Result<Vec<_>, _>>()?;
        let segments = response::compile(&description.response, queries.len())?;
        let arity = queries.iter().map(Query::arity).max().unwrap_or(0);
        let checks = description.checks.clone().into_boxed_slice();
        Ok(Self { queries, segments: segments.into(), checks, arity })
    }

    /// Whether one of its statements depends on another's rows.
    #[must_use]
    pub fn has_children(&self) -> bool {
        self.queries.iter().any(Query::has_children)
    }

    /// How many arguments an execution needs at least.
    #[must_use]
    pub fn arity(&self) -> usize {
        self.arity
    }

    /// Refuses arguments that no execution can have.
    ///
    /// # Errors
    /// [`Error::Bind`] with the argument at fault and a sentence for the client.
    pub(crate) fn check(&self, args: &[Value]) -> Result<(), Error> {
        self.checks.iter().try_for_each(|check| check.hold(args))
    }

    /// The page with cursors that it answers with, and the kinds of the values its cursors hold.
    #[must_use]
    pub fn cursor_page(&self) -> Option<(&plan::CursorPage, Vec<&Kind>)> {
        self.segments.iter().find_map(|segment| {
            let Segment::Cursors(page) = segment else { return None };
            let root = self.queries.get(page.results)?.root();
            Some((page, root.edges.iter().filter_map(|column| root.kinds.get(*column)).collect()))
        })
    }

    /// What backends know the statements by, in the order of [`Operation::statements`].
    pub fn statement_ids(&self) -> impl Iterator<Item = u64> {
        self.queries.iter().flat_map(|query| query.nodes.iter().map(|node| node.statement.id()))
    }

    /// Every statement's SQL: top statements and their children, query by query.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.queries.iter().flat_map(|query| query.nodes.iter().map(|node| node.statement.sql()))
    }
}

/// Enough of a description to tell an operation from a plan.
#[derive(serde::Deserialize)]
struct Shape {
    queries: Option<serde::de::IgnoredAny>,
}

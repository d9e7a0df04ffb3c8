//! Writes one statement's rows; what a backend is handed.

use std::sync::Arc;

use crate::buffer;
use crate::error::Error;
use crate::key::KeySet;
use crate::plan::Kind;
use crate::query::Node;
use crate::response::Turn;
use crate::rows::Rows;
use crate::template::Row;
use crate::zone::Clock;

/// How many rows a query may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Any number.
    Any,
    /// The first counts, the others are ignored.
    First,
    /// A second one is an error.
    Single,
    /// So many; that there are more is noted.
    Page(usize),
}

impl Limit {
    /// Whether a row is written after `rows`; that one is left out of a page is noted there.
    #[inline]
    pub(crate) fn admits(self, rows: &mut Rows) -> Result<bool, Error> {
        match self {
            Self::Any => Ok(true),
            Self::Page(size) => {
                rows.edges.more |= rows.count >= size;
                Ok(rows.count < size)
            }
            _ if rows.count == 0 => Ok(true),
            Self::First => Ok(false),
            Self::Single => Err(Error::MultipleObjects),
        }
    }
}

/// The rows of one statement on their way to JSON. It may be sent to another thread and back.
#[derive(Debug)]
pub struct RowWriter {
    pub(crate) node: Arc<Node>,
    pub(crate) clock: Clock,
    pub(crate) rows: Rows,
    pub(crate) limit: Limit,
    turn: Option<Turn>,
    begun: bool,
    complete: bool,
}

impl RowWriter {
    /// A writer of a top statement that appends to `text`.
    pub(crate) fn direct(node: &Arc<Node>, clock: Clock, limit: Limit, text: Vec<u8>) -> Self {
        Self::new(node, clock, limit, Rows::new(node, text, KeySet::default()), None)
    }

    /// A writer of one of several top statements: it appends to the response when its turn has come, and to a buffer
    /// of its own otherwise.
    pub(crate) fn in_turn(node: &Arc<Node>, clock: Clock, limit: Limit, turn: Turn) -> Self {
        Self::new(node, clock, limit, Rows::new(node, Vec::new(), KeySet::default()), Some(turn))
    }

    /// A writer with a buffer of its own: the rows of `parent_keys` for a child, all rows for a top statement whose
    /// children are yet to come.
    pub(crate) fn apart(node: &Arc<Node>, clock: Clock, limit: Limit, parent_keys: KeySet) -> Self {
        Self::new(node, clock, limit, Rows::new(node, buffer::take(), parent_keys), None)
    }

    fn new(node: &Arc<Node>, clock: Clock, limit: Limit, rows: Rows, turn: Option<Turn>) -> Self {
        Self { node: Arc::clone(node), clock, rows, limit, turn, begun: false, complete: false }
    }

    /// How the plan reads the columns.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.node.kinds
    }

    /// Appends a row that `make` reads, given the columns' kinds and the clock for aware datetimes.
    ///
    /// # Errors
    /// [`Error::Column`] where a value has no JSON form, [`Error::MultipleObjects`] for a second row of a single object.
    pub fn row<'a, R: Row>(&'a mut self, make: impl FnOnce(&'a [Kind], &'a Clock) -> R) -> Result<(), Error> {
        self.begin();
        if !self.limit.admits(&mut self.rows)? {
            return Ok(());
        }
        self.rows.push(&self.node, &make(&self.node.kinds, &self.clock))
    }

    /// Takes the response over, where it is this statement's turn.
    pub(crate) fn begin(&mut self) {
        if self.begun {
            return;
        }
        self.begun = true;
        if let Some(turn) = &mut self.turn {
            self.rows.text = turn.begin().unwrap_or_else(buffer::take);
            self.rows.start = self.rows.text.len();
        }
    }

    /// Forgets all rows, for a statement that runs again; `false` once the response has gone on to the next.
    pub fn rewind(&mut self) -> bool {
        if self.complete {
            return false;
        }
        self.rows.clear();
        true
    }

    /// All rows are there: hands the response on to the next statement. Backends need not call it; the execution does.
    pub fn complete(&mut self) {
        self.begin();
        if std::mem::replace(&mut self.complete, true) {
            return;
        }
        self.rows.restore_order();
        if let Some(turn) = &mut self.turn {
            turn.complete(&mut self.rows);
        }
    }
}

//! The response body as segments, and who is writing it.
//!
//! Statements sent down one connection are answered in order: while they are, each writes straight into the response
//! and hands it on. One that answers before its turn writes into a buffer of its own, spliced in at the end.

mod compile;

use std::sync::{Arc, Mutex};

pub(crate) use compile::compile;

use crate::error::Error;
use crate::execute::Context;
use crate::page::{Cursors, Pager};
use crate::plan::{CursorPage, Page, PageSize};
use crate::rows::{Edges, Rows};
use crate::value::Value;
use crate::writer::Limit;

/// A piece of the response.
#[derive(Debug)]
pub(crate) enum Segment {
    /// Fixed bytes.
    Text(Box<[u8]>),
    /// The rows of a query.
    Query {
        /// Index of the query.
        query: usize,
        form: Form,
    },
    /// A page's links; the segment before it is the count, or the rows of a page that is probed.
    Links(Page),
    /// Links by cursors; the segment before it are the rows.
    Cursors(CursorPage),
}

/// What a query's rows become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An array.
    Rows,
    /// The only row.
    One,
    /// The first row, or `null`.
    Scalar,
    /// An array of at most so many rows.
    Page(PageSize),
}

impl Form {
    /// How many rows there may be, with an execution's arguments.
    pub(crate) fn limit(self, args: &[Value]) -> Result<Limit, Error> {
        Ok(match self {
            Self::Rows => Limit::Any,
            Self::One => Limit::Single,
            Self::Scalar => Limit::First,
            Self::Page(size) => Limit::Page(usize::try_from(size.read(args)?).unwrap_or(0)),
        })
    }

    fn is_array(self) -> bool {
        matches!(self, Self::Rows | Self::Page(_))
    }

    /// Whether a response can be made of so many rows.
    pub(crate) fn is_found(self, count: usize) -> bool {
        self != Self::One || count > 0
    }

    fn open(self, out: &mut Vec<u8>) {
        if self.is_array() {
            out.push(b'[');
        }
    }

    fn close(self, count: usize, out: &mut Vec<u8>) {
        match self {
            Self::Rows | Self::Page(_) => out.push(b']'),
            Self::Scalar if count == 0 => plectrum_json::write_null(out),
            Self::One | Self::Scalar => {}
        }
    }
}

/// One execution's response.
#[derive(Debug)]
pub(crate) struct Body {
    segments: Arc<[Segment]>,
    pager: Option<Pager>,
    cursors: Option<Cursors>,
    edges: Edges,
    out: Vec<u8>,
    /// The next segment to be written.
    at: usize,
    /// Where the value of the segment before begins.
    value: usize,
    /// Rows of the query before.
    rows: usize,
}

impl Body {
    /// The beginning of a response, behind what `out` holds already; fixed bytes up to the first query are written.
    pub(crate) fn new(
        segments: &Arc<[Segment]>,
        out: Vec<u8>,
        args: &[Value],
        context: &Context,
    ) -> Result<Self, Error> {
        let (mut pager, mut cursors) = (None, None);
        for segment in segments.iter() {
            match segment {
                Segment::Links(page) => pager = Some(Pager::new(page, args, &context.url)?),
                Segment::Cursors(page) => cursors = Some(Cursors::new(page, context)),
                Segment::Text(_) | Segment::Query { .. } => {}
            }
        }
        let segments = Arc::clone(segments);
        let mut body =
            Self { segments, pager, cursors, edges: Edges::default(), out, at: 0, value: 0, rows: 0 };
        body.advance();
        Ok(body)
    }

    /// The query whose turn it is.
    fn query(&self) -> Option<(usize, Form)> {
        match self.segments.get(self.at)? {
            Segment::Query { query, form } => Some((*query, *form)),
            _ => None,
        }
    }

    /// What the query whose turn it is becomes.
    pub(crate) fn form(&self) -> Form {
        self.query().map_or(Form::Rows, |(_, form)| form)
    }

    /// Writes everything up to the next query.
    fn advance(&mut self) {
        while let Some(segment) = self.segments.get(self.at) {
            match segment {
                Segment::Text(text) => self.out.extend_from_slice(text),
                Segment::Links(page) => {
                    if let Some(pager) = &mut self.pager {
                        if page.probe {
                            pager.probed(self.rows > 0, self.edges.more);
                        } else {
                            pager.read_count(&self.out[self.value..]);
                        }
                        pager.write(&mut self.out);
                    }
                }
                Segment::Cursors(_) => {
                    if let Some(cursors) = &self.cursors {
                        cursors.write(&self.edges, &mut self.out);
                    }
                }
                Segment::Query { .. } => return,
            }
            self.at += 1;
        }
    }

    /// Lends the buffer out for the rows of the query whose turn it is.
    pub(crate) fn lend(&mut self) -> Vec<u8> {
        self.value = self.out.len();
        if let Some((_, form)) = self.query() {
            form.open(&mut self.out);
        }
        std::mem::take(&mut self.out)
    }

    /// Takes note of where the rows of the query whose turn it is begin and end.
    pub(crate) fn note_edges(&mut self, edges: Edges) {
        self.edges = edges;
    }

    /// Takes the buffer back with `count` rows in it.
    pub(crate) fn take_back(&mut self, out: Vec<u8>, count: usize) {
        self.out = out;
        self.rows = count;
        if let Some((_, form)) = self.query() {
            form.close(count, &mut self.out);
        }
        self.at += 1;
        self.advance();
    }

    /// Writes what is still missing; `splice` appends the rows of a query and returns how many there are.
    pub(crate) fn finish(&mut self, mut splice: impl FnMut(usize, &mut Vec<u8>) -> (usize, Edges)) {
        while let Some((query, _)) = self.query() {
            let mut out = self.lend();
            let (count, edges) = splice(query, &mut out);
            self.note_edges(edges);
            self.take_back(out, count);
        }
    }

    /// The bytes, or `None` for a page that does not exist.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        let exists = self.pager.as_ref().is_none_or(Pager::exists);
        exists.then_some(self.out)
    }
}

/// One statement's claim to a place in the response.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Shared by the execution's statements, which on SQLite run on threads; held for a moment at either end.
    body: Arc<Mutex<Body>>,
    query: usize,
    /// Its rows go into the response itself.
    direct: bool,
}

impl Turn {
    pub(crate) fn new(body: &Arc<Mutex<Body>>, query: usize) -> Self {
        Self { body: Arc::clone(body), query, direct: false }
    }

    /// The response's buffer, where it is this query's turn.
    pub(crate) fn begin(&mut self) -> Option<Vec<u8>> {
        let mut body = self.body.lock().ok()?;
        self.direct = body.query().is_some_and(|(query, _)| query == self.query);
        self.direct.then(|| body.lend())
    }

    /// Gives the buffer back.
    pub(crate) fn complete(&mut self, rows: &mut Rows) {
        if std::mem::take(&mut self.direct)
            && let Ok(mut body) = self.body.lock()
        {
            body.note_edges(std::mem::take(&mut rows.edges));
            body.take_back(std::mem::take(&mut rows.text), rows.count);
        }
    }
}

#[cfg(test)]
mod tests;

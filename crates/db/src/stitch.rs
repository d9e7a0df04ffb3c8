//! Puts children's rows into their parents' holes, depth first, into one buffer.

use std::ops::Range;

use crate::mark;
use crate::query::Query;
use crate::rows::{NONE, Rows};

/// Appends the top rows of `query` with everything below them; `rows` are its nodes' in order.
pub(crate) fn stitch(query: &Query, rows: &[Rows], out: &mut Vec<u8>) {
    let Some(top) = rows.first() else { return };
    out.reserve(rows.iter().map(|rows| rows.text.len()).sum());
    Stitch { query, rows }.piece(0, 0..top.text.len(), 0..top.holes.len(), out);
}

struct Stitch<'a> {
    query: &'a Query,
    rows: &'a [Rows],
}

impl Stitch<'_> {
    /// Copies a piece of one node's text, filling its holes on the way.
    fn piece(&self, node: usize, text: Range<usize>, holes: Range<usize>, out: &mut Vec<u8>) {
        let rows = &self.rows[node];
        let mut from = text.start;
        for hole in &rows.holes[holes] {
            out.extend_from_slice(&rows.text[from..hole.at]);
            from = hole.at;
            let relation = &self.query.nodes[node].children[hole.child as usize];
            let first = match hole.slot {
                NONE => NONE,
                slot => self.rows[relation.child].groups.first(slot),
            };
            if let Some(number) = self.rows[relation.child].failed {
                mark::failed(out, number);
            } else if relation.many {
                self.list(relation.child, first, out);
            } else {
                self.single(relation.child, first, out);
            }
        }
        out.extend_from_slice(&rows.text[from..text.end]);
    }

    fn list(&self, node: usize, first: u32, out: &mut Vec<u8>) {
        out.push(b'[');
        let mut row = first;
        while row != NONE {
            if row != first {
                out.push(b',');
            }
            row = self.member(node, row, out);
        }
        out.push(b']');
    }

    /// A to-one relation takes the first row, as Django's prefetch does.
    fn single(&self, node: usize, first: u32, out: &mut Vec<u8>) {
        if first == NONE {
            out.extend_from_slice(&self.query.nodes[node].missing);
        } else {
            self.member(node, first, out);
        }
    }

    /// Appends one child row; returns the next with the same key.
    fn member(&self, node: usize, row: u32, out: &mut Vec<u8>) -> u32 {
        let groups = &self.rows[node].groups;
        let (member, (start, holes_start)) = (groups.member(row), groups.begin(row));
        self.piece(node, start..member.end, holes_start..member.holes_end, out);
        member.next
    }
}

#[cfg(test)]
mod tests;

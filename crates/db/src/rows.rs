//! One statement's rows as JSON, with holes where children go and an index for those who are children.

use crate::error::Error;
use crate::key::{Key, KeySet};
use crate::query::{Node, Relation};
use crate::template::{Holes, Row};

/// No slot, no row.
pub(crate) const NONE: u32 = u32::MAX;

/// Rows as written so far.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Top rows joined by commas, or child rows one after the other.
    pub(crate) text: Vec<u8>,
    /// Where the first row begins.
    pub(crate) start: usize,
    /// Number of rows written.
    pub(crate) count: usize,
    /// Where children go, by offset.
    pub(crate) holes: Vec<Hole>,
    /// The distinct keys of each child.
    pub(crate) keys: Vec<KeySet>,
    /// Which rows belong to which of the parent's keys; children only.
    pub(crate) groups: Groups,
    /// The ends of a page of a list with cursors.
    pub(crate) edges: Edges,
    /// The number of the failure, where there are no rows because the statement failed.
    pub(crate) failed: Option<usize>,
}

/// Where a page of a list with cursors begins and ends.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// Values of the first row the statement gave, as a JSON array.
    pub(crate) first: Vec<u8>,
    /// Those of the last one.
    pub(crate) last: Vec<u8>,
    /// There are more rows than the page has.
    pub(crate) more: bool,
    /// Where each row's text and holes end; only of rows that come in the opposite order.
    ends: Vec<(usize, usize)>,
}

/// Where one child's rows go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hole {
    /// Offset in the text.
    pub(crate) at: usize,
    /// Number of the child.
    pub(crate) child: u32,
    /// Number of the key; [`NONE`] where it is NULL.
    pub(crate) slot: u32,
}

/// Child rows chained by key.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    keys: KeySet,
    /// First and last row of each key.
    chains: Vec<(u32, u32)>,
    rows: Vec<Member>,
}

/// One child row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    /// Where its text ends; it begins where the row before ended.
    pub(crate) end: usize,
    /// Where its holes end.
    pub(crate) holes_end: usize,
    /// The next row with the same key.
    pub(crate) next: u32,
}

impl Rows {
    /// Rows of `node`, to be written behind what `text` holds already.
    pub(crate) fn new(node: &Node, text: Vec<u8>, parent_keys: KeySet) -> Self {
        let mut keys = Vec::new();
        keys.resize_with(node.children.len(), KeySet::default);
        Self {
            start: text.len(),
            text,
            count: 0,
            holes: Vec::new(),
            keys,
            groups: Groups::new(parent_keys),
            edges: Edges::default(),
            failed: None,
        }
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.text.truncate(self.start);
        self.count = 0;
        self.holes.clear();
        self.keys.fill_with(KeySet::default);
        self.groups = Groups::new(std::mem::take(&mut self.groups.keys));
        self.edges = Edges::default();
    }

    /// Appends a row.
    #[inline]
    pub(crate) fn push(&mut self, node: &Node, row: &impl Row) -> Result<(), Error> {
        match &node.relation {
            None => {
                if self.count > 0 {
                    self.text.push(b',');
                }
                self.write(node, row)?;
                if !node.edges.is_empty() {
                    self.note_edge(node, row)?;
                }
            }
            Some(relation) => self.push_member(node, relation, row)?,
        }
        self.count += 1;
        Ok(())
    }

    #[inline]
    fn write(&mut self, node: &Node, row: &impl Row) -> Result<(), Error> {
        let mut places = Places { relations: &node.children, holes: &mut self.holes, keys: &mut self.keys };
        node.program.write(row, &mut self.text, &mut places)
    }

    /// Keeps the values a cursor at this row is made of.
    fn note_edge(&mut self, node: &Node, row: &impl Row) -> Result<(), Error> {
        let last = &mut self.edges.last;
        last.clear();
        for column in &node.edges {
            last.push(if last.is_empty() { b'[' } else { b',' });
            row.write(*column, last)?;
        }
        last.push(b']');
        if self.count == 0 {
            self.edges.first.clone_from(last);
        }
        if node.reversed {
            self.edges.ends.push((self.text.len(), self.holes.len()));
        }
        Ok(())
    }

    /// Puts rows that came in the opposite order into the list's own.
    pub(crate) fn restore_order(&mut self) {
        let ends = std::mem::take(&mut self.edges.ends);
        if ends.is_empty() {
            return;
        }
        let (text, holes) = (self.text.split_off(self.start), std::mem::take(&mut self.holes));
        for (index, (end, holes_end)) in ends.iter().enumerate().rev() {
            // Behind the row before and its comma.
            let (begin, holes_begin) = match index.checked_sub(1).and_then(|before| ends.get(before)) {
                Some((end, holes_end)) => (end + 1, *holes_end),
                None => (self.start, 0),
            };
            if self.text.len() > self.start {
                self.text.push(b',');
            }
            let at = self.text.len();
            self.text.extend_from_slice(&text[begin - self.start..end - self.start]);
            self.holes.extend(
                holes[holes_begin..*holes_end].iter().map(|hole| Hole { at: at + hole.at - begin, ..*hole }),
            );
        }
        std::mem::swap(&mut self.edges.first, &mut self.edges.last);
    }

    fn push_member(&mut self, node: &Node, relation: &Relation, row: &impl Row) -> Result<(), Error> {
        let Some(key) = row.key(relation.key_column)? else { return Ok(()) };
        // A key nobody asked for compares equal in SQL but not in bytes (a case-insensitive collation).
        let Some(slot) = self.groups.keys.slot(&relation.spell(key)) else { return Ok(()) };
        self.write(node, row)?;
        self.groups.push(slot, self.text.len(), self.holes.len());
        Ok(())
    }
}

impl Relation {
    /// The key in the form both sides of the relation share.
    fn spell(&self, key: Key) -> Key {
        match key {
            Key::Int(value) if self.as_text => Key::Text(value.to_string().into()),
            Key::Uuid(value) if self.as_text => {
                Key::Text(String::from_utf8_lossy(&plectrum_json::uuid::format(&value)).into())
            }
            key => key,
        }
    }
}

/// Turns the template's child places into holes.
struct Places<'a> {
    relations: &'a [Relation],
    holes: &'a mut Vec<Hole>,
    keys: &'a mut [KeySet],
}

impl Holes for Places<'_> {
    fn child(&mut self, child: usize, row: &impl Row, at: usize) -> Result<(), Error> {
        let relation = &self.relations[child];
        let slot = match row.key(relation.parent_column)? {
            Some(key) => self.keys[child].intern(relation.spell(key)),
            None => NONE,
        };
        // The compiler has checked that a child's number fits.
        self.holes.push(Hole { at, child: child as u32, slot });
        Ok(())
    }
}

impl Groups {
    fn new(keys: KeySet) -> Self {
        let chains = vec![(NONE, NONE); keys.len()];
        Self { keys, chains, rows: Vec::new() }
    }

    fn push(&mut self, slot: u32, end: usize, holes_end: usize) {
        let row = self.rows.len() as u32;
        let chain = &mut self.chains[slot as usize];
        match chain.1 {
            NONE => chain.0 = row,
            last => self.rows[last as usize].next = row,
        }
        chain.1 = row;
        self.rows.push(Member { end, holes_end, next: NONE });
    }

    /// The first row of a key.
    pub(crate) fn first(&self, slot: u32) -> u32 {
        self.chains.get(slot as usize).map_or(NONE, |chain| chain.0)
    }

    /// A row by its number.
    pub(crate) fn member(&self, row: u32) -> Member {
        self.rows[row as usize]
    }

    /// Where a row's text and holes begin.
    pub(crate) fn begin(&self, row: u32) -> (usize, usize) {
        match row.checked_sub(1) {
            Some(before) => {
                let before = self.rows[before as usize];
                (before.end, before.holes_end)
            }
            None => (0, 0),
        }
    }
}

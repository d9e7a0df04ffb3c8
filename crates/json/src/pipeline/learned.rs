//! What has been learned of the objects at each place of a row.

use super::Types;
use super::key::Key;
use super::select::{Selection, TYPENAME};
use super::types::Of;
use crate::text;
use std::rc::Rc;

/// Members learned of one place; what comes after is worked out each time, so that maps with endless keys cost no memory.
const MAX_MEMBERS: usize = 64;

/// Places learned; further objects share the place of one like them.
const MAX_PLACES: usize = 1024;

/// Index of a value whose bytes are left out of the answer.
pub(super) const LEFT_OUT: usize = usize::MAX;

/// Index of a place that has not been entered yet.
const UNKNOWN: usize = usize::MAX;

/// A value below a place: an index into the place's [`Below`]s.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    pub(super) place: usize,
    pub(super) index: usize,
}

/// The objects found at one place of the rows.
pub(super) struct Place {
    of: Of,
    pub(super) select: Option<Rc<Selection>>,
    /// `{`, or `{"__typename":"Article"`.
    pub(super) open: Box<[u8]>,
    /// `"Article"`, where the type is known.
    pub(super) typename: Option<Box<[u8]>>,
    pub(super) members: Vec<Member>,
    below: Vec<Below>,
}

/// The bytes before a value.
pub(super) struct Member {
    /// As the rows have them: `,"author_id": `.
    pub(super) found: Box<[u8]>,
    /// As the answer has them: `,"authorId":`; nothing where a selection decides.
    pub(super) written: Box<[u8]>,
    /// What the value belongs to, or [`LEFT_OUT`].
    pub(super) index: usize,
}

/// What is below a place: for a selection one per field, else one per kind of value.
struct Below {
    of: Of,
    select: Option<Rc<Selection>>,
    place: usize,
}

impl Place {
    fn new(types: &Types, of: Of, select: Option<Rc<Selection>>, always: bool) -> Self {
        let mut typename = None;
        if let Of::Named(name) = &of {
            let mut quoted = Vec::with_capacity(name.len() + 2);
            text::write(&mut quoted, name);
            typename = Some(quoted.into_boxed_slice());
        }
        let asked = select.as_ref().is_some_and(|select| select.reading(TYPENAME).is_some());
        let mut open = b"{".to_vec();
        if let (Some(name), true, false) = (&typename, always, asked) {
            open.extend_from_slice(b"\"__typename\":");
            open.extend_from_slice(name);
        }
        let below = |selection: &Rc<Selection>| -> Vec<Below> {
            let fields = selection.fields.iter();
            fields.map(|field| Below::new(types.field(&of, &field.name), field.inner.clone())).collect()
        };
        let below = select.as_ref().map(below).unwrap_or_default();
        Self { of, select, open: open.into(), typename, members: Vec::new(), below }
    }

    /// The place that holds the rows themselves.
    fn root(of: Of, select: Option<Rc<Selection>>) -> Self {
        Self {
            of: Of::Any,
            select: None,
            open: Box::default(),
            typename: None,
            members: Vec::new(),
            below: vec![Below::new(of, select)],
        }
    }

    /// What there is to know of a member: `found` are its bytes in the row, `key` the raw key in them.
    fn member(&mut self, types: &Types, found: &[u8], key: &str, first: bool) -> Member {
        let Key { name, quoted } = Key::of(key);
        let found = Box::from(found);
        if let Some(select) = &self.select {
            return Member {
                found,
                written: Box::default(),
                index: select.reading(&name).unwrap_or(LEFT_OUT),
            };
        }
        let mut written = if first { self.open.to_vec() } else { Vec::new() };
        let typed = self.open.len() > 1;
        if typed && &*name == TYPENAME {
            return Member { found, written: written.into(), index: LEFT_OUT };
        }
        if !first || typed {
            written.push(b',');
        }
        written.extend_from_slice(&quoted);
        written.push(b':');
        Member { found, written: written.into(), index: self.below(types.field(&self.of, &name)) }
    }

    /// The index of what is below and holds `of`.
    fn below(&mut self, of: Of) -> usize {
        // Values of no known type still differ by place; where there are many they share.
        let shared = self.below.len() >= MAX_MEMBERS;
        let known = self.below.iter().position(|below| shared && below.of == of);
        known.unwrap_or_else(|| {
            self.below.push(Below::new(of, None));
            self.below.len() - 1
        })
    }
}

impl Below {
    fn new(of: Of, select: Option<Rc<Selection>>) -> Self {
        Self { of, select, place: UNKNOWN }
    }
}

/// Every place of the rows of one field.
pub(super) struct Learned<'t> {
    types: &'t Types,
    places: Vec<Place>,
    always: bool,
}

impl<'t> Learned<'t> {
    /// The value of a row.
    pub(super) const ROW: Ahead = Ahead { place: 0, index: 0 };

    /// Nothing yet. `always`: objects of a type begin with their `__typename` even where a selection leaves it out.
    pub(super) fn new(types: &'t Types, of: Of, select: Option<Rc<Selection>>, always: bool) -> Self {
        Self { types, places: vec![Place::root(of, select)], always }
    }

    #[inline]
    pub(super) fn place(&self, place: usize) -> &Place {
        &self.places[place]
    }

    /// The place `ahead` leads to; `None` where JSON of the user's own is.
    pub(super) fn enter(&mut self, ahead: Ahead) -> Option<usize> {
        let below = &self.places[ahead.place].below[ahead.index];
        if below.place != UNKNOWN {
            return Some(below.place);
        }
        if below.of == Of::Json {
            return None;
        }
        let (of, select) = (below.of.clone(), below.select.clone());
        let place = self.alike(&of, select.as_ref()).unwrap_or_else(|| {
            self.places.push(Place::new(self.types, of, select, self.always));
            self.places.len() - 1
        });
        self.places[ahead.place].below[ahead.index].place = place;
        Some(place)
    }

    /// A place to share, once there are too many.
    fn alike(&self, of: &Of, select: Option<&Rc<Selection>>) -> Option<usize> {
        if self.places.len() < MAX_PLACES {
            return None;
        }
        let same = |place: &Place| {
            place.of == *of && place.select.as_deref().map(std::ptr::from_ref) == select.map(Rc::as_ptr)
        };
        self.places.iter().skip(1).position(same).map(|found| found + 1)
    }

    /// The position among the members of `place` of one found as `found`, learned where it is new; `Err` with what is to
    /// be known where it is one too many.
    pub(super) fn learn(
        &mut self,
        place: usize,
        found: &[u8],
        key: &str,
        first: bool,
    ) -> Result<usize, Member> {
        let place = &mut self.places[place];
        if let Some(known) = place.members.iter().position(|member| *member.found == *found) {
            return Ok(known);
        }
        let member = place.member(self.types, found, key, first);
        if place.members.len() >= MAX_MEMBERS {
            return Err(member);
        }
        place.members.push(member);
        Ok(place.members.len() - 1)
    }
}

#[cfg(test)]
impl Learned<'_> {
    /// Members and places remembered.
    pub(super) fn size(&self) -> usize {
        self.places.iter().map(|place| place.members.len() + place.below.len() + 1).sum()
    }
}

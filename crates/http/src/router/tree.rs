//! The routes as a tree of segments, searched in order of precedence with backtracking.
//!
//! A node lies at one depth, so a search visits it at most once: the cost is bounded by the number of routes.

use std::borrow::Cow;

use http::{HeaderValue, Method};
use smallvec::SmallVec;

use super::literals::Literals;
use super::params::Values;
use super::path::{Rest, decode};
use super::pattern::{Pattern, Segment, Shape};

/// An index into the router's routes.
pub(super) type RouteId = usize;

/// One position in the tree: everything that can follow the segments so far.
#[derive(Debug, Default)]
pub(super) struct Node {
    literals: Literals<Node>,
    /// Sorted by precedence.
    values: Vec<(Shape, Node)>,
    /// A `path` parameter here.
    rest: Option<Leaf>,
    /// Patterns that end here.
    leaf: Option<Leaf>,
}

/// The end of a pattern: which methods it has.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    methods: Vec<(Method, RouteId)>,
    /// `Allow` for this leaf alone, which is nearly every refusal.
    allow: Option<HeaderValue>,
}

impl Leaf {
    /// Adds a route; gives back the one that has this method already.
    pub(super) fn insert(&mut self, method: Method, route: RouteId) -> Result<(), RouteId> {
        match self.methods.iter().find(|(known, _)| *known == method) {
            Some((_, known)) => Err(*known),
            None => {
                self.methods.push((method, route));
                self.allow = Some(allow_of(&[self]));
                Ok(())
            }
        }
    }

    /// The route for a method; HEAD is answered by GET unless it has its own.
    pub(super) fn route(&self, method: &Method) -> Option<RouteId> {
        let find =
            |wanted: &Method| self.methods.iter().find(|(known, _)| known == wanted).map(|(_, id)| *id);
        find(method).or_else(|| if *method == Method::HEAD { find(&Method::GET) } else { None })
    }
}

impl Node {
    /// The leaf of a pattern, made on the way.
    pub(super) fn leaf_of(&mut self, pattern: &Pattern) -> &mut Leaf {
        let mut node = self;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.get_or_insert(text),
                Segment::Value(shape) => child(&mut node.values, shape),
                Segment::Rest => return node.rest.get_or_insert_default(),
            };
        }
        node.leaf.get_or_insert_default()
    }
}

/// The child under `key`, made when missing, in sorted order.
fn child<'n>(children: &'n mut Vec<(Shape, Node)>, key: &Shape) -> &'n mut Node {
    let at = match children.binary_search_by(|(known, _)| known.cmp(key)) {
        Ok(at) => at,
        Err(at) => {
            children.insert(at, (key.clone(), Node::default()));
            at
        }
    };
    &mut children[at].1
}

/// One search through the tree.
pub(super) struct Search<'r, 'p> {
    method: &'r Method,
    /// Whether segments need decoding at all.
    encoded: bool,
    pub(super) values: Values<'p>,
    /// Patterns that match the path but lack the method.
    pub(super) refused: SmallVec<[&'r Leaf; 2]>,
}

impl<'r, 'p> Search<'r, 'p> {
    pub(super) fn new(method: &'r Method, encoded: bool) -> Self {
        Self { method, encoded, values: Values::new(), refused: SmallVec::new() }
    }

    /// The first route in order of precedence that matches `rest` and has the method.
    pub(super) fn visit(&mut self, node: &'r Node, rest: Rest<'p>) -> Option<RouteId> {
        let Some((raw, next)) = rest.split() else { return self.arrive(node.leaf.as_ref()) };
        let segment = if self.encoded { decode(raw)? } else { Cow::Borrowed(raw) };
        if let Some(literal) = node.literals.get(&segment)
            && let Some(route) = self.visit(literal, next)
        {
            return Some(route);
        }
        for (shape, child) in &node.values {
            if let Some(value) = value_in(shape, &segment) {
                self.values.push(value);
                if let Some(route) = self.visit(child, next) {
                    return Some(route);
                }
                self.values.pop();
            }
        }
        self.visit_rest(node.rest.as_ref()?, rest)
    }

    fn visit_rest(&mut self, leaf: &'r Leaf, rest: Rest<'p>) -> Option<RouteId> {
        let raw = rest.raw().filter(|raw| !raw.is_empty())?;
        self.values.push(decode(raw)?);
        let route = self.arrive(Some(leaf));
        if route.is_none() {
            self.values.pop();
        }
        route
    }

    fn arrive(&mut self, leaf: Option<&'r Leaf>) -> Option<RouteId> {
        let leaf = leaf?;
        let route = leaf.route(self.method);
        if route.is_none() {
            self.refused.push(leaf);
        }
        route
    }
}

/// Borrows from the path where the segment does.
fn value_in<'p>(shape: &Shape, segment: &Cow<'p, str>) -> Option<Cow<'p, str>> {
    match segment {
        Cow::Borrowed(text) => shape.value(text).map(Cow::Borrowed),
        Cow::Owned(text) => shape.value(text).map(|value| Cow::Owned(value.to_owned())),
    }
}

/// The `Allow` header for the methods of some leaves: encoded already for one, put together for several.
pub(super) fn allow(leaves: &[&Leaf]) -> HeaderValue {
    match leaves {
        [Leaf { allow: Some(allow), .. }] => allow.clone(),
        _ => allow_of(leaves),
    }
}

/// HEAD comes with GET, OPTIONS always.
fn allow_of(leaves: &[&Leaf]) -> HeaderValue {
    let mut names: Vec<&str> = vec!["OPTIONS"];
    for (method, _) in leaves.iter().flat_map(|leaf| &leaf.methods) {
        names.push(method.as_str());
        if *method == Method::GET {
            names.push("HEAD");
        }
    }
    names.sort_unstable();
    names.dedup();
    // Method names are tokens, which are valid in a header.
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

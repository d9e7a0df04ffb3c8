//! Method and path → endpoint.
//!
//! Precedence is decided segment by segment, from the left: literal text, then parameters with more literal text
//! around them, then stricter types (`int` before `slug` before `str`), then `path`. The first route in that order
//! that matches the whole path *and* has the method wins; when routes match but none has the method, the answer
//! is 405 with all their methods. Paths are split before they are decoded, so `%2F` stays inside its segment.

mod converter;
mod literals;
mod params;
mod path;
mod pattern;
mod tree;

use std::collections::HashMap;
use std::fmt;

use http::{HeaderValue, Method};

pub use converter::Converter;
pub use params::Params;
pub use pattern::{Param, Pattern, PatternError};

use params::Values;
use path::{Rest, decode};
use tree::{Leaf, Node, RouteId, Search, allow};

/// The keys are ours, so the hash need not withstand attackers.
type WholePaths = HashMap<Box<str>, Leaf, foldhash::fast::RandomState>;

/// What to do with a path that would match with one more, or one less, slash at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// It is another path: 404.
    #[default]
    Strict,
    /// Send the client there: 308.
    Redirect,
    /// It is the same path.
    Ignore,
}

/// The answer to "who serves this?".
#[derive(Clone, Debug)]
pub enum Match<'r, 'p, T> {
    /// This endpoint, with these parameters.
    Found {
        /// What was registered.
        endpoint: &'r T,
        /// The pattern that matched, for metrics and logs.
        pattern: &'r Pattern,
        /// The parameter values.
        params: Params<'r, 'p>,
    },
    /// OPTIONS on a path without its own OPTIONS route: 204 with this `Allow`.
    Options {
        /// The value of `Allow`.
        allow: HeaderValue,
    },
    /// The path exists, the method does not: 405 with this `Allow`.
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: HeaderValue,
    },
    /// The path exists with another trailing slash: 308 to this path (the query is the caller's to append).
    Redirect {
        /// The raw path to go to.
        path: String,
    },
    /// The path is not valid percent-encoded UTF-8: 400.
    Malformed,
    /// Nobody: 404.
    NotFound,
}

/// Why a route was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// The pattern is not one.
    Pattern {
        /// The pattern as it was written.
        pattern: Box<str>,
        /// What is wrong with it.
        source: PatternError,
    },
    /// Another route already answers this method on the same paths.
    Duplicate {
        /// The method.
        method: Method,
        /// The pattern as it was written.
        pattern: Box<str>,
        /// The pattern that was there first.
        existing: Box<str>,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern { pattern, source } => write!(f, "route `{pattern}`: {source}"),
            Self::Duplicate { method, pattern, existing } => {
                write!(
                    f,
                    "route `{method} {pattern}` can never be reached: `{method} {existing}` matches the same paths"
                )
            }
        }
    }
}

impl std::error::Error for RouteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pattern { source, .. } => Some(source),
            Self::Duplicate { .. } => None,
        }
    }
}

#[derive(Debug)]
struct Route<T> {
    method: Method,
    pattern: Pattern,
    endpoint: T,
}

/// Collects routes; everything is checked here, nothing is left to find out at a request.
#[derive(Debug)]
pub struct RouterBuilder<T> {
    routes: Vec<Route<T>>,
    root: Node,
    slash: TrailingSlash,
}

impl<T> Default for RouterBuilder<T> {
    fn default() -> Self {
        Self { routes: Vec::new(), root: Node::default(), slash: TrailingSlash::default() }
    }
}

impl<T> RouterBuilder<T> {
    /// No routes yet, strict about trailing slashes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the trailing-slash policy.
    pub fn trailing_slash(&mut self, policy: TrailingSlash) -> &mut Self {
        self.slash = policy;
        self
    }

    /// Adds a route.
    ///
    /// # Errors
    /// [`RouteError`] when the pattern is wrong or the route could never be reached.
    pub fn route(&mut self, method: Method, pattern: &str, endpoint: T) -> Result<&mut Self, RouteError> {
        let pattern = Pattern::parse(pattern)
            .map_err(|source| RouteError::Pattern { pattern: pattern.into(), source })?;
        let inserted = self.root.leaf_of(&pattern).insert(method.clone(), self.routes.len());
        if let Err(existing) = inserted {
            let existing = self.routes[existing].pattern.as_str().into();
            return Err(RouteError::Duplicate { method, pattern: pattern.as_str().into(), existing });
        }
        self.routes.push(Route { method, pattern, endpoint });
        Ok(self)
    }

    /// The finished router.
    #[must_use]
    pub fn build(self) -> Router<T> {
        let mut leaf = Leaf::default();
        for route in &self.routes {
            // Only a method's first route counts here.
            let _ = leaf.insert(route.method.clone(), 0);
        }
        Router {
            allow_anywhere: allow(&[&leaf]),
            whole: self.whole_paths(),
            routes: self.routes,
            root: self.root,
            slash: self.slash,
        }
    }
}

impl<T> RouterBuilder<T> {
    fn whole_paths(&self) -> WholePaths {
        let mut whole = WholePaths::default();
        for (id, route) in self.routes.iter().enumerate().filter(|(_, route)| route.pattern.is_one_path()) {
            // Duplicates were refused when the route was added.
            let _ = whole.entry(route.pattern.as_str().into()).or_default().insert(route.method.clone(), id);
        }
        whole
    }
}

/// Compiled routes.
#[derive(Debug)]
pub struct Router<T> {
    routes: Vec<Route<T>>,
    /// Routes without parameters by their whole path. Nothing precedes them, so a hit needs no search.
    whole: WholePaths,
    root: Node,
    slash: TrailingSlash,
    /// For `OPTIONS *`.
    allow_anywhere: HeaderValue,
}

impl<T> Router<T> {
    /// Who serves `method` on the raw `path`.
    #[must_use]
    pub fn find<'r, 'p>(&'r self, method: &'r Method, path: &'p str) -> Match<'r, 'p, T> {
        if let Some(route) = self.whole.get(path).and_then(|leaf| leaf.route(method)) {
            return self.found(route, Values::new());
        }
        let encoded = memchr::memchr(b'%', path.as_bytes()).is_some();
        if encoded && decode(path).is_none() {
            return Match::Malformed;
        }
        let mut search = Search::new(method, encoded);
        let rest = Rest::new(path, false);
        if let Some(route) = rest.and_then(|rest| search.visit(&self.root, rest)) {
            return self.found(route, search.values);
        }
        if !search.refused.is_empty() {
            return refusal(method, allow(&search.refused));
        }
        if path == "*" && *method == Method::OPTIONS {
            return Match::Options { allow: self.allow_anywhere.clone() };
        }
        self.find_other_slash(method, path, encoded)
    }

    /// All routes, in the order of their registration.
    pub fn routes(&self) -> impl Iterator<Item = (&Method, &Pattern, &T)> {
        self.routes.iter().map(|route| (&route.method, &route.pattern, &route.endpoint))
    }

    fn found<'r, 'p>(&'r self, route: RouteId, values: Values<'p>) -> Match<'r, 'p, T> {
        let Route { pattern, endpoint, .. } = &self.routes[route];
        Match::Found { endpoint, pattern, params: Params::new(pattern, values) }
    }

    #[cold]
    fn find_other_slash<'r, 'p>(
        &'r self,
        method: &'r Method,
        path: &'p str,
        encoded: bool,
    ) -> Match<'r, 'p, T> {
        if self.slash == TrailingSlash::Strict || path.len() < 2 {
            return Match::NotFound;
        }
        let shorter = path.strip_suffix('/');
        let mut search = Search::new(method, encoded);
        let rest = Rest::new(shorter.unwrap_or(path), shorter.is_none());
        match (rest.and_then(|rest| search.visit(&self.root, rest)), self.slash) {
            (Some(_), TrailingSlash::Redirect) if may_leave_site(path) => Match::NotFound,
            (Some(_), TrailingSlash::Redirect) => {
                Match::Redirect { path: shorter.map_or_else(|| format!("{path}/"), str::to_owned) }
            }
            (Some(route), _) => self.found(route, search.values),
            (None, TrailingSlash::Ignore) if !search.refused.is_empty() => {
                refusal(method, allow(&search.refused))
            }
            (None, _) => Match::NotFound,
        }
    }
}

/// As a `Location`, a path that begins with two slashes names another host; browsers read `\` as `/`.
fn may_leave_site(path: &str) -> bool {
    matches!(path.as_bytes().get(1), Some(b'/' | b'\\'))
}

fn refusal<'r, 'p, T>(method: &Method, allow: HeaderValue) -> Match<'r, 'p, T> {
    if *method == Method::OPTIONS { Match::Options { allow } } else { Match::MethodNotAllowed { allow } }
}

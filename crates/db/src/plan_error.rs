//! Why a plan's description cannot be compiled.

/// An error in a plan description, with the place it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    /// Path into the description, outermost first: `queries[0].children[1].template`.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl PlanError {
    pub(crate) fn new(place: &str, reason: impl Into<String>) -> Self {
        Self { place: place.to_owned(), reason: reason.into() }
    }

    /// The same error seen from the enclosing part of the description.
    #[must_use]
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.place = if self.place.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.place) };
        self
    }
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "invalid plan at {}: {}", self.place, self.reason)
    }
}

impl std::error::Error for PlanError {}

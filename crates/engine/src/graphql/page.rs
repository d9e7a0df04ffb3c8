//! A page to try queries with: one document, nothing fetched from elsewhere.

/// The page.
pub(super) const HTML: &str = include_str!("page.html");

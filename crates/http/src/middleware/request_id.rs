//! A name for each request, in its answer and for whoever reads the header.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use http::{HeaderName, HeaderValue};

use crate::Request;

const MOST_BYTES: usize = 128;

/// Names requests.
pub(super) struct RequestId {
    pub(super) header: HeaderName,
    random: RandomState,
    count: Cell<u64>,
}

impl RequestId {
    pub(super) fn new(header: &str) -> Result<Self, String> {
        let header = header.parse().map_err(|_| format!("{header:?} cannot be the name of a header"))?;
        Ok(Self { header, random: RandomState::new(), count: Cell::default() })
    }

    /// The name the nearest hop gave, where that is `trusted`, or a new one; the request has it from here on.
    pub(super) fn of(&self, request: &mut Request, trusted: bool) -> HeaderValue {
        let given = request.headers.get(&self.header).filter(|_| trusted);
        let usable =
            |value: &&HeaderValue| value.len() <= MOST_BYTES && value.to_str().is_ok() && !value.is_empty();
        if let Some(given) = given.filter(usable) {
            return given.clone();
        }
        let id = self.next();
        request.headers.insert(self.header.clone(), id.clone());
        id
    }

    fn next(&self) -> HeaderValue {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let text =
            format!("{:016x}{:016x}", self.random.hash_one((count, 0)), self.random.hash_one((count, 1)));
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

//! A name for each request, in its answer and for whoever reads the header.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
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
        let number = u128::from(self.random.hash_one(count)) << 64 | u128::from(self.random.hash_one(!count));
        // An owner's bytes are shared from the start: the request and its answer both have them.
        let text = Bytes::from_owner(hexadecimal(number));
        HeaderValue::from_maybe_shared(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

fn hexadecimal(number: u128) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (digits, byte) in text.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        digits.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;

    #[test]
    fn digits_as_format_writes_them() {
        for number in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            assert_eq!(hexadecimal(number), *format!("{number:032x}").as_bytes());
        }
    }
}

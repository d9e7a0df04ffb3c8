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
        let given = if trusted { request.headers.get(&self.header) } else { None };
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

/// Four bytes at a time make eight digits in a register: a table of digits took as long as the rest of a name.
fn hexadecimal(number: u128) -> [u8; 32] {
    let mut text = [0; 32];
    for (digits, part) in text.chunks_exact_mut(8).zip(number.to_be_bytes().chunks_exact(4)) {
        let part = part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        digits.copy_from_slice(&digits_of(part).to_be_bytes());
    }
    text
}

/// The digits of a number of 32 bits.
fn digits_of(number: u64) -> u64 {
    let number = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let number = (number | number << 8) & 0x00ff_00ff_00ff_00ff;
    let number = (number | number << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let is_letter = (number + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    number + 0x3030_3030_3030_3030 + is_letter * 0x27
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

//! Decimal digits on the stack: the fixed-width building block of times, dates and decimals.

use crate::append::append;

/// `00` to `99`, two bytes each; a power of two long, so that an index needs a mask and no bounds check.
const PAIRS: [[u8; 2]; 128] = {
    let mut pairs = [[b'0'; 2]; 128];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

/// Two digits of `value`, which is below 100.
#[inline]
pub(crate) fn pair(value: u32) -> [u8; 2] {
    debug_assert!(value < 100);
    PAIRS[(value & 127) as usize]
}

/// Four digits of `value`, which is below 10,000.
#[inline]
pub(crate) fn quad(value: u32) -> [u8; 4] {
    let ([a, b], [c, d]) = (pair(value / 100), pair(value % 100));
    [a, b, c, d]
}

/// Eight digits of `value`, which is below 100,000,000.
#[inline]
pub(crate) fn eight(value: u32) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (quad(value / 10_000), quad(value % 10_000));
    [a, b, c, d, e, f, g, h]
}

/// Six digits of `value`, which is below 1,000,000.
#[inline]
pub(crate) fn six(value: u32) -> [u8; 6] {
    let ([a, b], [c, d, e, f]) = (pair(value / 10_000), quad(value % 10_000));
    [a, b, c, d, e, f]
}

/// A short text between quotes, built on the stack and appended in one copy, with or without the quotes.
pub(crate) struct Quoted {
    bytes: [u8; Self::SIZE],
    /// Where the next piece goes; the text begins behind the opening quote.
    len: usize,
}

impl Quoted {
    /// Longest user: a duration of 128 bits in microseconds (its days have 29 digits).
    const SIZE: usize = 64;

    /// Nothing between the quotes yet.
    #[inline]
    pub(crate) fn new() -> Self {
        Self { bytes: [b'"'; Self::SIZE], len: 1 }
    }

    /// Appends a fixed-width piece.
    #[inline]
    pub(crate) fn push<const N: usize>(&mut self, piece: [u8; N]) {
        if let Some(target) = self.bytes.get_mut(self.len..self.len + N) {
            target.copy_from_slice(&piece);
            self.len += N;
        }
    }

    /// Appends a piece of any length.
    pub(crate) fn push_slice(&mut self, piece: &[u8]) {
        if let Some(target) = self.bytes.get_mut(self.len..self.len + piece.len()) {
            target.copy_from_slice(piece);
            self.len += piece.len();
        }
    }

    /// Appends the text with its quotes to `out`.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // The byte behind the text is a quote still.
        append(out, &self.bytes[..=self.len]);
    }

    /// Appends the text without its quotes to `out`.
    #[inline]
    pub(crate) fn write_bare(&self, out: &mut Vec<u8>) {
        append(out, &self.bytes[1..self.len]);
    }
}

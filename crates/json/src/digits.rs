//! Decimal digits on the stack: the fixed-width building block of times, dates and decimals.

/// `00` to `99`, two bytes each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
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
    PAIRS[(value % 100) as usize]
}

/// Four digits of `value`, which is below 10,000.
#[inline]
pub(crate) fn quad(value: u32) -> [u8; 4] {
    let ([a, b], [c, d]) = (pair(value / 100), pair(value % 100));
    [a, b, c, d]
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
    len: usize,
}

impl Quoted {
    /// Longest user: a duration of 128 bits in microseconds (39 digits and a time).
    const SIZE: usize = 64;

    /// Nothing between the quotes yet.
    #[inline]
    pub(crate) fn new() -> Self {
        Self { bytes: [b'"'; Self::SIZE], len: 1 }
    }

    /// Appends a fixed-width piece.
    #[inline]
    pub(crate) fn push<const N: usize>(&mut self, piece: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&piece);
        self.len += N;
    }

    /// Appends a piece of any length.
    pub(crate) fn push_slice(&mut self, piece: &[u8]) {
        self.bytes[self.len..self.len + piece.len()].copy_from_slice(piece);
        self.len += piece.len();
    }

    /// Appends the text with its quotes to `out`.
    #[inline]
    pub(crate) fn write(mut self, out: &mut Vec<u8>) {
        self.push([b'"']);
        out.extend_from_slice(&self.bytes[..self.len]);
    }

    /// Appends the text without its quotes to `out`.
    #[inline]
    pub(crate) fn write_bare(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[1..self.len]);
    }
}

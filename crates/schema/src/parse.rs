//! Text → plain values. No rules of a schema here, and no messages beyond a short reason.

pub(crate) mod duration;
pub(crate) mod number;
pub(crate) mod temporal;
pub(crate) mod uuid;

/// Why a text is not what it should be; completes "Input should be a valid date, …".
pub(crate) type Reason = &'static str;

/// Reads fixed-width pieces from the front of ASCII text.
struct Cursor<'t> {
    rest: &'t [u8],
}

impl<'t> Cursor<'t> {
    #[inline]
    fn new(text: &'t str) -> Self {
        Self { rest: text.as_bytes() }
    }

    #[inline]
    fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes one byte where it is one of `bytes`.
    #[inline]
    fn take(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        if !bytes.contains(first) {
            return None;
        }
        self.rest = rest;
        Some(*first)
    }

    /// Takes exactly `N` digits.
    #[inline]
    fn digits<const N: usize>(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_first_chunk::<N>()?;
        let mut value = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + u32::from(digit - b'0');
        }
        self.rest = rest;
        Some(value)
    }

    /// Takes all digits that follow.
    #[inline]
    fn all_digits(&mut self) -> &'t [u8] {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }
}

/// Digits after a decimal separator as millionths; what is finer is cut off, as Django does.
fn millionths(digits: &[u8]) -> u32 {
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    padded.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

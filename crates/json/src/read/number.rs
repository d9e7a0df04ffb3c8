//! Numbers, by their literals.

use super::{Broken, Fault, Reader, What};

/// A number as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'j> {
    /// Its digits and signs, ASCII all.
    pub literal: &'j str,
    /// Its value where it is an integer of up to eighteen digits, as nearly all are.
    pub small: Option<i64>,
}

impl Number<'_> {
    /// Whether it has neither a point nor an exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.small.is_some() || !self.literal.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }
}

/// Digits that cannot overflow 64 bits.
const SAFE_DIGITS: usize = 18;

impl<'j> Reader<'j> {
    /// Reads a number, which begins here.
    ///
    /// # Errors
    /// It is malformed: a leading zero, no digit where one has to be.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'j>, Broken> {
        let start = self.at;
        let negative = self.data.get(start) == Some(&b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let value = self.whole_part()?;
        let digits = self.at - first;
        let mut small = None;
        if let Some(b'.' | b'e' | b'E') = self.data.get(self.at) {
            self.rest_of_float()?;
        } else if digits <= SAFE_DIGITS {
            // Below 10^18, so both signs fit.
            let value = value.cast_signed();
            small = Some(if negative { -value } else { value });
        }
        // SAFETY: every byte between was matched against ASCII ones.
        let literal = unsafe { std::str::from_utf8_unchecked(&self.data[start..self.at]) };
        Ok(Number { literal, small })
    }

    /// Digits before a point or an exponent; their value, which wraps where they are many.
    #[inline]
    fn whole_part(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        let first = self.at;
        while let Some(digit) = self.digit() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        match self.at - first {
            0 => Err(self.no_digit()),
            1 => Ok(value),
            _ if self.data[first] == b'0' => Err(self.broken_by(Fault { what: What::Number, at: first + 1 })),
            _ => Ok(value),
        }
    }

    /// A fraction, an exponent or both.
    fn rest_of_float(&mut self) -> Result<(), Broken> {
        if self.data.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.data.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.data.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Broken> {
        let first = self.at;
        while self.digit().is_some() {
            self.at += 1;
        }
        if self.at == first { Err(self.no_digit()) } else { Ok(()) }
    }

    #[inline]
    fn digit(&self) -> Option<u8> {
        self.data.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
    }

    #[cold]
    fn no_digit(&mut self) -> Broken {
        self.broken(if self.at < self.data.len() { What::Number } else { What::EndInValue })
    }
}

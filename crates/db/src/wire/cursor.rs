//! Reading fixed pieces off the front of a cell.

use super::Unwritable;

/// The unread rest of a cell.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

const SHORT: &str = "the server sent fewer bytes than the type has";

impl<'a> Cursor<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Unwritable> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Unwritable> {
        let (head, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*head))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Unwritable> {
        self.i32().map(i32::cast_unsigned)
    }

    /// A length-prefixed value; a negative length is NULL.
    pub(super) fn value(&mut self) -> Result<Option<&'a [u8]>, Unwritable> {
        match usize::try_from(self.i32()?) {
            Ok(length) => self.bytes(length).map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// A cell of exactly `N` bytes.
#[inline]
pub(super) fn fixed<const N: usize>(cell: &[u8]) -> Result<[u8; N], Unwritable> {
    cell.try_into().map_err(|_| wrong_length(N, cell.len()))
}

#[cold]
fn wrong_length(expected: usize, found: usize) -> Unwritable {
    Unwritable::from(format!("the type takes {expected} bytes, the server sent {found}"))
}

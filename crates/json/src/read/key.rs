//! Keys that are expected, recognized without being read.

use super::{Broken, Reader};
use crate::text;

/// Keys up to this many bytes, quotes included, are compared as one number.
const WIDTH: usize = 16;

/// A key as JSON mostly spells it, ready to be compared.
#[derive(Debug)]
pub struct Key {
    quoted: Box<[u8]>,
    /// Its first bytes, and which bits of a document's next bytes to compare with them.
    head: u128,
    mask: u128,
}

impl Key {
    /// The key `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut quoted = Vec::new();
        text::write(&mut quoted, name);
        let mut head = [0; WIDTH];
        let width = quoted.len().min(WIDTH);
        head[..width].copy_from_slice(&quoted[..width]);
        let mask = u128::MAX >> (8 * (WIDTH - width));
        Self { quoted: quoted.into(), head: u128::from_le_bytes(head), mask }
    }

    #[inline]
    fn begins(&self, rest: &[u8]) -> bool {
        match rest.first_chunk::<WIDTH>() {
            Some(head) if (u128::from_le_bytes(*head) ^ self.head) & self.mask != 0 => false,
            Some(_) if self.quoted.len() <= WIDTH => true,
            _ => rest.starts_with(&self.quoted),
        }
    }
}

impl Reader<'_> {
    /// Reads a key and its colon, where it is spelled just as `key` is: a guess that costs less than reading.
    ///
    /// # Errors
    /// No colon follows.
    #[inline]
    pub fn take_key(&mut self, key: &Key) -> Result<bool, Broken> {
        if !key.begins(self.data.get(self.at..).unwrap_or_default()) {
            return Ok(false);
        }
        self.at += key.quoted.len();
        self.colon()?;
        Ok(true)
    }
}

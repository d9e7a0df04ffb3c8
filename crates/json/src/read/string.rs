//! Text: as it stands in the document where it can be, unescaped where it cannot.

use super::escape::{check_utf8, unescape};
use super::{Broken, Reader, run};

/// Where a string that was read stands.
#[derive(Clone, Copy)]
enum Found {
    /// In the document, between these bytes; UTF-8.
    Plain(usize, usize),
    /// In `unescaped`, which is UTF-8.
    Unescaped,
}

impl Reader<'_> {
    /// Reads text, which begins here.
    ///
    /// # Errors
    /// It is malformed: not UTF-8, a bare control character, an unknown escape, half of a surrogate pair, no end.
    #[inline]
    pub fn text(&mut self) -> Result<&str, Broken> {
        let found = self.string()?;
        Ok(self.shown(found))
    }

    /// Reads a key, which begins here, and its colon.
    ///
    /// # Errors
    /// Its text is malformed, or no colon follows.
    #[inline]
    pub fn key(&mut self) -> Result<&str, Broken> {
        let found = self.string()?;
        self.colon()?;
        Ok(self.shown(found))
    }

    #[inline(always)]
    fn shown(&self, found: Found) -> &str {
        let bytes = match found {
            Found::Plain(start, end) => &self.data[start..end],
            Found::Unescaped => &self.unescaped,
        };
        // SAFETY: `string` checked these bytes.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Found, Broken> {
        let start = self.at + 1;
        let (end, ascii) = run::plain(self.data, start);
        if self.data.get(end) != Some(&b'"') {
            let end = unescape(self.data, start, end, &mut self.unescaped);
            self.at = 1 + end.map_err(|fault| self.broken_by(fault))?;
            return Ok(Found::Unescaped);
        }
        if !ascii {
            check_utf8(&self.data[start..end], start).map_err(|fault| self.broken_by(fault))?;
        }
        self.at = end + 1;
        Ok(Found::Plain(start, end))
    }
}

//! Reading over values that nobody wants.

use super::{Broken, Peek, Reader, What};

/// Levels of arrays and objects within each other that a document may have.
pub const MAX_DEPTH: u32 = 128;

impl Reader<'_> {
    /// Reads over a value that starts with `peek`, checking its syntax down to escapes and UTF-8.
    ///
    /// # Errors
    /// It is malformed, or has more than `depth` levels.
    pub fn skip(&mut self, peek: Peek, depth: u32) -> Result<(), Broken> {
        match peek {
            Peek::Null => self.null(),
            Peek::True | Peek::False => self.bool(peek).map(drop),
            Peek::Number => self.number().map(drop),
            Peek::String => self.text().map(drop),
            Peek::Array | Peek::Object => match depth.checked_sub(1) {
                Some(left) if peek == Peek::Array => self.skip_array(left),
                Some(left) => self.skip_object(left),
                None => Err(self.broken(What::TooDeep)),
            },
        }
    }

    fn skip_array(&mut self, depth: u32) -> Result<(), Broken> {
        let mut next = self.first_item()?;
        while let Some(peek) = next {
            self.skip(peek, depth)?;
            next = self.next_item()?;
        }
        Ok(())
    }

    fn skip_object(&mut self, depth: u32) -> Result<(), Broken> {
        let mut more = self.first_member()?;
        while more {
            self.key()?;
            let peek = self.peek()?;
            self.skip(peek, depth)?;
            more = self.next_member()?;
        }
        Ok(())
    }
}

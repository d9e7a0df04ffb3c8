//! JSON bytes → tokens (RFC 8259), checked as they are read.
//!
//! The caller walks: it asks what a value starts with and then reads just that, so nothing is built that it does not
//! want. Everything is checked on the way, escapes and UTF-8 too; only nesting is the caller's to bound, who does the
//! nesting: [`MAX_DEPTH`] levels.

mod escape;
mod fault;
mod key;
mod number;
mod run;
mod skip;
mod string;

pub use fault::{Broken, Fault, What};
pub use key::Key;
pub use number::Number;
pub use skip::MAX_DEPTH;

/// What a value starts with, and so what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peek {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A digit or a minus.
    Number,
    /// A quote.
    String,
    /// `[`
    Array,
    /// `{`
    Object,
}

/// By first byte.
const STARTS: [Option<Peek>; 256] = {
    let mut starts = [None; 256];
    starts[b'n' as usize] = Some(Peek::Null);
    starts[b't' as usize] = Some(Peek::True);
    starts[b'f' as usize] = Some(Peek::False);
    starts[b'-' as usize] = Some(Peek::Number);
    let mut digit = b'0';
    while digit <= b'9' {
        starts[digit as usize] = Some(Peek::Number);
        digit += 1;
    }
    starts[b'"' as usize] = Some(Peek::String);
    starts[b'[' as usize] = Some(Peek::Array);
    starts[b'{' as usize] = Some(Peek::Object);
    starts
};

/// A document and how far it is read.
#[derive(Debug)]
pub struct Reader<'j> {
    data: &'j [u8],
    at: usize,
    /// Text that had escapes.
    unescaped: Vec<u8>,
    fault: Fault,
}

impl<'j> Reader<'j> {
    /// At the start of a document.
    #[must_use]
    pub fn new(data: &'j [u8]) -> Self {
        Self { data, at: 0, unescaped: Vec::new(), fault: Fault { what: What::EndInValue, at: 0 } }
    }

    /// How many bytes are read.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes back to where it has been, to read on from there once more.
    pub fn rewind(&mut self, at: usize) {
        self.at = self.at.min(at);
    }

    /// The bytes read since it was at `start`.
    #[must_use]
    pub fn since(&self, start: usize) -> &'j [u8] {
        self.data.get(start..self.at).unwrap_or_default()
    }

    /// Why the last reading failed.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Line and column of a byte, from 1; behind the end, the column of the last.
    #[must_use]
    pub fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.data[..at.min(self.data.len())];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        (line, before.len() - line_start + usize::from(at < self.data.len()))
    }

    /// What the next value is; the reader then stands at its first byte.
    ///
    /// # Errors
    /// No value starts here.
    #[inline]
    pub fn peek(&mut self) -> Result<Peek, Broken> {
        match self.next_byte() {
            Some(byte) => STARTS[usize::from(byte)].ok_or_else(|| self.broken(What::Value)),
            None => Err(self.broken(What::EndInValue)),
        }
    }

    /// Reads `null`, which begins here.
    ///
    /// # Errors
    /// It only begins like it.
    #[inline]
    pub fn null(&mut self) -> Result<(), Broken> {
        self.word(b"null")
    }

    /// Reads `true` or `false`, as `peek` said.
    ///
    /// # Errors
    /// It only begins like it.
    #[inline]
    pub fn bool(&mut self, peek: Peek) -> Result<bool, Broken> {
        let value = peek == Peek::True;
        self.word(if value { b"true" } else { b"false" })?;
        Ok(value)
    }

    /// Reads the bracket of an array, which is here: what its first item is, or `None` where it is empty.
    ///
    /// # Errors
    /// Neither an item nor the end follows.
    #[inline]
    pub fn first_item(&mut self) -> Result<Option<Peek>, Broken> {
        self.at += 1;
        match self.next_byte() {
            Some(b']') => Ok(self.behind(None)),
            Some(_) => self.peek().map(Some),
            None => Err(self.broken(What::EndInList)),
        }
    }

    /// What the next item of the array is, or `None` behind its last.
    ///
    /// # Errors
    /// Neither another item nor the end follows.
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<Peek>, Broken> {
        match self.next_byte() {
            Some(b',') => self.at += 1,
            Some(b']') => return Ok(self.behind(None)),
            Some(_) => return Err(self.broken(What::ListCommaOrEnd)),
            None => return Err(self.broken(What::EndInList)),
        }
        match self.next_byte() {
            Some(b']') => Err(self.broken(What::TrailingComma)),
            _ => self.peek().map(Some),
        }
    }

    /// Reads the brace of an object, which is here: whether a member follows, at whose key the reader then stands.
    ///
    /// # Errors
    /// Neither a key nor the end follows.
    #[inline]
    pub fn first_member(&mut self) -> Result<bool, Broken> {
        self.at += 1;
        match self.next_byte() {
            Some(b'"') => Ok(true),
            Some(b'}') => Ok(self.behind(false)),
            Some(_) => Err(self.broken(What::Key)),
            None => Err(self.broken(What::EndInObject)),
        }
    }

    /// Whether another member of the object follows, at whose key the reader then stands.
    ///
    /// # Errors
    /// Neither a key nor the end follows.
    #[inline]
    pub fn next_member(&mut self) -> Result<bool, Broken> {
        match self.next_byte() {
            Some(b',') => self.at += 1,
            Some(b'}') => return Ok(self.behind(false)),
            Some(_) => return Err(self.broken(What::ObjectCommaOrEnd)),
            None => return Err(self.broken(What::EndInObject)),
        }
        match self.next_byte() {
            Some(b'"') => Ok(true),
            Some(b'}') => Err(self.broken(What::TrailingComma)),
            Some(_) => Err(self.broken(What::Key)),
            None => Err(self.broken(What::EndInValue)),
        }
    }

    /// Checks that nothing but white space is left.
    ///
    /// # Errors
    /// Something is.
    pub fn finish(&mut self) -> Result<(), Broken> {
        match self.next_byte() {
            Some(_) => Err(self.broken(What::TrailingCharacters)),
            None => Ok(()),
        }
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Broken> {
        match self.next_byte() {
            Some(b':') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.broken(What::Colon)),
            None => Err(self.broken(What::EndInObject)),
        }
    }

    #[inline]
    fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        let same = rest.iter().zip(word).take_while(|(found, wanted)| found == wanted).count();
        self.at += same;
        Err(self.broken(if same == rest.len() { What::EndInValue } else { What::Word }))
    }

    /// Steps over one byte.
    #[inline]
    fn behind<T>(&mut self, outcome: T) -> T {
        self.at += 1;
        outcome
    }

    /// The byte behind white space, where the reader then stands.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let byte = *self.data.get(self.at)?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[cold]
    fn broken(&mut self, what: What) -> Broken {
        self.broken_by(Fault { what, at: self.at })
    }

    #[cold]
    fn broken_by(&mut self, fault: Fault) -> Broken {
        self.fault = fault;
        Broken
    }
}

#[cfg(test)]
mod tests;

//! Reads JSON that this process wrote, and the marks in it.

use memchr::{memchr, memchr2};

/// A value that is not there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mark<'t> {
    /// NULL where a value has to be.
    Absent,
    /// A value that has no JSON form, and why.
    Unwritable(String),
    /// What is wrong has a number in the shape.
    Refused(usize),
    /// What failed has a number in the execution.
    Failed(usize),
    /// What is wrong with the request, for the client.
    Message(String),
    /// A function gives the value: which, and of what, as JSON.
    Resolved(&'t [u8]),
}

/// The byte a mark begins with.
const MARK: u8 = 0x01;

/// A place in a text.
pub(crate) struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn is_empty(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next byte that is no space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Goes on, where the next byte is this one.
    pub(crate) fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a mark, where one comes next.
    pub(crate) fn mark(&mut self) -> Option<Mark<'t>> {
        if self.peek() != Some(MARK) {
            return None;
        }
        let letter = self.text.get(self.at + 1).copied();
        self.at += 2;
        let json = self.value();
        let text = || serde_json::from_slice::<String>(json).unwrap_or_default();
        Some(match letter {
            Some(b'v') => Mark::Unwritable(text()),
            Some(b'r') => Mark::Resolved(json),
            Some(b'e') => Mark::Refused(number(json)),
            Some(b'f') => Mark::Failed(number(json)),
            Some(b'm') => {
                let message: Result<[String; 1], _> = serde_json::from_slice(json);
                Mark::Message(message.map_or_else(|_| String::new(), |[message]| message))
            }
            _ => Mark::Absent,
        })
    }

    /// Goes to the next mark; `false` where there is none.
    pub(crate) fn seek_mark(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = memchr(MARK, rest);
        self.at += found.unwrap_or(rest.len());
        found.is_some()
    }

    /// Takes one value, of any kind.
    pub(crate) fn value(&mut self) -> &'t [u8] {
        let next = self.peek();
        let begin = self.at;
        match next {
            Some(b'"') => self.string(),
            Some(b'[' | b'{') => {
                self.at += 1;
                self.leave();
            }
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let length = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}'));
                self.at += length.unwrap_or(rest.len());
            }
        }
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// Goes behind the end of the list or object around.
    pub(crate) fn leave(&mut self) {
        let mut depth = 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(found) = memchr2(b'"', b'\\', self.text.get(self.at..).unwrap_or_default()) {
            self.at += found;
            if self.text.get(self.at) == Some(&b'"') {
                self.at += 1;
                return;
            }
            self.at += 2;
        }
        self.at = self.text.len();
    }
}

/// The only item of an array.
fn number(json: &[u8]) -> usize {
    let number: Result<[usize; 1], _> = serde_json::from_slice(json);
    number.map_or(usize::MAX, |[number]| number)
}

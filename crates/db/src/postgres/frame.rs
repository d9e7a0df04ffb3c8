//! Backend messages in a read buffer: found, never copied.

/// Room for a read; also what the buffer shrinks back to after a large row.
const USUAL: usize = 64 * 1024;
/// Less free room than this is not worth a system call.
const WORTHWHILE: usize = 16 * 1024;
/// PostgreSQL itself refuses to build a message larger than this.
const LARGEST: usize = 1 << 30;
/// Tag and length.
const HEADER: usize = 5;

/// The peer does not speak the protocol; says what was found. The connection cannot be used any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// One complete message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Which message.
    pub(crate) tag: u8,
    /// What follows the length.
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first message and its size on the wire, or `None` while it is incomplete.
    #[inline]
    pub(crate) fn first(input: &'a [u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some(size) = size(input)? else { return Ok(None) };
        Ok(input.get(HEADER..size).map(|body| (Self { tag: input[0], body }, size)))
    }
}

/// Size on the wire of the message that starts here, as soon as its header is known.
#[inline]
fn size(input: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(&[tag, a, b, c, d]) = input.first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if !(4..=LARGEST).contains(&length) {
        return Err(Malformed::new(format!("message {:?} of length {length}", char::from(tag))));
    }
    Ok(Some(length + 1))
}

/// Bytes read and not yet consumed. Storage is initialized once and reused.
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadBuffer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; USUAL], start: 0, end: 0 }
    }

    /// What was read and not consumed.
    #[inline]
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Marks `count` bytes as dealt with.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Where to read into; never empty. A partial message moves to the front when it would not fit, the storage grows
    /// when it cannot fit.
    pub(crate) fn space(&mut self) -> Result<&mut [u8], Malformed> {
        let wanted = size(self.filled())?.unwrap_or(HEADER);
        let rest = wanted.saturating_sub(self.end - self.start);
        if self.bytes.len() - self.end < rest.max(WORTHWHILE) {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.bytes.len() - self.end < rest.max(WORTHWHILE) {
                self.bytes.resize(self.end + rest.max(WORTHWHILE), 0);
            }
        }
        Ok(&mut self.bytes[self.end..])
    }

    /// Tells that `count` bytes were read into [`Self::space`].
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Gives back what a large row needed. Called when the connection comes to rest, so that a run of large rows does
    /// not grow and shrink in turns.
    #[inline]
    pub(crate) fn rest(&mut self) {
        if self.end == 0 && self.bytes.len() > USUAL {
            self.bytes.truncate(USUAL);
            self.bytes.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        out.extend((body.len() as u32 + 4).to_be_bytes());
        out.extend(body);
        out
    }

    fn drain(buffer: &mut ReadBuffer, found: &mut Vec<(u8, Vec<u8>)>) {
        while let Some((frame, size)) = Frame::first(buffer.filled()).unwrap() {
            found.push((frame.tag, frame.body.to_vec()));
            buffer.consume(size);
        }
    }

    fn feed(buffer: &mut ReadBuffer, mut bytes: &[u8], found: &mut Vec<(u8, Vec<u8>)>) {
        while !bytes.is_empty() {
            let space = buffer.space().unwrap();
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            buffer.advance(count);
            bytes = &bytes[count..];
            drain(buffer, found);
        }
    }

    #[test]
    fn every_split_position_gives_the_same_messages() {
        let messages: [(u8, &[u8]); 5] =
            [(b'2', b""), (b'D', b"\0\x01\0\0\0\x02hi"), (b'D', b"x"), (b'C', b"SELECT 2\0"), (b'Z', b"I")];
        let stream: Vec<u8> = messages.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
        let wanted: Vec<_> = messages.iter().map(|(tag, body)| (*tag, body.to_vec())).collect();
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let (mut buffer, mut found) = (ReadBuffer::new(), Vec::new());
                for part in [&stream[..first], &stream[first..second], &stream[second..]] {
                    feed(&mut buffer, part, &mut found);
                }
                assert_eq!(found, wanted, "split at {first} and {second}");
                assert!(buffer.filled().is_empty());
            }
        }
    }

    #[test]
    fn a_large_message_grows_the_buffer_and_rest_shrinks_it() {
        let big = vec![7; 1_000_000];
        let mut stream = message(b'D', b"small");
        stream.extend(message(b'D', &big));
        stream.extend(message(b'Z', b"I"));
        let (mut buffer, mut found) = (ReadBuffer::new(), Vec::new());
        for part in stream.chunks(40_000) {
            feed(&mut buffer, part, &mut found);
        }
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], (b'D', big));
        assert!(buffer.bytes.len() >= 1_000_000);
        buffer.rest();
        assert_eq!(buffer.bytes.len(), USUAL);
        assert_eq!(buffer.bytes.capacity(), USUAL);
    }

    #[test]
    fn rest_keeps_a_partial_message() {
        let (mut buffer, mut found) = (ReadBuffer::new(), Vec::new());
        let stream = message(b'D', &vec![1; 200_000]);
        feed(&mut buffer, &stream[..150_000], &mut found);
        buffer.rest();
        feed(&mut buffer, &stream[150_000..], &mut found);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for length in [0_u32, 3, (1 << 30) + 1, u32::MAX] {
            let mut input = vec![b'D'];
            input.extend(length.to_be_bytes());
            assert!(Frame::first(&input).is_err(), "{length}");
        }
        assert_eq!(Frame::first(b"D\0\0\0"), Ok(None));
    }
}

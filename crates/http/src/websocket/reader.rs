//! Bytes of a client → messages and control frames, whatever pieces they come in.

use bytes::Bytes;

use super::close::{Close, Code};
use super::deflate::Deflate;
use super::frame::{Head, LONGEST_HEAD, Message, Opcode, protocol};
use super::mask::unmask;
use super::utf8::Utf8;

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Message(Message),
    Ping(Bytes),
    Pong,
    Close(Close),
}

/// The state between two pieces. Nothing is allocated while no message is under way.
pub(super) struct Reader {
    deflate: Option<Deflate>,
    max_message: usize,
    head: [u8; LONGEST_HEAD],
    head_len: usize,
    frame: Option<Frame>,
    message: Option<Partial>,
    control: Vec<u8>,
}

/// A frame whose head was read.
#[derive(Clone, Copy)]
struct Frame {
    head: Head,
    read: u64,
}

/// A message whose last frame was not read yet.
struct Partial {
    text: bool,
    compressed: bool,
    data: Vec<u8>,
    utf8: Utf8,
}

impl Reader {
    pub(super) fn new(deflate: Option<Deflate>, max_message: usize) -> Self {
        Self {
            deflate,
            max_message,
            head: [0; LONGEST_HEAD],
            head_len: 0,
            frame: None,
            message: None,
            control: Vec::new(),
        }
    }

    /// The next event; `None` once all of `input` was used. Payloads are unmasked in place.
    ///
    /// # Errors
    /// What the connection is to be closed with; nothing can be read after it.
    pub(super) fn next(&mut self, input: &mut &mut [u8]) -> Result<Option<Event>, Close> {
        loop {
            if self.frame.is_none() {
                let Some(head) = self.read_head(input)? else { return Ok(None) };
                self.begin(&head)?;
                self.frame = Some(Frame { head, read: 0 });
            }
            let Some(head) = self.read_payload(input)? else { return Ok(None) };
            self.frame = None;
            if let Some(event) = self.end(&head)? {
                return Ok(Some(event));
            }
        }
    }

    fn read_head(&mut self, input: &mut &mut [u8]) -> Result<Option<Head>, Close> {
        if self.head_len == 0
            && let Some((head, used)) = Head::parse(input)?
        {
            take(input, used);
            return Ok(Some(head));
        }
        while !input.is_empty() {
            if let (Some(slot), [byte]) = (self.head.get_mut(self.head_len), &*take(input, 1)) {
                *slot = *byte;
                self.head_len += 1;
            }
            let begun = self.head.get(..self.head_len).unwrap_or_default();
            if let Some((head, _)) = Head::parse(begun)? {
                self.head_len = 0;
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Whether a frame may come now.
    fn begin(&mut self, head: &Head) -> Result<(), Close> {
        if head.opcode.is_control() {
            return Ok(());
        }
        match (head.opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(protocol("a continuation of nothing")),
            (Opcode::Continuation, Some(_)) if head.compressed => {
                return Err(protocol("a reserved bit is set"));
            }
            (Opcode::Continuation, Some(_)) => {}
            (_, Some(_)) => return Err(protocol("a message inside of another one")),
            (_, None) if head.compressed && self.deflate.is_none() => {
                return Err(protocol("a reserved bit is set"));
            }
            (opcode, None) => {
                self.message = Some(Partial {
                    text: opcode == Opcode::Text,
                    compressed: head.compressed,
                    data: Vec::new(),
                    utf8: Utf8::default(),
                });
            }
        }
        let so_far = self.message.as_ref().map_or(0, |message| message.data.len() as u64);
        if head.len.saturating_add(so_far) > self.max_message as u64 {
            return Err(Close::new(Code::TOO_BIG, "a message past the limit"));
        }
        Ok(())
    }

    /// The frame's head once its payload is complete.
    fn read_payload(&mut self, input: &mut &mut [u8]) -> Result<Option<Head>, Close> {
        let Some(Frame { head, read }) = &mut self.frame else { return Ok(None) };
        let left = usize::try_from(head.len - *read).unwrap_or(usize::MAX);
        let piece = take(input, left.min(input.len()));
        unmask(piece, head.key, *read);
        *read += piece.len() as u64;
        let complete = (*read == head.len).then_some(*head);
        match &mut self.message {
            _ if head.opcode.is_control() => self.control.extend_from_slice(piece),
            Some(message) => message.extend(piece)?,
            None => {}
        }
        Ok(complete)
    }

    fn end(&mut self, head: &Head) -> Result<Option<Event>, Close> {
        if head.opcode.is_control() {
            let payload = std::mem::take(&mut self.control);
            return match head.opcode {
                Opcode::Close => Close::parse(&payload).map(|close| Some(Event::Close(close))),
                Opcode::Ping => Ok(Some(Event::Ping(payload.into()))),
                _ => Ok(Some(Event::Pong)),
            };
        }
        match self.message.take() {
            Some(message) if head.fin => {
                message.finish(self.deflate.as_ref(), self.max_message).map(|done| Some(Event::Message(done)))
            }
            unfinished => {
                self.message = unfinished;
                Ok(None)
            }
        }
    }
}

impl Partial {
    fn extend(&mut self, piece: &[u8]) -> Result<(), Close> {
        if self.text && !self.compressed {
            self.utf8.feed(piece).map_err(|_| not_utf8())?;
        }
        self.data.extend_from_slice(piece);
        Ok(())
    }

    fn finish(self, deflate: Option<&Deflate>, limit: usize) -> Result<Message, Close> {
        let Self { text, compressed, data, utf8 } = self;
        let Some(deflate) = deflate.filter(|_| compressed) else {
            return if utf8.is_complete() {
                Ok(Message { text, data: data.into() })
            } else {
                Err(not_utf8())
            };
        };
        let data = deflate.decompress(&data, limit)?;
        if text && std::str::from_utf8(&data).is_err() {
            return Err(not_utf8());
        }
        Ok(Message { text, data: data.into() })
    }
}

fn not_utf8() -> Close {
    Close::new(Code::NOT_UTF8, "text that is not UTF-8")
}

/// Cuts off what stands in front.
fn take<'a>(input: &mut &'a mut [u8], len: usize) -> &'a mut [u8] {
    let (front, rest) = std::mem::take(input).split_at_mut(len);
    *input = rest;
    front
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 4] = [0xa1, 0x02, 0xff, 0x10];

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            len @ 0..=125 => bytes.push(0x80 | len as u8),
            len => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(len as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&KEY);
        bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    fn text(data: &str) -> Event {
        Event::Message(Message { text: true, data: data.as_bytes().to_vec().into() })
    }

    fn read(reader: &mut Reader, bytes: &[u8], piece: usize) -> Result<Vec<Event>, Close> {
        let mut events = Vec::new();
        for piece in bytes.chunks(piece.max(1)) {
            let mut copy = piece.to_vec();
            let mut input = &mut copy[..];
            while let Some(event) = reader.next(&mut input)? {
                events.push(event);
            }
        }
        Ok(events)
    }

    proptest! {
        #[test]
        fn control_frames_between_fragments_in_any_pieces(piece in 1usize..64) {
            let bytes = [
                frame(0x01, b"frag"), frame(0x89, b"ping"), frame(0x00, b"men"), frame(0x8a, b""), frame(0x80, b"ts"),
                frame(0x81, b""), frame(0x82, &[1; 300]), frame(0x88, b"\x03\xe8bye"),
            ].concat();
            let events = read(&mut Reader::new(None, 1000), &bytes, piece).unwrap();
            prop_assert_eq!(events, vec![
                Event::Ping(Bytes::from_static(b"ping")), Event::Pong, text("fragments"), text(""),
                Event::Message(Message { text: false, data: vec![1; 300].into() }),
                Event::Close(Close::new(Code::NORMAL, "bye")),
            ]);
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>, piece in 1usize..64) {
            let _ = read(&mut Reader::new(Some(Deflate::shared(15)), 1000), &bytes, piece);
        }
    }

    #[test]
    fn sequences_that_are_refused() {
        let cases: [(&[Vec<u8>], u16); 8] = [
            (&[frame(0x80, b"x")], 1002),
            (&[frame(0x01, b"x"), frame(0x81, b"y")], 1002),
            (&[frame(0xc1, b"x")], 1002),
            (&[frame(0x81, b"\xc3")], 1007),
            (&[frame(0x01, b"\xc3"), frame(0x80, b"(")], 1007),
            (&[frame(0x82, &[0; 101])], 1009),
            (&[frame(0x02, &[0; 60]), frame(0x80, &[0; 41])], 1009),
            (&[frame(0x88, b"\x03")], 1002),
        ];
        for (frames, code) in cases {
            let refused = read(&mut Reader::new(None, 100), &frames.concat(), 7).unwrap_err();
            assert_eq!(refused.code, Code(code), "{frames:x?}");
        }
    }

    #[test]
    fn text_is_refused_before_its_frame_is_complete() {
        let bytes = frame(0x81, b"\xce\xba\xed\xa0\x80 and more");
        assert_eq!(read(&mut Reader::new(None, 100), &bytes[..11], 1).unwrap_err().code, Code::NOT_UTF8);
    }

    #[test]
    fn a_compressed_message_in_fragments() {
        let deflate = Deflate::shared(15);
        let compressed = deflate.compress(b"over and over and over and over").unwrap();
        let (first, second) = compressed.split_at(4);
        let bytes = [frame(0x41, first), frame(0x89, b""), frame(0x80, second)].concat();
        let events = read(&mut Reader::new(Some(deflate.clone()), 100), &bytes, 5).unwrap();
        assert_eq!(events, [Event::Ping(Bytes::new()), text("over and over and over and over")]);
        let twice = [frame(0x41, first), frame(0xc0, second)].concat();
        assert_eq!(read(&mut Reader::new(Some(deflate), 100), &twice, 50).unwrap_err().code, Code::PROTOCOL);
    }
}

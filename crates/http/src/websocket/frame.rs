//! Frames (RFC 6455 §5.2): their heads, read and written.

use bytes::Bytes;

use super::close::{Close, Code};
use super::deflate::Deflate;

/// A complete message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Text (which is UTF-8), or binary.
    pub text: bool,
    /// The payload.
    pub data: Bytes,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The head of a client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) fin: bool,
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) len: u64,
    pub(super) key: [u8; 4],
}

/// Bytes of the longest head.
pub(super) const LONGEST_HEAD: usize = 14;

/// Payload bytes of a control frame.
const LONGEST_CONTROL: u64 = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const MASKED: u8 = 0x80;

impl Head {
    /// Reads the head that `bytes` begin with, and tells its length; `None` while more bytes are needed. What is wrong
    /// with the first two bytes is told without waiting for the rest.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Close> {
        let [first, rest @ ..] = bytes else { return Ok(None) };
        if first & RSV2_AND_3 != 0 {
            return Err(protocol("a reserved bit is set"));
        }
        let opcode = Opcode::of(first & 0x0f).ok_or_else(|| protocol("a reserved opcode"))?;
        let (fin, compressed) = (first & FIN != 0, first & RSV1 != 0);
        if opcode.is_control() && (!fin || compressed) {
            return Err(protocol("a control frame that is fragmented or compressed"));
        }
        let [second, rest @ ..] = rest else { return Ok(None) };
        if second & MASKED == 0 {
            return Err(protocol("a frame of a client must be masked"));
        }
        let short = u64::from(second & !MASKED);
        if opcode.is_control() && short > LONGEST_CONTROL {
            return Err(protocol("a control frame of more than 125 bytes"));
        }
        let Some((len, rest)) = length(short, rest)? else { return Ok(None) };
        let Some((key, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        Ok(Some((Self { fin, compressed, opcode, len, key: *key }, bytes.len() - rest.len())))
    }
}

/// The payload's length, in as few bytes as it takes.
fn length(short: u64, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Close> {
    let (len, rest, least) = match short {
        126 => match rest.split_first_chunk::<2>() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest, 126),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((len, rest)) => (u64::from_be_bytes(*len), rest, 0x1_0000),
            None => return Ok(None),
        },
        short => (short, rest, 0),
    };
    if len < least || len > i64::MAX as u64 {
        return Err(protocol("a length that is not written in as few bytes as it takes"));
    }
    Ok(Some((len, rest)))
}

pub(super) fn protocol(what: &str) -> Close {
    Close::new(Code::PROTOCOL, what)
}

/// A whole frame of the server. Servers do not mask, so the same bytes serve every receiver.
pub(super) fn encode(opcode: Opcode, compressed: bool, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(10 + payload.len());
    frame.push(FIN | if compressed { RSV1 } else { 0 } | opcode as u8);
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame.into()
}

/// Shorter messages do not shrink enough to be worth the work.
const WORTH_COMPRESSING: usize = 64;

pub(super) fn encode_message(text: bool, payload: &[u8], deflate: Option<&Deflate>) -> Bytes {
    let opcode = if text { Opcode::Text } else { Opcode::Binary };
    if let Some(deflate) = deflate.filter(|_| payload.len() >= WORTH_COMPRESSING)
        && let Some(compressed) = deflate.compress(payload)
    {
        return encode(opcode, true, &compressed);
    }
    encode(opcode, false, payload)
}

/// A message on its way to many sockets: encoded once for all that are alike.
#[derive(Debug)]
pub struct Outgoing {
    message: Message,
    plain: Option<Bytes>,
    /// By the window bits of the connection's compressor.
    deflated: Vec<(u8, Bytes)>,
}

impl Outgoing {
    /// Nothing is encoded before somebody receives it.
    #[must_use]
    pub fn new(message: Message) -> Self {
        Self { message, plain: None, deflated: Vec::new() }
    }

    /// The frame for a connection with this compressor.
    pub(super) fn frame(&mut self, deflate: Option<&Deflate>) -> Bytes {
        let Message { text, data } = &self.message;
        let Some(deflate) = deflate.filter(|_| data.len() >= WORTH_COMPRESSING) else {
            return self.plain.get_or_insert_with(|| encode_message(*text, data, None)).clone();
        };
        let Some(bits) = deflate.alike() else { return encode_message(*text, data, Some(deflate)) };
        if let Some((_, frame)) = self.deflated.iter().find(|(known, _)| *known == bits) {
            return frame.clone();
        }
        let frame = encode_message(*text, data, Some(deflate));
        self.deflated.push((bits, frame.clone()));
        frame
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_few_bytes_as_they_can() {
        for (len, head) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = encode(Opcode::Binary, false, &vec![7; len]);
            assert_eq!(frame.len(), head + len);
            let mut masked = frame[..head].to_vec();
            masked[1] |= MASKED;
            masked.extend_from_slice(&[1, 2, 3, 4]);
            for cut in 0..masked.len() {
                assert_eq!(Head::parse(&masked[..cut]), Ok(None), "{len} bytes, head cut at {cut}");
            }
            let (parsed, used) = Head::parse(&masked).unwrap().unwrap();
            assert_eq!((parsed.len, used, parsed.key), (len as u64, head + 4, [1, 2, 3, 4]));
        }
    }

    #[test]
    fn heads_that_are_refused() {
        let cases: [(&[u8], &str); 9] = [
            (&[0xa1], "a reserved bit is set"),
            (&[0x91], "a reserved bit is set"),
            (&[0x83], "a reserved opcode"),
            (&[0x8b], "a reserved opcode"),
            (&[0x09], "a control frame that is fragmented or compressed"),
            (&[0xc9], "a control frame that is fragmented or compressed"),
            (&[0x81, 0x05], "a frame of a client must be masked"),
            (&[0x89, 0xfe], "a control frame of more than 125 bytes"),
            (&[0x82, 0xfe, 0, 125], "a length that is not written in as few bytes as it takes"),
        ];
        for (bytes, reason) in cases {
            assert_eq!(Head::parse(bytes), Err(protocol(reason)), "{bytes:x?}");
        }
    }
}

//! What goes from worker to worker.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// What a message is to its receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text for WebSockets.
    Text = 0,
    /// Bytes for WebSockets.
    Binary = 1,
    /// For mailboxes.
    Event = 2,
    /// Asks workers for the names of their members; the payload says where to answer.
    Who = 3,
    /// Such an answer.
    Here = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Text, Self::Binary, Self::Event, Self::Who, Self::Here]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A message and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The worker it comes from.
    pub(super) origin: u64,
    pub(super) kind: Kind,
    pub(super) topic: Box<str>,
    pub(super) payload: Bytes,
}

impl Envelope {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(13 + self.topic.len() + self.payload.len());
        out.put_u64(self.origin);
        out.put_u8(self.kind as u8);
        out.put_u32(u32::try_from(self.topic.len()).unwrap_or(u32::MAX));
        out.put_slice(self.topic.as_bytes());
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// `None` for bytes that are no envelope.
    pub(super) fn decode(mut bytes: Bytes) -> Option<Self> {
        let origin = bytes.try_get_u64().ok()?;
        let kind = Kind::of(bytes.try_get_u8().ok()?)?;
        let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        if bytes.len() < length {
            return None;
        }
        let topic = std::str::from_utf8(&bytes.split_to(length)).ok()?.into();
        Some(Self { origin, kind, topic, payload: bytes })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn there_and_back_and_nothing_else() {
        let envelope =
            Envelope {
                origin: 7, kind: Kind::Who, topic: "räume".into(), payload: Bytes::from_static(b"x")
            };
        let bytes = envelope.encode();
        assert_eq!(Envelope::decode(bytes.clone()).unwrap(), envelope);
        for cut in 0..13 + "räume".len() {
            assert_eq!(Envelope::decode(bytes.slice(..cut)), None, "cut at {cut}");
        }
        assert_eq!(Envelope::decode(Bytes::from_static(b"\0\0\0\0\0\0\0\x07\x09\0\0\0\0")), None);
    }
}

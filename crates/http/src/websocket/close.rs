//! Why a conversation ends (RFC 6455 §7.4).

use bytes::Bytes;

/// A status code of a close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u16);

impl Code {
    /// The purpose was fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The peer broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// The peer's close frame gave no code. Never sent.
    pub const NONE: Self = Self(1005);
    /// The connection broke without a close frame. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// Text that is not UTF-8.
    pub const NOT_UTF8: Self = Self(1007);
    /// What the peer did is not allowed here.
    pub const POLICY: Self = Self(1008);
    /// A message past the limit.
    pub const TOO_BIG: Self = Self(1009);
    /// The application failed.
    pub const INTERNAL: Self = Self(1011);
    /// The server restarts; come back.
    pub const RESTART: Self = Self(1012);

    /// Whether a close frame may carry it: registered with IANA, or in the ranges for libraries and applications.
    #[must_use]
    pub fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// A close frame's content, or what stands in for one that never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Why.
    pub code: Code,
    /// For people; at most 123 bytes of UTF-8.
    pub reason: Box<str>,
}

impl Close {
    /// A close with a reason, which is cut to what fits into a frame.
    #[must_use]
    pub fn new(code: Code, reason: &str) -> Self {
        let mut end = reason.len().min(LONGEST_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Self { code, reason: reason.get(..end).unwrap_or_default().into() }
    }

    /// Reads the payload of a close frame.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Close> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            if payload.is_empty() {
                return Ok(Self::new(Code::NONE, ""));
            }
            return Err(Self::new(Code::PROTOCOL, "a close frame of one byte"));
        };
        let code = Code(u16::from_be_bytes(*code));
        if !code.is_sendable() {
            return Err(Self::new(Code::PROTOCOL, "a close code that must not be sent"));
        }
        match std::str::from_utf8(reason) {
            Ok(reason) => Ok(Self::new(code, reason)),
            Err(_) => Err(Self::new(Code::NOT_UTF8, "the reason of a close frame is not UTF-8")),
        }
    }

    /// The payload of the frame that says this; empty for a code that is never sent.
    pub(super) fn payload(&self) -> Bytes {
        if !self.code.is_sendable() {
            return Bytes::new();
        }
        [&self.code.0.to_be_bytes()[..], self.reason.as_bytes()].concat().into()
    }
}

/// Control frames carry at most 125 bytes, two of which are the code.
const LONGEST_REASON: usize = 123;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_may_be_on_the_wire() {
        let good =
            [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
        let bad = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];
        assert!(good.iter().all(|code| Code(*code).is_sendable()));
        assert!(!bad.iter().any(|code| Code(*code).is_sendable()));
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let close = Close::new(Code::NORMAL, &"é".repeat(100));
        assert_eq!((close.reason.len(), close.payload().len()), (122, 124));
    }
}

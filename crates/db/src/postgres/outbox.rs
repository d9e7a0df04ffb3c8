//! Bytes on their way to the server.

use bytes::BytesMut;
use postgres_protocol::message::frontend;

use crate::error::Error;

/// Given back once it is empty, if it has grown larger than this.
const LARGE: usize = 256 * 1024;

const SYNC: &[u8] = b"S\0\0\0\x04";

/// Requests are encoded into it; the driver writes it out.
#[derive(Default)]
pub(super) struct Outbox {
    bytes: BytesMut,
    /// Position in the connection's whole output of the first byte of `bytes`.
    written: u64,
}

impl Outbox {
    /// Position in the connection's whole output of the next byte.
    fn end(&self) -> u64 {
        self.written + self.bytes.len() as u64
    }

    /// Appends all that `write` writes, or nothing; returns its position in the connection's whole output. What
    /// `joins` the message before it takes its place before that message's Sync, which must not be sent yet.
    pub(super) fn append(
        &mut self,
        joins: bool,
        write: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        if joins {
            self.bytes.truncate(self.bytes.len() - SYNC.len());
        }
        let (start, length) = (self.end(), self.bytes.len());
        match write(&mut self.bytes) {
            Ok(()) => Ok(start),
            Err(error) => {
                self.bytes.truncate(length);
                if joins {
                    self.bytes.extend_from_slice(SYNC);
                }
                Err(error)
            }
        }
    }

    /// Whether the server may have seen what begins at this position.
    pub(super) fn has_left(&self, position: u64) -> bool {
        position < self.written
    }

    /// Whether everything is on the wire.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The session ends.
    pub(super) fn say_goodbye(&mut self) {
        frontend::terminate(&mut self.bytes);
    }

    /// Lets `write` put bytes on the wire; it returns how many. Says whether it is worth trying again.
    pub(super) fn drain<E>(&mut self, write: impl FnOnce(&[u8]) -> Result<usize, E>) -> Result<bool, E> {
        if self.bytes.is_empty() {
            return Ok(false);
        }
        let count = write(&self.bytes)?;
        self.took(count);
        Ok(count > 0)
    }

    fn took(&mut self, count: usize) {
        self.written += count as u64;
        if count < self.bytes.len() {
            let _ = self.bytes.split_to(count);
        } else if self.bytes.capacity() > LARGE {
            self.bytes = BytesMut::new();
        } else {
            self.bytes.clear();
        }
    }
}

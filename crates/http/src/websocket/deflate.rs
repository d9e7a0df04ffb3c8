//! permessage-deflate (RFC 7692 §7.2): one message in, one message out.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use flate2::{Compress, Compression as Level, Decompress, FlushCompress, FlushDecompress, Status};

use super::close::{Close, Code};
use super::frame::protocol;

/// What every compressed message would end with; it is left out.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Output grows by this much.
const STEP: usize = 4 * 1024;

/// The negotiated extension of one connection.
#[derive(Debug, Clone)]
pub(super) struct Deflate {
    compressor: Rc<RefCell<Compressor>>,
    decompressor: Rc<RefCell<Decompressor>>,
    /// Set where each message stands for itself, so that equal connections can send equal bytes.
    alike: Option<u8>,
}

#[derive(Debug)]
struct Compressor {
    stream: Compress,
    takeover: bool,
}

#[derive(Debug)]
struct Decompressor {
    stream: Decompress,
    takeover: bool,
}

thread_local! {
    /// Compressors that keep nothing between messages, by window bits (9 to 15), and the decompressor for all of them.
    static SHARED: [OnceCell<Rc<RefCell<Compressor>>>; 7] = const { [const { OnceCell::new() }; 7] };
    static INFLATE: OnceCell<Rc<RefCell<Decompressor>>> = const { OnceCell::new() };
}

impl Deflate {
    /// Codecs shared by all connections of the thread: every message is compressed by itself.
    pub(super) fn shared(bits: u8) -> Self {
        let new = || Rc::new(RefCell::new(Compressor::new(bits, false)));
        let compressor = SHARED.with(|all| match all.get(usize::from(bits.saturating_sub(9))) {
            Some(cell) => Rc::clone(cell.get_or_init(new)),
            None => new(),
        });
        let new = || Rc::new(RefCell::new(Decompressor::new(false)));
        let decompressor = INFLATE.with(|cell| Rc::clone(cell.get_or_init(new)));
        Self { compressor, decompressor, alike: Some(bits) }
    }

    /// Codecs of a connection's own; `server` and `client` say whose messages may refer to earlier ones.
    pub(super) fn dedicated(bits: u8, server: bool, client: bool) -> Self {
        Self {
            compressor: Rc::new(RefCell::new(Compressor::new(bits, server))),
            decompressor: Rc::new(RefCell::new(Decompressor::new(client))),
            alike: (!server).then_some(bits),
        }
    }

    /// The same for connections whose compressed messages are interchangeable.
    pub(super) fn alike(&self) -> Option<u8> {
        self.alike
    }

    /// `None` where the codec refuses, and the message has to go as it is.
    pub(super) fn compress(&self, payload: &[u8]) -> Option<Vec<u8>> {
        self.compressor.borrow_mut().run(payload)
    }

    /// Decompresses a message to at most `limit` bytes.
    pub(super) fn decompress(&self, payload: &[u8], limit: usize) -> Result<Vec<u8>, Close> {
        self.decompressor.borrow_mut().run(payload, limit)
    }
}

impl Compressor {
    fn new(bits: u8, takeover: bool) -> Self {
        Self { stream: Compress::new_with_window_bits(Level::fast(), false, bits), takeover }
    }

    fn run(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(payload.len() / 2 + 64);
        let start = self.stream.total_in();
        loop {
            let done = usize::try_from(self.stream.total_in() - start).ok()?;
            self.stream.compress_vec(payload.get(done..)?, &mut out, FlushCompress::Sync).ok()?;
            let done = usize::try_from(self.stream.total_in() - start).ok()?;
            // Room left means that the flush is complete.
            if done == payload.len() && out.len() < out.capacity() {
                break;
            }
            out.reserve(STEP);
        }
        if !self.takeover {
            self.stream.reset();
        }
        out.ends_with(&TAIL).then(|| {
            out.truncate(out.len() - TAIL.len());
            out
        })
    }
}

impl Decompressor {
    fn new(takeover: bool) -> Self {
        Self { stream: Decompress::new_with_window_bits(false, 15), takeover }
    }

    fn run(&mut self, payload: &[u8], limit: usize) -> Result<Vec<u8>, Close> {
        let mut out = Vec::with_capacity((payload.len() * 3).clamp(64, limit.clamp(64, 64 * 1024)));
        let inflated = self.feed(payload, &mut out, limit).and_then(|()| self.feed(&TAIL, &mut out, limit));
        if !self.takeover || inflated.is_err() {
            self.stream.reset(false);
        }
        inflated.map(|()| out)
    }

    fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Close> {
        loop {
            let (before, had) = (self.stream.total_in(), out.len());
            let status = self.stream.decompress_vec(input, out, FlushDecompress::Sync);
            let status = status.map_err(|_| protocol("a compressed message that cannot be decompressed"))?;
            let used = usize::try_from(self.stream.total_in() - before).unwrap_or(usize::MAX);
            input = input.get(used..).unwrap_or_default();
            if out.len() > limit {
                return Err(Close::new(Code::TOO_BIG, "a message past the limit"));
            }
            if status == Status::StreamEnd {
                // A last block (§7.2.3.5); what follows it begins anew.
                self.stream.reset(false);
            } else if out.len() < out.capacity() && (input.is_empty() || used == 0 && out.len() == had) {
                return Ok(());
            }
            if input.is_empty() && status == Status::StreamEnd {
                return Ok(());
            }
            if out.len() == out.capacity() {
                out.reserve(STEP.max(out.len()).min(limit.saturating_add(1)));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_the_rfc() {
        // §7.2.3: "Hello" compressed, without compression, with a last block, and as two blocks.
        let hello: [&[u8]; 4] = [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ];
        for compressed in hello {
            assert_eq!(Deflate::shared(15).decompress(compressed, 5).unwrap(), b"Hello", "{compressed:x?}");
        }
    }

    #[test]
    fn context_is_taken_over_where_agreed() {
        let deflate = Deflate::dedicated(15, true, true);
        let text = b"the same words again, the same words again".repeat(4);
        let (first, second) = (deflate.compress(&text).unwrap(), deflate.compress(&text).unwrap());
        assert!(second.len() < first.len());
        for compressed in [first, second] {
            assert_eq!(deflate.decompress(&compressed, 1000).unwrap(), text);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let deflate = Deflate::shared(15);
        let bomb = deflate.compress(&vec![0; 10_000_000]).unwrap();
        assert_eq!(deflate.decompress(&bomb, 100_000).unwrap_err().code, Code::TOO_BIG);
        assert_eq!(deflate.decompress(&bomb, 10_000_000).unwrap().len(), 10_000_000);
    }

    proptest! {
        #[test]
        fn there_and_back(payload: Vec<u8>, repeat in 1usize..50, bits in 9u8..=15) {
            let payload = payload.repeat(repeat);
            let deflate = Deflate::shared(bits);
            if !payload.is_empty() {
                let compressed = deflate.compress(&payload).unwrap();
                prop_assert_eq!(deflate.decompress(&compressed, payload.len()).unwrap(), payload);
            }
        }

        #[test]
        fn garbage_is_refused_or_read(payload: Vec<u8>) {
            let _ = Deflate::shared(15).decompress(&payload, 10_000);
        }
    }
}

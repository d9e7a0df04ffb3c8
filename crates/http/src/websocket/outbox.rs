//! Frames on their way to the peer.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};

use crate::server::stream::Stream;

/// Frames written at once.
const GATHER: usize = 32;

/// What waits for the system to take it.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) frames: VecDeque<Bytes>,
    pub(super) bytes: usize,
}

impl Outbox {
    /// One write of as many frames as go together.
    pub(super) fn poll_write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = match self.frames.make_contiguous() {
            [only] => ready!(stream.poll_write(cx, only))?,
            frames => ready!(gathered(frames, |slices| stream.poll_write_vectored(cx, slices)))?,
        };
        Poll::Ready(self.written(written))
    }

    /// Writes as much as the system takes at once.
    pub(super) fn write_now(&mut self, stream: &Stream) -> io::Result<()> {
        while !self.frames.is_empty() {
            let written = match self.frames.make_contiguous() {
                [only] => stream.write_now(&[IoSlice::new(only)])?,
                frames => gathered(frames, |slices| stream.write_now(slices))?,
            };
            self.written(written)?;
        }
        Ok(())
    }

    fn written(&mut self, written: usize) -> io::Result<()> {
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes = self.bytes.saturating_sub(written);
        let mut left = written;
        while left > 0 {
            let Some(front) = self.frames.front_mut() else { break };
            let used = left.min(front.len());
            front.advance(used);
            left -= used;
            if front.is_empty() {
                self.frames.pop_front();
            }
        }
        Ok(())
    }
}

fn gathered<T>(frames: &[Bytes], write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
    let mut slices = [IoSlice::new(&[]); GATHER];
    slices.iter_mut().zip(frames).for_each(|(slice, frame)| *slice = IoSlice::new(frame));
    write(slices.get(..frames.len().min(GATHER)).unwrap_or_default())
}

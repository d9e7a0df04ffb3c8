//! Response buffers, kept for the next response: fresh memory of half a megabyte costs more than filling it.

use std::cell::RefCell;

use bytes::Bytes;

/// Buffers kept per thread.
const KEPT: usize = 32;
/// Bytes kept per thread: a burst of large answers must not be held for ever.
const MOST: usize = 32 << 20;
/// Larger buffers are given back to the system.
const LARGEST: usize = 4 << 20;
/// Smaller ones are not worth a place.
const SMALLEST: usize = 256;

struct Free {
    buffers: Vec<Vec<u8>>,
    /// What they take together.
    bytes: usize,
}

thread_local! {
    static FREE: RefCell<Free> = const { RefCell::new(Free { buffers: Vec::new(), bytes: 0 }) };
}

/// An empty buffer, with whatever capacity an earlier response left.
#[must_use]
pub fn take() -> Vec<u8> {
    FREE.with_borrow_mut(|free| {
        let buffer = free.buffers.pop().unwrap_or_default();
        free.bytes -= buffer.capacity();
        buffer
    })
}

/// Keeps a buffer for later.
pub fn give(mut buffer: Vec<u8>) {
    if !(SMALLEST..=LARGEST).contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    // A thread that is ending has no list any more.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.buffers.len() < KEPT && free.bytes + buffer.capacity() <= MOST {
            free.bytes += buffer.capacity();
            free.buffers.push(buffer);
        }
    });
}

/// A finished body. Its memory comes back to the dropping thread's buffers with the last reference.
#[must_use]
pub fn freeze(buffer: Vec<u8>) -> Bytes {
    Bytes::from_owner(Pooled(buffer))
}

struct Pooled(Vec<u8>);

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_with_the_last_reference() {
        let mut buffer = take();
        buffer.reserve(10_000);
        buffer.extend_from_slice(b"body");
        let address = buffer.as_ptr();
        let body = freeze(buffer);
        let part = body.slice(1..3);
        drop(body);
        assert_eq!(&part[..], b"od");
        drop(part);
        let again = take();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        assert!(again.capacity() >= 10_000);
    }

    #[test]
    fn huge_buffers_are_not_kept() {
        give(Vec::with_capacity(LARGEST + 1));
        assert!(take().capacity() <= LARGEST);
    }

    #[test]
    fn no_more_than_so_many_bytes_are_kept() {
        let kept = || FREE.with_borrow(|free| (free.buffers.iter().map(Vec::capacity).sum(), free.bytes));
        for _ in 0..KEPT {
            give(Vec::with_capacity(LARGEST));
        }
        assert_eq!(kept(), (MOST, MOST));
        while take().capacity() > 0 {}
        assert_eq!(kept(), (0, 0));
    }
}

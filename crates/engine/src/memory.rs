//! Memory that the workers of a host share: words that are only ever reached through atomics.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// A mapping of so many words; zeros where nobody has written.
pub(crate) struct Words {
    first: NonNull<AtomicU64>,
    len: usize,
}

// SAFETY: the words are reached through atomics only, and the mapping is never moved.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// Of this process alone.
    pub(crate) fn private(len: usize) -> io::Result<Self> {
        Self::map(len.max(1), -1, libc::MAP_SHARED | libc::MAP_ANONYMOUS)
    }

    /// Of a file that others map too.
    pub(crate) fn shared(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or_default() / size_of::<u64>();
        if len == 0 {
            return Err(io::Error::other("the shared memory is empty"));
        }
        // The mapping outlives the descriptor.
        Self::map(len, file.as_raw_fd(), libc::MAP_SHARED)
    }

    fn map(len: usize, descriptor: RawFd, flags: libc::c_int) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let bytes = len * size_of::<u64>();
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, flags, descriptor, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let first = NonNull::new(address.cast::<AtomicU64>()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { first, len })
    }

    /// How many there are; at least one.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Number `index`; the last one where there are fewer.
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        debug_assert!(index < self.len);
        // SAFETY: the index is within the mapping of `len` words, which lives as long as `self`, is aligned to pages and is
        // only ever reached through atomics, here and in other processes.
        unsafe { self.first.add(index.min(self.len - 1)).as_ref() }
    }

    /// Where it is: another place for each mapping.
    pub(crate) fn address(&self) -> u64 {
        self.first.as_ptr() as u64
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this length, and nothing borrows from a value that is being dropped.
        unsafe { libc::munmap(self.first.as_ptr().cast(), self.len * size_of::<u64>()) };
    }
}

//! An uploaded file: in memory up to a limit, in a file without a name past it.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::HeaderMap;

use super::Limits;

/// Bytes that go to disk at once: a hop to another thread costs as much as writing some 50 KB.
const BATCH: usize = 512 * 1024;
/// The most that goes to disk at once, however much may be kept in memory.
const MOST: usize = 2 * 1024 * 1024;

/// One uploaded file.
#[derive(Debug)]
pub struct Upload {
    /// What the client calls it, without any path; `"upload"` where it has no name.
    pub filename: String,
    /// The header lines of its part.
    pub headers: HeaderMap,
    /// Its length in bytes.
    pub size: u64,
    /// Its bytes.
    pub content: Content,
}

/// Where an upload's bytes are.
#[derive(Debug)]
pub enum Content {
    /// Here, in pieces.
    Memory(Vec<Bytes>),
    /// In a file that has no name any more: the kernel frees it with the last descriptor, whatever happens to us.
    Disk(File),
}

/// A file being received.
#[derive(Debug)]
pub(super) struct Spool {
    filename: String,
    headers: HeaderMap,
    size: u64,
    /// Received and not on disk.
    pieces: Vec<Bytes>,
    waiting: usize,
    file: Option<File>,
}

impl Spool {
    pub(super) fn new(filename: String, headers: HeaderMap) -> Self {
        Self { filename, headers, size: 0, pieces: Vec::new(), waiting: 0, file: None }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn is_named(&self) -> bool {
        !self.filename.is_empty()
    }

    pub(super) async fn write(&mut self, bytes: Bytes, limits: &Limits) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.waiting += bytes.len();
        self.pieces.push(bytes);
        if self.file.is_none() && self.waiting > limits.memory {
            let directory = limits.directory.clone();
            self.file = Some(off_thread(move || nameless(&directory)).await?);
            return self.store().await;
        }
        // What was held before there was a file may be held again.
        let enough = limits.memory.clamp(BATCH, MOST);
        if self.file.is_some() && self.waiting >= enough { self.store().await } else { Ok(()) }
    }

    pub(super) async fn finish(mut self) -> io::Result<Upload> {
        if self.file.is_some() {
            self.store().await?;
        }
        let content = match self.file {
            Some(file) => Content::Disk(file),
            None => Content::Memory(self.pieces),
        };
        let filename = if self.filename.is_empty() { "upload".to_owned() } else { self.filename };
        Ok(Upload { filename, headers: self.headers, size: self.size, content })
    }

    /// Writes what is waiting. The disk may be slow: not on the runtime's thread.
    async fn store(&mut self) -> io::Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let pieces = std::mem::take(&mut self.pieces);
        self.waiting = 0;
        let file = off_thread(move || {
            write_all(&mut file, &pieces)?;
            Ok(file)
        });
        self.file = Some(file.await?);
        Ok(())
    }
}

/// Writes all pieces, with as few system calls as that takes.
fn write_all(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = slices.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0); // leaves out empty ones
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A new file that is gone from its directory already, readable by nobody else.
fn nameless(directory: &Path) -> io::Result<File> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".plectrum-upload-{}-{number}", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return std::fs::remove_file(&path).map(|()| file),
            // Left by a process that was killed in between.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

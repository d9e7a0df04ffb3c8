//! An uploaded file: in memory up to a limit, in a file without a name past it.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd as _;
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
/// For how many announced bytes room is made on the disk before they come. Finding it for many at once costs a third less
/// than page by page; a peer that announces much and sends little takes no more than this.
const AHEAD: u64 = 16 * 1024 * 1024;

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
    file: Option<OnDisk>,
}

/// The part of an upload that is on disk.
#[derive(Debug)]
struct OnDisk {
    file: File,
    written: u64,
    /// Up to where room is made.
    reserved: u64,
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

    /// Takes some bytes, behind which the peer announces up to `ahead` more.
    pub(super) async fn write(&mut self, bytes: Bytes, ahead: u64, limits: &Limits) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.waiting += bytes.len();
        self.pieces.push(bytes);
        // What was held before there was a file may be held again.
        let enough = match self.file {
            None => limits.memory.saturating_add(1),
            Some(_) => limits.memory.clamp(BATCH, MOST),
        };
        if self.waiting >= enough { self.store(ahead, &limits.directory).await } else { Ok(()) }
    }

    pub(super) async fn finish(mut self, limits: &Limits) -> io::Result<Upload> {
        if self.file.is_some() {
            self.store(0, &limits.directory).await?;
        }
        let content = match self.file {
            Some(OnDisk { file, .. }) => Content::Disk(file),
            None => Content::Memory(self.pieces),
        };
        let filename = if self.filename.is_empty() { "upload".to_owned() } else { self.filename };
        Ok(Upload { filename, headers: self.headers, size: self.size, content })
    }

    /// Writes what is waiting. The disk may be slow: not on the runtime's thread.
    async fn store(&mut self, ahead: u64, directory: &Path) -> io::Result<()> {
        let (known, directory) = (self.file.take(), directory.to_owned());
        let pieces = std::mem::take(&mut self.pieces);
        self.waiting = 0;
        let stored = tokio::task::spawn_blocking(move || {
            let mut file = known.map_or_else(|| OnDisk::new(&directory), Ok)?;
            file.append(&pieces, ahead)?;
            Ok::<_, io::Error>(file)
        });
        self.file = Some(stored.await.map_err(io::Error::other)??);
        Ok(())
    }
}

impl OnDisk {
    fn new(directory: &Path) -> io::Result<Self> {
        nameless(directory).map(|file| Self { file, written: 0, reserved: 0 })
    }

    fn append(&mut self, pieces: &[Bytes], ahead: u64) -> io::Result<()> {
        let end = self.written + pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        if end > self.reserved {
            let wanted = end + ahead.min(AHEAD);
            // Where there is no room, or no way to ask for it, writing tells; it is not asked for again.
            let made = reserve(&self.file, self.written, wanted - self.written).is_ok();
            self.reserved = if made { wanted } else { u64::MAX };
        }
        self.written = end;
        write_all(&mut self.file, pieces)
    }
}

/// Makes room on the disk behind the end of a file, whose length stays what it is.
#[cfg(target_os = "linux")]
fn reserve(file: &File, from: u64, length: u64) -> io::Result<()> {
    let offset = |number: u64| libc::off_t::try_from(number).map_err(io::Error::other);
    let (from, length) = (offset(from)?, offset(length)?);
    // SAFETY: the descriptor is open as long as `file` is; nothing else is handed over.
    let failed = unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, from, length) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File, _from: u64, _length: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
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

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read as _, Seek as _};
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn on_disk(file: &File) -> u64 {
        file.metadata().unwrap().blocks() * 512
    }

    #[test]
    fn room_is_made_for_what_is_announced() {
        let mut disk = OnDisk::new(&std::env::temp_dir()).unwrap();
        disk.append(&[Bytes::from(vec![1; 5000]), Bytes::new(), Bytes::from(vec![2; 3000])], 1 << 20)
            .unwrap();
        assert!(disk.reserved == u64::MAX || on_disk(&disk.file) >= 1 << 20, "{disk:?}");
        assert_eq!(disk.file.metadata().unwrap().len(), 8000);
        disk.append(&[Bytes::from(vec![3; 2 << 20])], 0).unwrap();
        let mut found = Vec::new();
        disk.file.rewind().unwrap();
        disk.file.read_to_end(&mut found).unwrap();
        assert_eq!(found, [vec![1; 5000], vec![2; 3000], vec![3; 2 << 20]].concat());
    }

    #[test]
    fn a_peer_that_announces_much_takes_little() {
        let mut disk = OnDisk::new(&std::env::temp_dir()).unwrap();
        disk.append(&[Bytes::from_static(b"x")], 1 << 40).unwrap();
        assert!(on_disk(&disk.file) <= AHEAD + (1 << 20), "{disk:?}");
        assert_eq!(disk.written, 1);
    }
}

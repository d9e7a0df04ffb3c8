//! Lines of a log, written by a thread of their own: a slow disk or a full pipe never holds up a request. What the thread
//! cannot keep up with is left out and counted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Bytes that are collected before they are handed over without waiting for the next flush.
const BATCH: usize = 32 * 1024;
/// Batches that may wait for the thread.
const WAITING: usize = 32;
/// What is written to a pipe at once, in whole lines: what it takes as one (`PIPE_BUF`), so that workers' lines never mix.
/// A file that is appended to takes whole batches as one.
const ATOMIC: usize = 4096;
/// Room for the line that fills a batch.
const ROOM: usize = BATCH + 2048;

/// A log. Dropping it writes what is left.
pub struct Lines {
    sender: Option<SyncSender<Vec<u8>>>,
    waiting: Mutex<Vec<u8>>,
    dropped: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    /// Opens `stdout`, `stderr` or a file, which is appended to.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn open(target: &str) -> Result<Self, String> {
        let file = open(target).map_err(|error| format!("the log {target:?} cannot be written: {error}"))?;
        let (sender, receiver) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        let thread = std::thread::Builder::new().name("plectrum-log".to_owned());
        let thread = thread.spawn(move || write_all(file, &receiver, &lost));
        let thread = thread.map_err(|error| format!("the log's thread cannot start: {error}"))?;
        Ok(Self { sender: Some(sender), waiting: Mutex::default(), dropped, thread: Some(thread) })
    }

    /// One line; `write` appends it without its end.
    pub fn push(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut waiting);
        waiting.push(b'\n');
        if waiting.len() >= BATCH {
            self.send(&mut waiting);
        }
    }

    /// Hands over what there is.
    pub fn flush(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.is_empty() {
            self.send(&mut waiting);
        }
    }

    /// Lines that were left out.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn send(&self, waiting: &mut Vec<u8>) {
        let batch = std::mem::replace(waiting, Vec::with_capacity(ROOM));
        if let Some(sender) = &self.sender
            && let Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) = sender.try_send(batch)
        {
            self.dropped.fetch_add(lines_in(&batch), Ordering::Relaxed);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // It ends with the channel; a panic in it has nobody to tell.
            let _ = thread.join();
        }
    }
}

fn open(target: &str) -> io::Result<File> {
    match target {
        "stdout" => Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
        "stderr" => Ok(io::stderr().as_fd().try_clone_to_owned()?.into()),
        path => OpenOptions::new().create(true).append(true).open(path),
    }
}

fn write_all(mut file: File, receiver: &Receiver<Vec<u8>>, lost: &AtomicU64) {
    let is_file = file.metadata().is_ok_and(|about| about.is_file() || about.file_type().is_char_device());
    let most = if is_file { usize::MAX } else { ATOMIC };
    while let Ok(batch) = receiver.recv() {
        let mut rest = batch.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cut(rest, most));
            if file.write_all(now).is_err() {
                lost.fetch_add(lines_in(now), Ordering::Relaxed);
            }
            rest = later;
        }
    }
}

/// Where the last line ends that fits; a single line may be longer.
fn cut(batch: &[u8], most: usize) -> usize {
    let most = batch.len().min(most);
    let is_end = |byte: &u8| *byte == b'\n';
    let within = batch.iter().take(most).rposition(is_end);
    within.or_else(|| batch.iter().position(is_end)).map_or(batch.len(), |end| end + 1)
}

fn lines_in(batch: &[u8]) -> u64 {
    batch.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_cut_at_the_ends_of_lines() {
        assert_eq!(cut(b"one\ntwo\n", ATOMIC), 8);
        let long = [vec![b'x'; 5000], vec![b'\n'], b"next\n".to_vec()].concat();
        assert_eq!(cut(&long, ATOMIC), 5001);
        let many: Vec<u8> = (0..1000).flat_map(|_| *b"0123456\n").collect();
        assert_eq!((cut(&many, ATOMIC), cut(&many, usize::MAX)), (ATOMIC, many.len()));
    }

    #[test]
    fn a_full_disk_is_counted() {
        if let Ok(lines) = Lines::open("/dev/full") {
            let dropped = Arc::clone(&lines.dropped);
            lines.push(|out| out.extend_from_slice(b"lost"));
            drop(lines);
            assert_eq!(dropped.load(Ordering::Relaxed), 1);
        }
    }

    #[test]
    fn what_cannot_be_opened_is_said() {
        let error = Lines::open("/nowhere/log").err().unwrap();
        assert!(error.starts_with("the log \"/nowhere/log\" cannot be written: "), "{error}");
    }
}

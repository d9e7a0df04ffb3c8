//! Files as responses: ranges, validators, conditional requests; read off the runtime's thread, piece by piece.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::task::JoinHandle;

use crate::body::StreamError;
use crate::conditional::{Outcome, Validators, etag_of_file, http_date, not_modified};
use crate::range::{self, Ranges};
use crate::{Body, BodyStream, Response, problem};

/// Bytes read at once.
const PIECE: u64 = 256 * 1024;

/// Files up to this size are read where they are opened.
const SMALL: u64 = 64 * 1024;

/// A file to be sent.
#[derive(Debug)]
pub struct Opened {
    file: Arc<File>,
    size: u64,
    modified: SystemTime,
    /// All of it, where it is small.
    content: Option<Bytes>,
}

impl Opened {
    /// Opens `path` and reads it if it is small. Blocks.
    ///
    /// # Errors
    /// Whatever the system says; `NotFound` for anything but a regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let size = metadata.len();
        let content = (size <= SMALL).then(|| piece(&file, 0..size)).transpose()?;
        Ok(Self { modified: metadata.modified()?, file: Arc::new(file), size, content })
    }

    /// The answer to a request: all of the file, parts of it, or that the client has it.
    ///
    /// `head` are the response's own headers; an `ETag` or `Last-Modified` in it is believed.
    #[must_use]
    pub fn respond(self, method: &Method, asked: &HeaderMap, mut head: HeaderMap) -> Response {
        let variant = head.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let etag = etag_of_file(self.modified, self.size, variant);
        head.entry(ETAG).or_insert(etag);
        head.entry(LAST_MODIFIED).or_insert_with(|| http_date(self.modified));
        head.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let validators = Validators::of(&head);
        match validators.check(method, asked) {
            Outcome::Proceed => {}
            Outcome::NotModified => return not_modified(head),
            Outcome::Failed => return problem::of(StatusCode::PRECONDITION_FAILED),
        }
        let ranges = match asked.get(RANGE).and_then(|value| value.to_str().ok()) {
            Some(wanted) if *method == Method::GET && validators.allow_range(asked) => {
                range::parse(wanted, self.size)
            }
            _ => Ranges::Whole,
        };
        match ranges {
            Ranges::Whole => self.whole(head),
            Ranges::Unsatisfiable => unsatisfiable(self.size),
            Ranges::Parts(parts) => self.partial(head, &parts),
        }
    }

    fn whole(self, head: HeaderMap) -> Response {
        let body = match self.content {
            Some(content) => Body::Full(content),
            None => Body::stream(FileStream::new(self.file, [Piece::File(0..self.size)].into())),
        };
        answer(StatusCode::OK, head, body)
    }

    fn partial(self, mut head: HeaderMap, parts: &[Range<u64>]) -> Response {
        let size = self.size;
        let pieces = match parts {
            [part] => {
                head.insert(CONTENT_RANGE, content_range(part, size));
                [Piece::File(part.clone())].into()
            }
            several => {
                let kind = head.get(CONTENT_TYPE).cloned();
                head.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("multipart/byteranges; boundary=plectrum-part"),
                );
                multipart(several, size, kind.as_ref())
            }
        };
        answer(StatusCode::PARTIAL_CONTENT, head, Body::stream(FileStream::new(self.file, pieces)))
    }
}

/// Answers with the file at `path`, as [`Opened::respond`] does.
///
/// # Errors
/// As [`Opened::open`].
pub async fn respond(
    path: PathBuf,
    method: &Method,
    asked: &HeaderMap,
    head: HeaderMap,
) -> io::Result<Response> {
    let opened =
        tokio::task::spawn_blocking(move || Opened::open(&path)).await.map_err(io::Error::other)??;
    Ok(opened.respond(method, asked, head))
}

fn unsatisfiable(size: u64) -> Response {
    let mut response = problem::of(StatusCode::RANGE_NOT_SATISFIABLE);
    response.headers_mut().insert(CONTENT_RANGE, header(format!("bytes */{size}")));
    response
}

fn answer(status: StatusCode, head: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = head;
    response
}

fn content_range(part: &Range<u64>, size: u64) -> HeaderValue {
    header(format!("bytes {}-{}/{size}", part.start, part.end - 1))
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// `multipart/byteranges` (RFC 9110 §14.6).
fn multipart(parts: &[Range<u64>], size: u64, kind: Option<&HeaderValue>) -> VecDeque<Piece> {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("application/octet-stream");
    let mut pieces = VecDeque::with_capacity(parts.len() * 2 + 1);
    for part in parts {
        let (from, to) = (part.start, part.end - 1);
        let head = format!(
            "\r\n--plectrum-part\r\ncontent-type: {kind}\r\ncontent-range: bytes {from}-{to}/{size}\r\n\r\n"
        );
        pieces.push_back(Piece::Text(head.into()));
        pieces.push_back(Piece::File(part.clone()));
    }
    pieces.push_back(Piece::Text(Bytes::from_static(b"\r\n--plectrum-part--\r\n")));
    pieces
}

enum Piece {
    Text(Bytes),
    File(Range<u64>),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(range) => range.end - range.start,
        }
    }
}

/// Parts of a file, read while they are sent.
struct FileStream {
    file: Arc<File>,
    pieces: VecDeque<Piece>,
    remaining: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FileStream {
    fn new(file: Arc<File>, pieces: VecDeque<Piece>) -> Self {
        Self { file, remaining: pieces.iter().map(Piece::len).sum(), pieces, reading: None }
    }

    /// The next piece at hand, or one that is being read from now on.
    fn begin(&mut self) -> Option<Bytes> {
        match self.pieces.pop_front()? {
            Piece::Text(text) => Some(text),
            Piece::File(range) => {
                let end = range.end.min(range.start + PIECE);
                if end < range.end {
                    self.pieces.push_front(Piece::File(end..range.end));
                }
                let file = Arc::clone(&self.file);
                self.reading = Some(tokio::task::spawn_blocking(move || piece(&file, range.start..end)));
                None
            }
        }
    }
}

impl BodyStream for FileStream {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        if self.reading.is_none() {
            match self.begin() {
                Some(text) => {
                    self.remaining -= text.len() as u64;
                    return Poll::Ready(Some(Ok(text)));
                }
                None if self.reading.is_none() => return Poll::Ready(None),
                None => {}
            }
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(Some(match read {
            Ok(Ok(bytes)) => {
                self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
                Ok(bytes)
            }
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        }))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.remaining)
    }
}

/// Reads that part of a file; an error where it has become shorter.
fn piece(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

//! `multipart/form-data`, bytes in, events out, without I/O (RFC 2046 §5.1, RFC 7578).

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem::Finder;

/// Header lines of one part.
const MAX_HEADERS: usize = 16;

/// Pieces below this many bytes are gathered: each look at a head begins at its beginning.
const SMALL: usize = 4096;

/// Characters of a boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

/// Why bytes are no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// `Content-Type` names no boundary of 1 to 70 characters.
    Boundary,
    /// A part's header lines are none, too many, or too long.
    Head,
    /// A part has no `Content-Disposition: form-data` with a name.
    Disposition,
    /// Something else follows a boundary than a line break or its end.
    Delimiter,
    /// The last boundary is missing.
    Unfinished,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boundary => "the content type names no boundary of 1 to 70 characters",
            Self::Head => "the header lines of a part are malformed, too many or too long",
            Self::Disposition => "a part has no Content-Disposition: form-data with a name",
            Self::Delimiter => "a boundary is followed by something else than a line break",
            Self::Unfinished => "the form ends before its last boundary",
        })
    }
}

impl std::error::Error for Malformed {}

/// What a part says of itself.
#[derive(Debug)]
pub struct Part {
    /// Its header lines.
    pub headers: HeaderMap,
}

impl Part {
    pub(super) fn disposition(&self) -> &[u8] {
        self.headers.get(CONTENT_DISPOSITION).map_or(b"", HeaderValue::as_bytes)
    }
}

/// What was found.
#[derive(Debug)]
pub enum Event {
    /// A part begins.
    Part(Part),
    /// Some of its content, shared with what was fed.
    Data(Bytes),
    /// It ends.
    End,
}

/// Takes a form apart as its bytes arrive.
#[derive(Debug)]
pub struct Parser {
    /// `\r\n--boundary`
    delimiter: Finder<'static>,
    /// Fed, and not understood yet.
    rest: Bytes,
    /// Fed in pieces too small to look at each: a peer may send byte by byte.
    small: BytesMut,
    state: State,
    max_head: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing seen: the first boundary has no line break before it.
    Start,
    /// Text before the first boundary, to be ignored.
    Preamble,
    /// Right behind a boundary.
    Delimited,
    Head,
    Content,
    /// Text after the last boundary, to be ignored.
    Epilogue,
}

type Next = Result<Option<Event>, Malformed>;

impl Parser {
    /// A parser of parts between `boundary`, whose header lines may have `max_head` bytes.
    ///
    /// # Errors
    /// [`Malformed::Boundary`].
    pub fn new(boundary: &str, max_head: usize) -> Result<Self, Malformed> {
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY || boundary.bytes().any(|byte| byte < b' ') {
            return Err(Malformed::Boundary);
        }
        let delimiter = Finder::new(&[b"\r\n--", boundary.as_bytes()].concat()).into_owned();
        Ok(Self { delimiter, rest: Bytes::new(), small: BytesMut::new(), state: State::Start, max_head })
    }

    /// Adds bytes; events of small pieces come when there are more, or with [`Parser::flush`]. What was fed before should
    /// have been asked for first: what is left of it is copied.
    pub fn feed(&mut self, bytes: Bytes) {
        if self.small.is_empty() && bytes.len() >= SMALL {
            return self.join(bytes);
        }
        self.small.extend_from_slice(&bytes);
        if self.small.len() >= SMALL {
            self.flush();
        }
    }

    /// Says that no more bytes will be fed.
    pub fn flush(&mut self) {
        let small = self.small.split().freeze();
        self.join(small);
    }

    fn join(&mut self, bytes: Bytes) {
        self.rest = if self.rest.is_empty() {
            bytes
        } else {
            let mut joined = BytesMut::with_capacity(self.rest.len() + bytes.len());
            joined.extend_from_slice(&self.rest);
            joined.extend_from_slice(&bytes);
            joined.freeze()
        };
    }

    /// What comes next; `None` where more bytes are needed to tell.
    ///
    /// # Errors
    /// [`Malformed`], after which nothing more is to be asked.
    pub fn next_event(&mut self) -> Next {
        loop {
            let before = (self.state, self.rest.len());
            let event = match self.state {
                State::Start => self.start(),
                State::Preamble => self.preamble(),
                State::Delimited => self.delimited()?,
                State::Head => self.head()?,
                State::Content => self.content(),
                State::Epilogue => {
                    self.rest.clear();
                    None
                }
            };
            if event.is_some() {
                return Ok(event);
            }
            if (self.state, self.rest.len()) == before || self.rest.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Whether all is well, once there are no more events.
    ///
    /// # Errors
    /// [`Malformed::Unfinished`].
    pub fn finish(self) -> Result<(), Malformed> {
        if self.state == State::Epilogue { Ok(()) } else { Err(Malformed::Unfinished) }
    }

    fn start(&mut self) -> Option<Event> {
        let boundary = self.delimiter.needle().get(2..).unwrap_or_default();
        if self.rest.starts_with(boundary) {
            let length = boundary.len();
            self.advance(length, State::Delimited);
        } else if !boundary.starts_with(&self.rest) {
            self.state = State::Preamble;
        }
        None
    }

    fn preamble(&mut self) -> Option<Event> {
        match self.delimiter.find(&self.rest) {
            Some(at) => self.advance(at + self.delimiter.needle().len(), State::Delimited),
            None => {
                let kept = self.undecided();
                self.advance(self.rest.len() - kept, State::Preamble);
            }
        }
        None
    }

    fn delimited(&mut self) -> Next {
        // Transport padding may stand before the line break.
        let padding = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match self.rest.get(padding..padding + 2) {
            Some(b"\r\n") => self.advance(padding + 2, State::Head),
            Some(b"--") if padding == 0 => self.advance(2, State::Epilogue),
            Some(_) => return Err(Malformed::Delimiter),
            None if padding > self.max_head => return Err(Malformed::Delimiter),
            None => {}
        }
        Ok(None)
    }

    fn head(&mut self) -> Next {
        let end = if self.rest.starts_with(b"\r\n") {
            Some(2)
        } else {
            memchr::memmem::find(&self.rest, b"\r\n\r\n").map(|at| at + 4)
        };
        match end {
            Some(end) if end <= self.max_head => {
                let lines = self.rest.slice(..end);
                self.advance(end, State::Content);
                headers_of(&lines).map(|headers| Some(Event::Part(Part { headers })))
            }
            None if self.rest.len() <= self.max_head => Ok(None),
            _ => Err(Malformed::Head),
        }
    }

    fn content(&mut self) -> Option<Event> {
        match self.delimiter.find(&self.rest) {
            Some(0) => {
                self.advance(self.delimiter.needle().len(), State::Delimited);
                Some(Event::End)
            }
            Some(at) => Some(Event::Data(self.rest.split_to(at))),
            None => {
                let known = self.rest.len() - self.undecided();
                (known > 0).then(|| Event::Data(self.rest.split_to(known)))
            }
        }
    }

    /// How many of the last bytes may be the beginning of a delimiter.
    fn undecided(&self) -> usize {
        let needle = self.delimiter.needle();
        let from = self.rest.len().saturating_sub(needle.len() - 1);
        let tail = self.rest.get(from..).unwrap_or_default();
        memchr::memchr_iter(b'\r', tail)
            .filter_map(|at| tail.get(at..))
            .find(|end| needle.starts_with(end))
            .map_or(0, <[u8]>::len)
    }

    fn advance(&mut self, count: usize, state: State) {
        let _ = self.rest.split_to(count.min(self.rest.len()));
        self.state = state;
    }
}

fn headers_of(lines: &[u8]) -> Result<HeaderMap, Malformed> {
    let mut parsed = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let Ok(httparse::Status::Complete((_, parsed))) = httparse::parse_headers(lines, &mut parsed) else {
        return Err(Malformed::Head);
    };
    let mut headers = HeaderMap::with_capacity(parsed.len());
    for header in parsed {
        let name = HeaderName::try_from(header.name).map_err(|_| Malformed::Head)?;
        headers.append(name, HeaderValue::from_bytes(header.value).map_err(|_| Malformed::Head)?);
    }
    Ok(headers)
}

//! Forms with files: `multipart/form-data` (RFC 7578), read as it arrives.
//!
//! [`multipart`] takes the bytes apart without I/O, `disposition` reads what a part says of itself, [`upload`] keeps a file
//! in memory up to a limit and on disk past it. [`read`] does all of it for one request, within [`Limits`].

mod disposition;
pub mod multipart;
pub mod upload;

use std::fmt;
use std::io;
use std::path::PathBuf;

use http::HeaderMap;

use crate::{BodyError, RequestBody, media};
use multipart::{Event, Malformed, Parser, Part};
use upload::Spool;
pub use upload::{Content, Upload};

/// What a form may hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Fields that are no files.
    pub fields: usize,
    /// Bytes of one such field.
    pub field_size: usize,
    /// Files.
    pub files: usize,
    /// Bytes of one file.
    pub file_size: u64,
    /// Bytes of the header lines of one part.
    pub head_size: usize,
    /// Bytes of one file that are kept in memory; more goes to disk.
    pub memory: usize,
    /// Where files on disk are; they have no name there.
    pub directory: PathBuf,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fields: 1000,
            field_size: 1024 * 1024,
            files: 100,
            file_size: u64::MAX,
            head_size: 8 * 1024,
            memory: 1024 * 1024,
            directory: std::env::temp_dir(),
        }
    }
}

/// A form, completely received.
#[derive(Debug, Default)]
pub struct Form {
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
    /// Names and files, in order. Inputs that were left empty are not here.
    pub files: Vec<(String, Upload)>,
}

/// Why a form could not be read.
#[derive(Debug)]
pub enum FormError {
    /// The body itself could not be read.
    Body(BodyError),
    /// 400: not a form as it is announced.
    Malformed(Malformed),
    /// 400: text that is not UTF-8.
    NotUtf8,
    /// 413: more than is allowed of this.
    TooMuch(&'static str, u64),
    /// 507 where the disk is full, else 500.
    Storage(io::Error),
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::Malformed(error) => error.fmt(f),
            Self::NotUtf8 => f.write_str("a name or a field of the form is not UTF-8 text"),
            Self::TooMuch(what, limit) => write!(f, "{what}: more than {limit}"),
            Self::Storage(error) => write!(f, "an uploaded file could not be stored: {error}"),
        }
    }
}

impl std::error::Error for FormError {}

impl From<Malformed> for FormError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

/// Whether the body is declared as a form with files.
#[must_use]
pub fn is_multipart(headers: &HeaderMap) -> bool {
    media::is(headers, "multipart/form-data")
}

/// Reads a form of at most `max_body` bytes. What was stored of a form that cannot be read is gone with the error.
///
/// # Errors
/// [`FormError`].
pub async fn read(
    headers: &HeaderMap,
    mut body: RequestBody,
    max_body: u64,
    limits: &Limits,
) -> Result<Form, FormError> {
    let too_large = FormError::Body(BodyError::TooLarge { limit: max_body });
    if body.remaining().is_some_and(|length| length > max_body) {
        return Err(too_large);
    }
    let boundary = media::parameter(headers, "boundary").unwrap_or_default();
    let mut reader = Reader { form: Form::default(), current: None, ahead: 0, limits };
    let mut parser = Parser::new(boundary, limits.head_size)?;
    let mut received = 0;
    while let Some(bytes) = body.next().await.transpose().map_err(FormError::Body)? {
        received += bytes.len() as u64;
        if received > max_body {
            return Err(too_large);
        }
        parser.feed(bytes);
        reader.ahead = body.remaining().unwrap_or(0);
        while let Some(event) = parser.next_event()? {
            reader.take(event).await?;
        }
    }
    parser.flush();
    while let Some(event) = parser.next_event()? {
        reader.take(event).await?;
    }
    parser.finish()?;
    Ok(reader.form)
}

/// Builds a form of a parser's events.
struct Reader<'l> {
    form: Form,
    current: Option<Current>,
    /// Bytes of the body that are announced and not here yet.
    ahead: u64,
    limits: &'l Limits,
}

/// The part that is being received.
enum Current {
    Field { name: String, value: Vec<u8> },
    File { name: String, spool: Spool },
}

impl Reader<'_> {
    async fn take(&mut self, event: Event) -> Result<(), FormError> {
        match event {
            Event::Part(part) => self.current = Some(self.begin(&part)?),
            Event::Data(bytes) => match &mut self.current {
                Some(Current::Field { value, .. }) => {
                    if value.len() + bytes.len() > self.limits.field_size {
                        return Err(FormError::TooMuch(
                            "bytes of a form field",
                            self.limits.field_size as u64,
                        ));
                    }
                    value.extend_from_slice(&bytes);
                }
                Some(Current::File { spool, .. }) => {
                    if spool.size() + bytes.len() as u64 > self.limits.file_size {
                        return Err(FormError::TooMuch("bytes of a file", self.limits.file_size));
                    }
                    spool.write(bytes, self.ahead, self.limits).await.map_err(FormError::Storage)?;
                }
                None => {}
            },
            Event::End => self.end().await?,
        }
        Ok(())
    }

    fn begin(&self, part: &Part) -> Result<Current, FormError> {
        let disposition = disposition::parse(part.disposition()).ok_or(Malformed::Disposition)?;
        let name = disposition.name.ok_or(Malformed::Disposition)?;
        let Some(filename) = disposition.filename else {
            if self.form.fields.len() >= self.limits.fields {
                return Err(FormError::TooMuch("form fields", self.limits.fields as u64));
            }
            return Ok(Current::Field { name, value: Vec::new() });
        };
        if self.form.files.len() >= self.limits.files {
            return Err(FormError::TooMuch("files", self.limits.files as u64));
        }
        let spool = Spool::new(disposition::safe_name(&filename), part.headers.clone());
        Ok(Current::File { name, spool })
    }

    async fn end(&mut self) -> Result<(), FormError> {
        match self.current.take() {
            Some(Current::Field { name, value }) => {
                let value = String::from_utf8(value).map_err(|_| FormError::NotUtf8)?;
                self.form.fields.push((name, value));
            }
            Some(Current::File { name, spool }) if spool.size() > 0 || spool.is_named() => {
                let upload = spool.finish(self.limits).await.map_err(FormError::Storage)?;
                self.form.files.push((name, upload));
            }
            // A browser's file input without a file: a part without name and content.
            Some(Current::File { .. }) | None => {}
        }
        Ok(())
    }
}

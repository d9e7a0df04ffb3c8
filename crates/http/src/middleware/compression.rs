//! Compressed answers: what the client accepts best (RFC 9110 §12.5.3), where it is worth it.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::body::StreamError;
use crate::{Body, BodyStream, Response};

/// Levels that cost little for what they give: answers are compressed anew each time.
const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;
/// log2 of brotli's window: bounds the memory of an open stream.
const BROTLI_WINDOW: u32 = 18;
const BUFFER: usize = 4096;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// As registered with IANA.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Gzip, Self::Brotli, Self::Zstd].into_iter().find(|coding| coding.name() == name)
    }
}

/// Compresses.
pub(super) struct Compression {
    /// In order of preference among what a client likes equally.
    pub(super) codings: Vec<Coding>,
    /// Bytes of a body that is worth it.
    pub(super) least: usize,
}

impl Compression {
    /// What a client accepts best, if it is one of ours.
    pub(super) fn choose(&self, headers: &HeaderMap) -> Option<Coding> {
        let accepted: Vec<(&str, u16)> = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(weighted)
            .collect();
        let weight = |name: &str| accepted.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let any = weight("*").map_or(0, |(_, weight)| *weight);
        let of = |coding: &Coding| weight(coding.name()).map_or(any, |(_, weight)| *weight);
        // `identity` is as good as anything unless it is weighed against it.
        let plain = weight("identity").map_or(1, |(_, weight)| *weight);
        // Reversed: of equals, `max_by_key` takes the last.
        let best = self.codings.iter().rev().copied().max_by_key(of)?;
        (of(&best) >= plain.max(1)).then_some(best)
    }

    /// Compresses the answer where that is worth it; says in any case what it depends on.
    pub(super) fn finish(&self, chosen: Option<Coding>, response: &mut Response) {
        if !is_compressible(response) || response.body().len().is_some_and(|len| len < self.least as u64) {
            return;
        }
        response.headers_mut().append(VARY, ACCEPT_ENCODING.into());
        let Some(coding) = chosen else { return };
        let Ok(encoder) = Encoder::new(coding) else { return };
        match std::mem::take(response.body_mut()) {
            Body::Full(bytes) => match whole(encoder, &bytes) {
                Ok(compressed) => *response.body_mut() = Body::Full(compressed),
                Err(_) => {
                    *response.body_mut() = Body::Full(bytes);
                    return;
                }
            },
            Body::Stream(inner) => {
                *response.body_mut() = Body::stream(Compressed { inner, encoder: Some(encoder) });
            }
            other => {
                *response.body_mut() = other;
                return;
            }
        }
        relabel(coding, response.headers_mut());
    }
}

/// `br;q=0.8` → `("br", 800)`; a weight that is none counts as 0 (RFC 9110 §12.4.2).
fn weighted(item: &str) -> (&str, u16) {
    let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = match parameters.trim().split_once('=') {
        Some((key, value)) if key.trim().eq_ignore_ascii_case("q") => {
            let value: f32 = value.trim().parse().unwrap_or(0.0);
            if (0.0..=1.0).contains(&value) { (value * 1000.0) as u16 } else { 0 }
        }
        _ => 1000,
    };
    (name.trim(), weight)
}

/// Not what is compressed already, is a part of something, or has nobody to be compressed for.
fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let bodiless = matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT
    ) || response.status().is_informational();
    let told = |name, word| headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(word));
    !bodiless
        && !matches!(response.body(), Body::Empty)
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && !told(CACHE_CONTROL, "no-transform")
        && headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_text)
}

fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.as_str(),
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/x-ndjson"
                | "application/jsonl"
                | "application/wasm"
                | "font/ttf"
                | "font/otf"
        )
}

fn relabel(coding: Coding, headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    // The bytes are others now, what they mean is the same (RFC 9110 §8.8.1).
    let strong = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    let weak = strong.and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
            Coding::Brotli => {
                Self::Brotli(Box::new(CompressorWriter::new(Vec::new(), BUFFER, BROTLI_LEVEL, BROTLI_WINDOW)))
            }
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Brotli(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// All that has been written, so that the peer can read it now.
    fn flush(&mut self) -> io::Result<Bytes> {
        let out = match self {
            Self::Gzip(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
            Self::Brotli(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
            Self::Zstd(encoder) => {
                encoder.flush()?;
                encoder.get_mut()
            }
        };
        Ok(std::mem::take(out).into())
    }

    fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Gzip(encoder) => encoder.finish()?.into(),
            Self::Brotli(encoder) => encoder.into_inner().into(),
            Self::Zstd(encoder) => encoder.finish()?.into(),
        })
    }
}

fn whole(mut encoder: Encoder, bytes: &[u8]) -> io::Result<Bytes> {
    encoder.write(bytes)?;
    encoder.finish()
}

/// A stream whose every piece is compressed and flushed: what the handler has sent, the peer can read.
struct Compressed {
    inner: Pin<Box<dyn BodyStream>>,
    /// None after the end.
    encoder: Option<Encoder>,
}

impl BodyStream for Compressed {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        if self.encoder.is_none() {
            return Poll::Ready(None);
        }
        let piece = match self.inner.as_mut().poll_next(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(piece) => piece,
        };
        Poll::Ready(match (piece, self.encoder.as_mut()) {
            (Some(Ok(bytes)), Some(encoder)) => {
                Some(encoder.write(&bytes).and_then(|()| encoder.flush()).map_err(Into::into))
            }
            (Some(Err(error)), _) => Some(Err(error)),
            _ => self.encoder.take().map(|encoder| encoder.finish().map_err(Into::into)),
        })
    }
}

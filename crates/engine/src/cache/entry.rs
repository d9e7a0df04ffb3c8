//! An answer as it is kept.

use plectrum_http::{Body, Bytes, HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::observe::clock;

/// Headers that belong to one exchange, not to the answer.
const OF_THE_EXCHANGE: [HeaderName; 4] =
    [header::CONNECTION, header::DATE, header::TRANSFER_ENCODING, header::SET_COOKIE];

/// An answer, complete.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When it was made, in seconds since 1970.
    pub(crate) made: u64,
}

impl Entry {
    /// Of an answer whose body is there; none of one that is still being made.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let body = match response.body() {
            Body::Empty => Bytes::new(),
            Body::Full(bytes) => bytes.clone(),
            Body::Stream(_) | Body::Events(_) | Body::Socket(_) => return None,
        };
        let mut headers = response.headers().clone();
        OF_THE_EXCHANGE.iter().for_each(|name| drop(headers.remove(name)));
        Some(Self { status: response.status(), headers, body, made: clock::seconds() })
    }

    pub(crate) fn respond(&self) -> Response {
        let body = if self.body.is_empty() { Body::Empty } else { Body::Full(self.body.clone()) };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }

    /// Bytes it takes, roughly.
    pub(crate) fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64);
        256 + self.body.len() + headers.sum::<usize>()
    }

    /// As bytes for another process: numbers in little endian, texts behind their lengths, then the body.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.made.to_le_bytes());
        out.extend_from_slice(&self.status.as_u16().to_le_bytes());
        out.extend_from_slice(&u16::try_from(self.headers.len()).unwrap_or(u16::MAX).to_le_bytes());
        for (name, value) in self.headers.iter().take(usize::from(u16::MAX)) {
            for text in [name.as_str().as_bytes(), value.as_bytes()] {
                out.extend_from_slice(&u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
                out.extend_from_slice(text);
            }
        }
        out.extend_from_slice(&self.body);
    }

    /// What [`Entry::encode`] wrote; none of anything else.
    pub(crate) fn decode(bytes: Bytes) -> Option<Self> {
        let mut rest = bytes;
        let made = u64::from_le_bytes(take(&mut rest)?);
        let status = StatusCode::from_u16(u16::from_le_bytes(take(&mut rest)?)).ok()?;
        let count = u16::from_le_bytes(take(&mut rest)?);
        let mut headers = HeaderMap::new();
        for _ in 0..count {
            let name = HeaderName::from_bytes(&text(&mut rest)?).ok()?;
            headers.append(name, HeaderValue::from_maybe_shared(text(&mut rest)?).ok()?);
        }
        Some(Self { status, headers, body: rest, made })
    }
}

/// The first bytes, taken off.
pub(super) fn take<const N: usize>(rest: &mut Bytes) -> Option<[u8; N]> {
    let first = *rest.first_chunk::<N>()?;
    *rest = rest.slice(N..);
    Some(first)
}

fn text(rest: &mut Bytes) -> Option<Bytes> {
    let len = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    (len <= rest.len()).then(|| rest.split_to(len))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let mut response = Response::new(Body::from("body"));
        *response.status_mut() = StatusCode::CREATED;
        for (name, value) in [("x-one", "1"), ("x-one", "2"), ("set-cookie", "a=b"), ("location", "/new")] {
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        Entry::of(&response).unwrap()
    }

    #[test]
    fn comes_back_as_it_went() {
        let mut bytes = Vec::new();
        entry().encode(&mut bytes);
        let back = Entry::decode(bytes.clone().into()).unwrap();
        assert_eq!(
            (back.status, &back.body, back.made),
            (StatusCode::CREATED, &Bytes::from("body"), entry().made)
        );
        let values: Vec<_> = back.headers.get_all("x-one").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(back.headers.get("set-cookie"), None);
    }

    #[test]
    fn what_is_none_is_none() {
        let mut bytes = Vec::new();
        entry().encode(&mut bytes);
        let head = bytes.len() - 4;
        assert!((0..head).all(|len| Entry::decode(bytes[..len].to_vec().into()).is_none()));
        assert!(Entry::decode(Bytes::from_static(&[0xff; 64])).is_none());
    }
}

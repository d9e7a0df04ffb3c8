//! One operation as a stream of server-sent events.
//!
//! Source: <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>, distinct connections mode.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use plectrum_http::body::StreamError;
use plectrum_http::sse::{Event, EventBody};
use plectrum_http::{Body, BodyStream, HeaderName, HeaderValue, Response, header};

use super::responses::{self, Responses};
use crate::graphql::endpoint::{Inner, Ready, errors_body};
use crate::graphql::media::Media;
use crate::graphql::plans::Viewer;

/// The response that streams an operation. What is wrong with a document is an event, too: a browser's `EventSource`
/// could not read the body of another status.
pub(in crate::graphql) fn stream(inner: &Rc<Inner>, ready: Ready, viewer: Viewer) -> Response {
    let responses = ready
        .and_then(|prepared| responses::begin(inner, prepared, viewer))
        .unwrap_or_else(|errors| stream::once(async move { Err(errors) }).boxed_local());
    let heartbeat = Duration::try_from_secs_f64(inner.live.heartbeat).ok();
    let body = EventBody::new(Box::pin(Events { responses, over: false }), heartbeat);
    let mut response = Response::new(Body::stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, Media::Events.header());
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

struct Events {
    responses: Responses,
    over: bool,
}

impl BodyStream for Events {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let next = std::task::ready!(self.responses.poll_next_unpin(cx));
        Poll::Ready(Some(Ok(match next {
            Some(Ok(response)) => event("next", &response),
            Some(Err(errors)) => {
                self.responses = stream::empty().boxed_local();
                event("next", &errors_body(&errors))
            }
            None => {
                self.over = true;
                event("complete", b"")
            }
        })))
    }
}

fn event(name: &str, data: &[u8]) -> Bytes {
    let data = String::from_utf8_lossy(data);
    let mut out = Vec::with_capacity(data.len() + 32);
    // The names above have no line break.
    let _ = Event { event: Some(name), data: Some(&data), ..Event::default() }.write(&mut out);
    out.into()
}

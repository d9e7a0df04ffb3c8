//! A feed's route.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plectrum_db::Operation;
use plectrum_db::value::Value;
use plectrum_http::sse::EventBody;
use plectrum_http::{Body, HeaderName, HeaderValue, Reply, Response, StatusCode, header, problem};

use super::channel::{Channel, ChannelParts};
use super::stream::{Client, ClientStream};
use crate::blueprint::{self, Route};
use crate::database::Database;
use crate::endpoint::{Call, Endpoint};
use crate::error;
use crate::extract::Extractor;
use crate::native::Zones;
use crate::values::{Enums, ValueSink};

/// Answers with the changes of a table.
pub struct Feed {
    extractor: Extractor,
    enums: Enums,
    channel: Rc<Channel>,
    heartbeat: Duration,
}

/// What a feed is made of besides its route.
pub struct Parts {
    /// Its filters, in the order of [`blueprint::Feed::filters`].
    pub extractor: Extractor,
    /// Reads one row by its key.
    pub operation: Arc<Operation>,
    /// Where the table is.
    pub database: Database,
    /// How datetimes are written.
    pub zones: Zones,
}

impl Feed {
    /// An endpoint for `route`, whose feed is `feed`.
    #[must_use]
    pub fn new(route: &Route, feed: &blueprint::Feed, parts: Parts) -> Self {
        Self {
            extractor: parts.extractor,
            enums: Enums::of(route),
            channel: Channel::new(ChannelParts {
                name: route.name.clone(),
                database: parts.database,
                operation: parts.operation,
                zones: parts.zones,
                filters: feed.filters.clone(),
                history: feed.history,
                channel: feed.channel.clone(),
            }),
            heartbeat: Duration::from_secs_f64(feed.heartbeat),
        }
    }
}

impl Endpoint for Feed {
    fn call(&self, call: Box<Call>) -> Reply {
        let slots = match self.extractor.extract(&call, &mut ValueSink::new(&self.enums)) {
            Ok(slots) => slots,
            Err(refusal) => return error::of_refusal(&refusal).into(),
        };
        if !self.channel.listen() {
            return problem::of(StatusCode::NOT_IMPLEMENTED).into();
        }
        let client = Client::new(slots.into_iter().map(|slot| slot.map(text_of)).collect());
        let last = call.request.header(&HeaderName::from_static("last-event-id")).filter(|id| !id.is_empty());
        // What is no number of ours is as good as one that is forgotten.
        self.channel.add(&client, last.map(|id| id.parse().unwrap_or(u64::MAX)));
        let stream = EventBody::new(Box::pin(ClientStream(client)), Some(self.heartbeat));
        let mut response = Response::new(Body::Events(Box::new(stream)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response.into()
    }
}

/// As a row's value is compared.
fn text_of(value: Value) -> Box<str> {
    match value {
        Value::Text(text) => text.into(),
        Value::Int(number) => number.to_string().into(),
        Value::Float(number) => number.to_string().into(),
        Value::Bool(value) => value.to_string().into(),
        Value::Null | Value::Bytes(_) | Value::Array(_) => "null".into(),
    }
}

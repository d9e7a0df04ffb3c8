//! Spans on their way to a collector: OTLP over HTTP, as JSON, in batches. What the collector does not take in time is
//! left out and counted; no request ever waits for it.
//!
//! Source: OpenTelemetry Protocol specification 1.5, JSON Protobuf Encoding.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use plectrum_http::{Bytes, HeaderName, HeaderValue};
use plectrum_json::text;
use tokio::sync::Notify;

use super::span::{Attribute, Kind, Span};
use crate::outbound::Address;
use crate::seldom::Seldom;

/// Spans that may wait.
const WAITING: usize = 4096;
/// Spans that go together.
const BATCH: usize = 512;
/// How long the first of a batch waits for more.
const PAUSE: Duration = Duration::from_secs(1);
/// What a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where traces go.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The collector's address, such as `http://127.0.0.1:4318`; `/v1/traces` is added where it has no path.
    pub endpoint: String,
    /// Sent along, as for its credentials.
    pub headers: Vec<(String, String)>,
    /// `service.name`.
    pub service: String,
    /// The share of traces begun here that are kept.
    pub sample: f64,
}

/// Sends spans.
pub(super) struct Exporter {
    address: Address,
    headers: Vec<(HeaderName, HeaderValue)>,
    service: String,
    waiting: RefCell<VecDeque<Span>>,
    full: Notify,
    dropped: Cell<u64>,
    reports: Seldom,
}

impl Exporter {
    pub(super) fn new(collector: &Collector) -> Result<Self, String> {
        let (scheme, rest) = collector.endpoint.split_once("://").unwrap_or(("", &collector.endpoint));
        let has_path = rest.find('/').is_some_and(|slash| slash + 1 < rest.len());
        let url = match has_path {
            true => collector.endpoint.clone(),
            false => format!("{scheme}://{}/v1/traces", rest.trim_end_matches('/')),
        };
        let header = |(name, value): &(String, String)| {
            let wrong = |_| format!("OTLP_HEADERS: {name:?} cannot be sent");
            Ok((name.parse().map_err(|_| wrong(()))?, HeaderValue::from_str(value).map_err(|_| wrong(()))?))
        };
        Ok(Self {
            address: Address::parse("OTLP_ENDPOINT", &url, true)?,
            headers: collector.headers.iter().map(header).collect::<Result<_, String>>()?,
            service: collector.service.clone(),
            waiting: RefCell::default(),
            full: Notify::new(),
            dropped: Cell::new(0),
            reports: Seldom::new(),
        })
    }

    /// Takes spans along with the next batch.
    pub(super) fn take(&self, spans: impl IntoIterator<Item = Span>) {
        let mut waiting = self.waiting.borrow_mut();
        for span in spans {
            if waiting.len() >= WAITING {
                self.dropped.set(self.dropped.get() + 1);
            } else {
                waiting.push_back(span);
            }
        }
        if waiting.len() >= BATCH {
            self.full.notify_one();
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Sends batch after batch.
    pub(super) async fn run(self: Rc<Self>) {
        loop {
            let _ = tokio::time::timeout(PAUSE, self.full.notified()).await;
            self.send().await;
        }
    }

    /// Sends what is waiting; a batch that the collector does not take is lost.
    pub(super) async fn send(&self) {
        loop {
            let batch: Vec<Span> = {
                let mut waiting = self.waiting.borrow_mut();
                let count = waiting.len().min(BATCH);
                waiting.drain(..count).collect()
            };
            if batch.is_empty() {
                return;
            }
            let body = encode(&self.service, &batch);
            let sent = tokio::time::timeout(PATIENCE, self.address.post(body, &self.headers)).await;
            if let Err(why) = sent.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                self.dropped.set(self.dropped.get() + batch.len() as u64);
                if self.reports.turn(Instant::now()).is_some() {
                    tracing::warn!(target: "plectrum.observe", "traces are lost: {}: {why}", self.address);
                }
                return;
            }
        }
    }
}

/// `ExportTraceServiceRequest`.
fn encode(service: &str, spans: &[Span]) -> Bytes {
    let mut out = Vec::with_capacity(512 * spans.len());
    out.extend_from_slice(br#"{"resourceSpans":[{"resource":{"attributes":["#);
    attribute(&mut out, "service.name", &Attribute::Text(service.to_owned()));
    out.extend_from_slice(br#"]},"scopeSpans":[{"scope":{"name":"plectrum"},"spans":["#);
    for (index, span) in spans.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        encode_span(&mut out, span);
    }
    out.extend_from_slice(b"]}]}]}");
    out.into()
}

fn encode_span(out: &mut Vec<u8>, span: &Span) {
    let context = &span.context;
    // Ids are hexadecimal and 64-bit numbers are strings in this encoding.
    let ids = format!(r#"{{"traceId":"{:032x}","spanId":"{:016x}","#, context.trace, context.span);
    out.extend_from_slice(ids.as_bytes());
    if let Some(parent) = context.parent {
        out.extend_from_slice(format!(r#""parentSpanId":"{parent:016x}","#).as_bytes());
    }
    out.extend_from_slice(br#""name":"#);
    text::write(out, &span.name);
    let kind = match span.kind {
        Kind::Server => 2,
        Kind::Database => 3,
    };
    let (start, end) = (span.start.as_nanos(), span.end.as_nanos());
    let times = format!(r#","kind":{kind},"startTimeUnixNano":"{start}","endTimeUnixNano":"{end}","#);
    out.extend_from_slice(times.as_bytes());
    out.extend_from_slice(br#""attributes":["#);
    for (index, (name, value)) in span.attributes.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        attribute(out, name, value);
    }
    out.extend_from_slice(if span.failed { br#"],"status":{"code":2}}"# } else { br#"],"status":{}}"# });
}

fn attribute(out: &mut Vec<u8>, name: &str, value: &Attribute) {
    out.extend_from_slice(br#"{"key":"#);
    text::write(out, name);
    match value {
        Attribute::Text(value) => {
            out.extend_from_slice(br#","value":{"stringValue":"#);
            text::write(out, value);
            out.extend_from_slice(b"}}");
        }
        Attribute::Number(value) => {
            out.extend_from_slice(format!(r#","value":{{"intValue":"{value}"}}}}"#).as_bytes());
        }
    }
}

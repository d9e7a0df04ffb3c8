//! The numbers as Prometheus reads them: text format 0.0.4, merged over the workers of a host.

use std::fmt::Write;
use std::rc::Rc;

use plectrum_http::{Body, HeaderValue, Reply, Response, StatusCode, header, problem};
use subtle::ConstantTimeEq;

use super::Observer;
use super::board::{Gauge, Total};
use super::buckets::EXPORTED;
use crate::endpoint::{Call, Endpoint};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "abandoned"];

/// Numbers of all workers together: name, kind, meaning.
const SUMS: [(Gauge, &str, &str, &str); 12] = [
    (Gauge::InFlight, "requests_in_flight", "gauge", "Requests being answered."),
    (Gauge::Connections, "database_connections", "gauge", "Open connections of the pools."),
    (Gauge::Idle, "database_connections_idle", "gauge", "Open connections with nothing to do."),
    (Gauge::Statements, "database_statements_in_flight", "gauge", "Statements under way."),
    (Gauge::Waiting, "database_waiting", "gauge", "Executions that wait for a connection."),
    (Gauge::Opened, "database_connections_opened_total", "counter", "Connections opened."),
    (Gauge::Broken, "database_connections_broken_total", "counter", "Connections that broke."),
    (Gauge::Slow, "slow_executions_total", "counter", "Executions over SLOW_QUERY."),
    (Gauge::Shed, "requests_shed_total", "counter", "Requests turned away before collapse."),
    (Gauge::CacheHits, "cache_hits_total", "counter", "Answers from the cache."),
    (Gauge::CacheMisses, "cache_misses_total", "counter", "Answers that the cache did not have."),
    (Gauge::LinesDropped, "log_lines_dropped_total", "counter", "Lines that could not be written."),
];

/// Answers with the numbers, to those who have the token where there is one.
pub struct Metrics {
    observer: Rc<Observer>,
    token: Option<String>,
}

impl Metrics {
    /// Of `observer`.
    #[must_use]
    pub fn new(observer: Rc<Observer>, token: Option<String>) -> Self {
        Self { observer, token }
    }

    fn admits(&self, call: &Call) -> bool {
        let Some(token) = &self.token else { return true };
        let given = call.request.header(&header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case("bearer")
                && bool::from(given.trim().as_bytes().ct_eq(token.as_bytes()))
        })
    }
}

impl Endpoint for Metrics {
    fn call(&self, call: Box<Call>) -> Reply {
        if !self.admits(&call) {
            let mut response = problem::of(StatusCode::UNAUTHORIZED);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response.into();
        }
        let mut response = Response::new(Body::from(self.observer.exposition()));
        response.headers_mut().insert(header::CONTENT_TYPE, TEXT);
        response.into()
    }
}

impl Observer {
    /// All numbers of the host's workers.
    #[must_use]
    pub fn exposition(&self) -> String {
        self.look();
        let mut out = String::with_capacity(16 * 1024);
        let totals = self.labels.iter().enumerate().map(|(slot, label)| (label, self.board.total(slot)));
        let totals: Vec<_> = totals.filter(|(_, total)| !total.is_empty()).collect();
        let routes: Vec<_> = totals
            .iter()
            .map(|(label, total)| {
                let (method, path) = (escape(&label.method), escape(&label.path));
                (format!(r#"method="{method}",route="{path}",way="{}""#, label.way), total)
            })
            .collect();
        requests(&mut out, &routes);
        durations(&mut out, &routes);
        for (gauge, name, kind, meaning) in SUMS {
            head(&mut out, name, kind, meaning);
            line(&mut out, name, "", self.board.sum(gauge));
        }
        head(&mut out, "spans_dropped_total", "counter", "Spans that could not be sent.");
        line(&mut out, "spans_dropped_total", "", self.board.sum(Gauge::SpansDropped));
        self.workers(&mut out);
        out
    }

    fn workers(&self, out: &mut String) {
        let living: Vec<_> = self.board.living().collect();
        for (gauge, name, meaning) in [
            (Gauge::Memory, "worker_memory_bytes", "Resident memory of a worker."),
            (Gauge::Started, "worker_start_time_seconds", "When a worker started, since 1970."),
        ] {
            head(out, name, "gauge", meaning);
            for (row, _) in &living {
                line(out, name, &format!(r#"worker="{row}""#), self.board.gauge(*row, gauge));
            }
        }
        let name = "worker_requests_total";
        head(out, name, "counter", "Requests of a worker, and of those whose place it took.");
        for (row, _) in &living {
            line(out, name, &format!(r#"worker="{row}""#), self.board.requests(*row, self.labels.len()));
        }
        head(out, "workers", "gauge", "Workers that live.");
        line(out, "workers", "", living.len() as u64);
    }
}

fn requests(out: &mut String, routes: &[(String, &Total)]) {
    head(
        out,
        "requests_total",
        "counter",
        "Requests, by class of status; abandoned where the client went first.",
    );
    for (labels, total) in routes {
        for (class, count) in CLASSES.iter().zip(total.classes).filter(|(_, count)| *count > 0) {
            line(out, "requests_total", &format!(r#"{labels},status="{class}""#), count);
        }
    }
}

fn durations(out: &mut String, routes: &[(String, &Total)]) {
    let name = "request_duration_seconds";
    head(out, name, "histogram", "Time to the head of the answer.");
    for (labels, total) in routes {
        let bucket = format!("{name}_bucket");
        for (below, bound) in EXPORTED {
            let count = total.buckets.iter().take(below).sum();
            line(out, &bucket, &format!(r#"{labels},le="{bound}""#), count);
        }
        line(out, &bucket, &format!(r#"{labels},le="+Inf""#), total.answered());
        // Writing to a String cannot fail.
        let _ = writeln!(out, "plectrum_{name}_sum{{{labels}}} {}", total.nanos as f64 / 1e9);
        line(out, &format!("{name}_count"), labels, total.answered());
    }
}

fn head(out: &mut String, name: &str, kind: &str, meaning: &str) {
    let _ = writeln!(out, "# HELP plectrum_{name} {meaning}\n# TYPE plectrum_{name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: u64) {
    let _ = match labels {
        "" => writeln!(out, "plectrum_{name} {value}"),
        labels => writeln!(out, "plectrum_{name}{{{labels}}} {value}"),
    };
}

/// As the value of a label.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

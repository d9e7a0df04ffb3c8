//! `plectrum.conf.Settings`, as Rust reads it.

use std::path::PathBuf;
use std::time::Duration;

use plectrum_engine::app::Options;
use plectrum_engine::cache;
use plectrum_engine::channels::link::Reach;
use plectrum_engine::gate::spec::Limit;
use plectrum_engine::gate::throttle;
use plectrum_engine::shape::Shape;
use plectrum_http::form::Limits;
use plectrum_http::server::Tls;
use plectrum_http::{Certificate, Config, HeaderValue, Timeouts};
use plectrum_http::{router, websocket};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Deserialize;

use crate::edge::Edge;
use crate::names;
use crate::observe::Observe;

/// Names the directory where the workers of a server meet (`plectrum/commands.py`).
const MESH: &str = "PLECTRUM_INTERNAL_MESH";

/// The keys Rust uses; Python knows more. Times in seconds, sizes in bytes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Settings {
    pub(crate) debug: bool,
    drain_timeout: f64,
    pub(crate) sync_threads: usize,
    max_connections: usize,
    max_head_size: usize,
    max_headers: usize,
    max_uri: usize,
    max_body: u64,
    form_max_fields: usize,
    form_max_field_size: usize,
    form_max_files: usize,
    upload_memory: usize,
    upload_directory: Option<PathBuf>,
    header_read_timeout: Option<f64>,
    body_read_timeout: Option<f64>,
    keep_alive_timeout: Option<f64>,
    write_timeout: Option<f64>,
    websocket_max_message: usize,
    websocket_max_queue: usize,
    websocket_max_unsent: usize,
    websocket_ping_interval: Option<f64>,
    websocket_ping_timeout: Option<f64>,
    websocket_compression: Compression,
    websocket_origins: Option<String>,
    channels_redis: Option<String>,
    channels_prefix: String,
    certfile: Option<PathBuf>,
    keyfile: Option<PathBuf>,
    http2: bool,
    http2_max_streams: u32,
    pub(crate) worker_max_requests: u64,
    date_header: bool,
    server_header: Option<String>,
    trailing_slash: TrailingSlash,
    pub(crate) etags: bool,
    openapi: bool,
    errors: Errors,
    edge: Edge,
    pub(crate) observe: Observe,
    cache_memory: usize,
    cache_redis: Option<String>,
    cache_prefix: String,
    cache_timeout: f64,
    cache_tags: Option<PathBuf>,
    budget: Option<plectrum_engine::budget::Spec>,
    request_timeout: Option<f64>,
    throttle: Vec<Limit>,
    #[serde(default)]
    throttle_segment: Option<PathBuf>,
    throttle_slots: usize,
    throttle_redis: Option<String>,
    throttle_timeout: f64,
    throttle_without_redis: WithoutRedis,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WithoutRedis {
    Local,
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Errors {
    Problem,
    Drf,
    Fastapi,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TrailingSlash {
    Strict,
    Ignore,
    Redirect,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Compression {
    Off,
    Shared,
    Dedicated,
}

impl Settings {
    pub(crate) fn from_json(json: &str) -> PyResult<Self> {
        serde_json::from_str(json).map_err(|error| PyValueError::new_err(format!("settings: {error}")))
    }

    /// For the server.
    ///
    /// `most` is the largest body that any route takes.
    pub(crate) fn http(&self, most: u64) -> PyResult<Config> {
        let server_header = self.server_header.as_deref().map(HeaderValue::from_str).transpose();
        Ok(Config {
            max_connections: self.max_connections,
            max_head_size: self.max_head_size,
            max_headers: self.max_headers,
            max_uri: self.max_uri,
            max_body: self.max_body.max(most),
            timeouts: Timeouts {
                header_read: seconds(self.header_read_timeout),
                keep_alive: seconds(self.keep_alive_timeout),
                body_read: seconds(self.body_read_timeout),
                write: seconds(self.write_timeout),
                ping: seconds(self.websocket_ping_interval),
                pong: seconds(self.websocket_ping_timeout),
            },
            drain: self.drain(),
            date_header: self.date_header,
            server_header: server_header
                .map_err(|_| PyValueError::new_err("SERVER_HEADER cannot be the value of a header."))?,
            certificate: self.certificate(),
            http2: self.http2,
            max_streams: self.http2_max_streams,
            ..Config::default()
        })
    }

    /// The certificate, and its key where that is in another file.
    fn certificate(&self) -> Option<Certificate> {
        let chain = self.certfile.clone()?;
        let key = self.keyfile.clone().unwrap_or_else(|| chain.clone());
        Some(Certificate { chain, key })
    }

    /// Refuses a certificate that cannot be used.
    pub(crate) fn check_certificate(&self, py: Python<'_>) -> PyResult<()> {
        let Some(files) = self.certificate() else { return Ok(()) };
        let Err(wrong) = Tls::open(&files.chain, &files.key, self.http2) else { return Ok(()) };
        let error = names::CONFIGURATION_ERROR.get(py)?.call1((format!("CERTFILE: {wrong}."),))?;
        Err(PyErr::from_value(error))
    }

    /// How far groups reach: through Redis where one is named, else to the host's other workers where there are any.
    pub(crate) fn reach(&self) -> Reach {
        if let Some(url) = self.channels_redis.clone() {
            return Reach::Redis { url, prefix: self.channels_prefix.clone() };
        }
        std::env::var_os(MESH).map_or(Reach::Worker, |directory| Reach::Host(directory.into()))
    }

    /// What a WebSocket may take, and the origins whose pages may open one.
    pub(crate) fn websocket(&self) -> (websocket::Limits, Vec<String>) {
        let limits = websocket::Limits {
            max_message: self.websocket_max_message,
            max_inbox: self.websocket_max_queue,
            max_outbox: self.websocket_max_unsent,
            compression: match self.websocket_compression {
                Compression::Off => websocket::Compression::Off,
                Compression::Shared => websocket::Compression::Shared,
                Compression::Dedicated => websocket::Compression::Dedicated,
            },
        };
        let origins = self.websocket_origins.as_deref().unwrap_or_default();
        (limits, origins.split([',', ' ']).filter(|one| !one.is_empty()).map(str::to_owned).collect())
    }

    /// How long running requests may take to finish once the worker stops.
    pub(crate) fn drain(&self) -> Duration {
        Duration::from_secs_f64(self.drain_timeout)
    }

    /// For the app.
    pub(crate) fn app(&self) -> Options {
        Options {
            slash: match self.trailing_slash {
                TrailingSlash::Strict => router::TrailingSlash::Strict,
                TrailingSlash::Ignore => router::TrailingSlash::Ignore,
                TrailingSlash::Redirect => router::TrailingSlash::Redirect,
            },
            max_body: usize::try_from(self.max_body).unwrap_or(usize::MAX),
            form: Limits {
                fields: self.form_max_fields,
                field_size: self.form_max_field_size,
                files: self.form_max_files,
                memory: self.upload_memory,
                directory: self.upload_directory.clone().unwrap_or_else(std::env::temp_dir),
                ..Limits::default()
            },
            docs: self.openapi,
            errors: match self.errors {
                Errors::Problem => Shape::Problem,
                Errors::Drf => Shape::Drf,
                Errors::Fastapi => Shape::Fastapi,
            },
            throttle: self.throttle(),
            edge: self.edge.config(),
            cache: cache::Options {
                memory: self.cache_memory,
                redis: self.cache_redis.clone(),
                prefix: self.cache_prefix.clone(),
                timeout: Duration::from_secs_f64(self.cache_timeout),
                tags: self.cache_tags.clone(),
            },
            budget: self.budget,
            timeout: seconds(self.request_timeout),
            built_in: self.observe.paths(),
        }
    }

    /// Whether routes that say nothing of it are throttled.
    pub(crate) fn is_throttled(&self) -> bool {
        !self.throttle.is_empty()
    }

    fn throttle(&self) -> throttle::Options {
        throttle::Options {
            segment: self.throttle_segment.clone(),
            slots: self.throttle_slots,
            redis: self.throttle_redis.clone(),
            timeout: Duration::from_secs_f64(self.throttle_timeout),
            without_redis: match self.throttle_without_redis {
                WithoutRedis::Local => throttle::WithoutRedis::Local,
                WithoutRedis::Open => throttle::WithoutRedis::Open,
                WithoutRedis::Closed => throttle::WithoutRedis::Closed,
            },
            usual: self.throttle.clone(),
        }
    }
}

fn seconds(timeout: Option<f64>) -> Option<Duration> {
    timeout.map(Duration::from_secs_f64)
}

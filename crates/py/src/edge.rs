//! `plectrum.edge.describe`, as Rust reads it.

use plectrum_http::middleware::{Coding, Cors, EdgeConfig, ForwardedBy, SecurityHeaders};
use serde::Deserialize;

/// What every request and answer passes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Edge {
    hosts: Vec<String>,
    proxies: Vec<String>,
    forwarded: bool,
    forwarded_host: bool,
    https: Option<String>,
    nosniff: bool,
    referrer_policy: Option<String>,
    opener_policy: Option<String>,
    frame_options: Option<String>,
    transport: Option<String>,
    cors: Option<Cors>,
    compression: Vec<String>,
    compression_least: usize,
    request_id: Option<String>,
}

impl Edge {
    pub(crate) fn config(&self) -> EdgeConfig {
        let edge = self.clone();
        EdgeConfig {
            hosts: edge.hosts,
            proxies: edge.proxies,
            forwarded_by: if edge.forwarded { ForwardedBy::Forwarded } else { ForwardedBy::XForwarded },
            forwarded_host: edge.forwarded_host,
            https: edge.https,
            security: SecurityHeaders {
                nosniff: edge.nosniff,
                referrer_policy: edge.referrer_policy,
                opener_policy: edge.opener_policy,
                frame_options: edge.frame_options,
                transport: edge.transport,
            },
            cors: edge.cors,
            // Their names were checked where the settings were read.
            compression: edge.compression.iter().filter_map(|name| Coding::named(name)).collect(),
            compression_least: edge.compression_least,
            request_id: edge.request_id,
        }
    }
}

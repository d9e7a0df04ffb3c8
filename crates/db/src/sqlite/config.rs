//! Where the database is and how its connections are set up.

use std::time::Duration;

use serde::Deserialize;

/// Settings of a database, as Django's `DATABASES` has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `NAME`: a path, or a `file:` URI.
    pub path: String,
    /// `OPTIONS["timeout"]`: seconds to wait for a lock.
    #[serde(default = "timeout")]
    pub timeout: f64,
    /// `OPTIONS["init_command"]`: statements run on every new connection.
    #[serde(default)]
    pub init: Vec<String>,
    /// Threads, each with its own connection.
    #[serde(default = "threads")]
    pub threads: usize,
    /// Statements a connection keeps prepared.
    #[serde(default = "statement_cache_size")]
    pub statement_cache_size: usize,
}

fn timeout() -> f64 {
    5.0
}

fn threads() -> usize {
    4
}

fn statement_cache_size() -> usize {
    256
}

impl Config {
    /// Settings of the database at `path`, everything else as Django has it by default.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            timeout: timeout(),
            init: Vec::new(),
            threads: threads(),
            statement_cache_size: statement_cache_size(),
        }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// What is wrong with the JSON, a key or a value.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let config: Self =
            serde_json::from_str(json).map_err(|error| format!("database settings: {error}"))?;
        config.checked()
    }

    /// Refuses what can never work, so that it fails at start-up and not on a request.
    pub(super) fn checked(self) -> Result<Self, String> {
        if self.threads == 0 {
            return Err("database settings: threads is 0, expected at least 1".to_owned());
        }
        if !(0.0..=1e6).contains(&self.timeout) {
            return Err(format!(
                "database settings: timeout is {}, expected seconds from 0 to 1e6",
                self.timeout
            ));
        }
        if self.path.is_empty() || self.path == ":memory:" || self.path.contains("mode=memory") {
            return Err(
                "database settings: an in-memory database belongs to the connection that made it; run its \
                 statements on Django's own"
                    .to_owned(),
            );
        }
        Ok(self)
    }

    pub(super) fn busy_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout)
    }
}

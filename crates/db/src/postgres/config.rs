//! How to reach a database and how to use it, as Python derives it from Django's `DATABASES` or from `DATABASE_URL`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// One database. Names follow libpq where libpq has one.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Servers, tried in order until one answers as `target_session_attrs` asks.
    pub hosts: Vec<Host>,
    /// Which kind of server will do.
    pub target_session_attrs: TargetSession,
    /// Role to log in as.
    pub user: String,
    /// Its password.
    pub password: Option<String>,
    /// Database; the user's name where absent.
    pub dbname: Option<String>,
    /// Encryption; unix sockets are never encrypted.
    pub sslmode: SslMode,
    /// Certificate authorities (PEM), or `system`.
    pub sslrootcert: Option<PathBuf>,
    /// Client certificate chain (PEM).
    pub sslcert: Option<PathBuf>,
    /// Key of the client certificate (PEM).
    pub sslkey: Option<PathBuf>,
    /// Seconds one host may take from socket to ready session.
    pub connect_timeout: f64,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Command-line options for the server (`-c search_path=…`).
    pub options: Option<String>,
    /// TCP keep-alive probes.
    pub keepalives: Keepalives,
    /// Further run-time parameters sent at start-up (`TimeZone`, `search_path`, …).
    pub parameters: BTreeMap<String, String>,
    /// Role to switch to after login (Django's `assume_role`).
    pub assume_role: Option<String>,
    /// SQL run once on every new connection.
    pub init: Vec<String>,
    /// Prepared statements kept per connection; 0 uses unnamed statements only (PgBouncer in transaction mode).
    pub statement_cache_size: usize,
    /// The server's `statement_timeout` in milliseconds; 0 leaves the server's own setting.
    pub statement_timeout_ms: u64,
    /// Connections per worker at most.
    pub max_connections: usize,
    /// Milliseconds an execution may wait for a connection.
    pub acquire_timeout_ms: u64,
    /// Statements in flight on one connection at most.
    pub max_pipeline: usize,
    /// Statements put on a connection before another one is preferred. Packing lets one system call carry many requests;
    /// 1 spreads them, so that the server works on as many as there are connections.
    pub pack: usize,
    /// Seconds a surplus connection may stay idle; 0 keeps it.
    pub idle_timeout: f64,
    /// Seconds a connection lives (± 10 %); 0 keeps it.
    pub max_lifetime: f64,
    /// Statements may open a transaction. Only where one user has the whole pool: an export.
    #[serde(skip)]
    pub transactions: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            target_session_attrs: TargetSession::default(),
            user: String::new(),
            password: None,
            dbname: None,
            sslmode: SslMode::default(),
            sslrootcert: None,
            sslcert: None,
            sslkey: None,
            connect_timeout: 10.0,
            application_name: "plectrum".to_owned(),
            options: None,
            keepalives: Keepalives::default(),
            parameters: BTreeMap::new(),
            assume_role: None,
            init: Vec::new(),
            statement_cache_size: 256,
            statement_timeout_ms: 0,
            max_connections: 8,
            acquire_timeout_ms: 5_000,
            max_pipeline: 128,
            pack: 4,
            idle_timeout: 600.0,
            max_lifetime: 3_600.0,
            transactions: false,
        }
    }
}

impl Config {
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
    pub(super) fn checked(mut self) -> Result<Self, String> {
        if self.user.is_empty() {
            return Err("database settings: no user given; set USER (or put it into the URL)".to_owned());
        }
        if self.hosts.is_empty() {
            self.hosts.push(Host::default());
        }
        for (name, value) in [
            ("max_connections", self.max_connections),
            ("max_pipeline", self.max_pipeline),
            ("pack", self.pack),
        ] {
            if value == 0 {
                return Err(format!("database settings: {name} is 0, expected at least 1"));
            }
        }
        for (name, value) in [
            ("connect_timeout", self.connect_timeout),
            ("idle_timeout", self.idle_timeout),
            ("max_lifetime", self.max_lifetime),
        ] {
            if !(0.0..=1e9).contains(&value) {
                return Err(format!("database settings: {name} is {value}, expected seconds from 0 to 1e9"));
            }
        }
        Ok(self)
    }

    /// Database to log in to.
    pub(super) fn database(&self) -> &str {
        self.dbname.as_deref().unwrap_or(&self.user)
    }

    /// How long a host may take; zero means for ever in libpq, a day here.
    pub(super) fn connect_limit(&self) -> Duration {
        if self.connect_timeout == 0.0 {
            Duration::from_secs(86_400)
        } else {
            Duration::from_secs_f64(self.connect_timeout)
        }
    }
}

impl std::fmt::Debug for Config {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("hosts", &self.hosts)
            .field("user", &self.user)
            .field("dbname", &self.dbname)
            .field("sslmode", &self.sslmode)
            .finish_non_exhaustive()
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// Host name, address, or (starting with `/`, or `@` for an abstract one) the directory of its unix socket.
    pub host: String,
    /// TCP port; also names the unix socket.
    pub port: u16,
}

impl Default for Host {
    fn default() -> Self {
        Self { host: "localhost".to_owned(), port: 5432 }
    }
}

impl Host {
    /// Whether this is a unix socket.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        self.host.starts_with(['/', '@'])
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        if self.is_unix() { write!(f, "{host}/.s.PGSQL.{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// libpq's `sslmode`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never.
    Disable,
    /// Only when the server refuses plain connections.
    Allow,
    /// When the server can.
    #[default]
    Prefer,
    /// Always; the certificate is not checked unless `sslrootcert` is given.
    Require,
    /// Always; the certificate must be signed by a trusted authority.
    VerifyCa,
    /// Always; and the certificate must be for this host.
    VerifyFull,
}

/// libpq's `target_session_attrs`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetSession {
    /// Any server.
    #[default]
    Any,
    /// Sessions that may write.
    ReadWrite,
    /// Sessions that may not write.
    ReadOnly,
    /// Not in hot standby.
    Primary,
    /// In hot standby.
    Standby,
    /// In hot standby if there is one, any otherwise.
    PreferStandby,
}

/// TCP keep-alive probes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keepalives {
    /// Send probes.
    pub enabled: bool,
    /// Seconds of silence before the first probe.
    pub idle: u64,
    /// Seconds between probes; the system's own where absent.
    pub interval: Option<u64>,
    /// Lost probes that end the connection; the system's own where absent.
    pub count: Option<u32>,
}

impl Default for Keepalives {
    fn default() -> Self {
        Self { enabled: true, idle: 60, interval: Some(10), count: Some(6) }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

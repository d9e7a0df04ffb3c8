//! Reaching a server: hosts in order, TCP or unix socket, TLS as `sslmode` asks.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::cancel::{self, CancelKey};
use super::config::{Config, Host, Keepalives, SslMode, TargetSession};
use super::handshake::{self, Refusal, Session};
use super::stream::Stream;
use super::tls::Tls;

/// A configured database: what is needed to open a connection, worked out once.
pub(crate) struct Target {
    pub(crate) config: Config,
    tls: Option<Tls>,
}

/// Where and how a session was opened; its cancel requests go the same way.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    host: Host,
    encrypted: bool,
}

impl Target {
    pub(crate) fn new(config: Config) -> Result<Self, String> {
        let config = config.checked()?;
        let encrypts = config.sslmode != SslMode::Disable && config.hosts.iter().any(|host| !host.is_unix());
        let tls = if encrypts { Some(Tls::new(&config)?) } else { None };
        Ok(Self { config, tls })
    }

    /// Opens a session on the first host that gives a fitting one.
    pub(crate) async fn open(&self) -> Result<(Session, Route), String> {
        match self.open_as(&self.config).await {
            Err(_) if self.config.target_session_attrs == TargetSession::PreferStandby => {
                let any = Config { target_session_attrs: TargetSession::Any, ..self.config.clone() };
                self.open_as(&any).await
            }
            result => result,
        }
    }

    async fn open_as(&self, config: &Config) -> Result<(Session, Route), String> {
        let mut failures = Vec::new();
        for host in &config.hosts {
            match timeout(config.connect_limit(), self.session(config, host)).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(refusal)) => failures.push(format!("{host}: {refusal}")),
                Err(_) => failures.push(format!("{host}: no session within {:?}", config.connect_limit())),
            }
        }
        Err(failures.join("; "))
    }

    /// Tries the ways that `sslmode` allows, in its order.
    async fn session(&self, config: &Config, host: &Host) -> Result<(Session, Route), Refusal> {
        let ways: &[bool] = match config.sslmode {
            _ if host.is_unix() => &[false],
            SslMode::Disable => &[false],
            SslMode::Allow => &[false, true],
            SslMode::Prefer => &[true, false],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[true],
        };
        let mut first = None;
        for encrypted in ways {
            let route = Route { host: host.clone(), encrypted: *encrypted };
            let attempt = async { handshake::start(self.stream(&route).await?, config).await };
            match attempt.await {
                Ok(session) => return Ok((session, route)),
                // Nobody listens: the other way would meet the same.
                Err(Refusal::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return Err(error.into());
                }
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        Err(first.unwrap_or_else(|| Refusal::Unfit("no way to connect".to_owned())))
    }

    /// Opens a socket the same way once more and has the session's running statement cancelled, if it is `still_wanted`
    /// when the socket is open.
    pub(crate) async fn cancel(&self, route: &Route, key: CancelKey, still_wanted: impl Fn() -> bool) {
        let attempt = async {
            let stream = self.stream(route).await?;
            if still_wanted() { cancel::send(stream, key).await.map_err(Refusal::Io) } else { Ok(()) }
        };
        match timeout(self.config.connect_limit().min(Duration::from_secs(5)), attempt).await {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => tracing::debug!("cancel request failed: {refusal}"),
            Err(_) => tracing::debug!("cancel request took too long"),
        }
    }

    async fn stream(&self, route: &Route) -> Result<Stream, Refusal> {
        let Host { host, port } = &route.host;
        if route.host.is_unix() {
            return Ok(Stream::Unix(UnixStream::connect(socket_path(host, *port)).await?));
        }
        let tcp = TcpStream::connect((&**host, *port)).await?;
        tcp.set_nodelay(true)?;
        keep_alive(&tcp, &self.config.keepalives)?;
        match &self.tls {
            Some(tls) if route.encrypted => self.encrypt(tls, tcp, host).await,
            _ => Ok(Stream::Tcp(tcp)),
        }
    }

    /// Asks the server for TLS and shakes hands.
    async fn encrypt(&self, tls: &Tls, mut tcp: TcpStream, host: &str) -> Result<Stream, Refusal> {
        let mut request = bytes::BytesMut::new();
        postgres_protocol::message::frontend::ssl_request(&mut request);
        tcp.write_all(&request).await?;
        // Exactly one byte: anything the peer sent beyond it came unencrypted and must not be read as the session's.
        let mut answer = [0; 1];
        tcp.read_exact(&mut answer).await?;
        match answer {
            [b'S'] => Ok(Stream::Tls(Box::new(tls.connect(host, tcp).await?))),
            [b'N'] if self.config.sslmode == SslMode::Prefer => Ok(Stream::Tcp(tcp)),
            _ => Err(Refusal::Unfit("the server does not offer TLS, which sslmode demands".to_owned())),
        }
    }
}

/// A unix socket's path; `@` starts a name in Linux's abstract namespace.
fn socket_path(directory: &str, port: u16) -> String {
    match directory.strip_prefix('@') {
        Some(name) => format!("\0{name}/.s.PGSQL.{port}"),
        None => format!("{}/.s.PGSQL.{port}", directory.trim_end_matches('/')),
    }
}

fn keep_alive(tcp: &TcpStream, settings: &Keepalives) -> io::Result<()> {
    if !settings.enabled {
        return Ok(());
    }
    let mut probes = TcpKeepalive::new();
    if settings.idle > 0 {
        probes = probes.with_time(Duration::from_secs(settings.idle));
    }
    if let Some(seconds) = settings.interval {
        probes = probes.with_interval(Duration::from_secs(seconds));
    }
    if let Some(count) = settings.count {
        probes = probes.with_retries(count);
    }
    SockRef::from(tcp).set_tcp_keepalive(&probes)
}

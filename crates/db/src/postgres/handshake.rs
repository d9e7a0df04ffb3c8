//! From a socket to a session: start-up, authentication, and what has to be run before the first request.

use std::collections::BTreeMap;
use std::io;

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::cancel::CancelKey;
use super::config::{Config, TargetSession};
use super::error::Response;
use super::frame::{Frame, Malformed, ReadBuffer};
use super::message::Reader;
use super::stream::Stream;
use super::tls;

/// A session that is ready for requests.
pub(crate) struct Session {
    pub(crate) stream: Stream,
    pub(crate) input: ReadBuffer,
    pub(crate) key: CancelKey,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Why there is no session.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The server said no.
    Server(Box<Response>),
    /// The socket failed.
    Io(io::Error),
    /// Settings and server do not fit; another attempt will not help by itself.
    Unfit(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Unfit(format!("the server does not speak PostgreSQL's protocol: {what}"))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(response) => write!(f, "{} ({})", response.message, response.code),
            Self::Io(error) => write!(f, "{error}"),
            Self::Unfit(why) => f.write_str(why),
        }
    }
}

/// Logs in and prepares the session as `config` asks.
pub(crate) async fn start(stream: Stream, config: &Config) -> Result<Session, Refusal> {
    let session =
        Session { stream, input: ReadBuffer::new(), key: CancelKey::default(), parameters: BTreeMap::new() };
    let mut wire = Wire { session, output: BytesMut::new() };
    wire.startup(config).await?;
    wire.authenticate(config).await?;
    wire.until_ready().await?;
    wire.fits(config.target_session_attrs).await?;
    if let Some(role) = &config.assume_role {
        wire.query(&format!("SET ROLE \"{}\"", role.replace('"', "\"\""))).await?;
    }
    for sql in &config.init {
        wire.query(sql).await?;
    }
    Ok(wire.session)
}

/// A socket spoken to message by message; only while a session starts.
struct Wire {
    session: Session,
    output: BytesMut,
}

/// A message that outlives the read buffer.
struct Message {
    tag: u8,
    body: Vec<u8>,
}

impl Wire {
    async fn send(&mut self) -> Result<(), Refusal> {
        self.session.stream.write_all(&self.output).await?;
        self.session.stream.flush().await?;
        self.output.clear();
        Ok(())
    }

    /// The next message; an error of the server ends the attempt, notices and settings are dealt with here.
    async fn receive(&mut self) -> Result<Message, Refusal> {
        loop {
            let input = &mut self.session.input;
            let Some((Frame { tag, body }, size)) = Frame::first(input.filled())? else {
                let count = self.session.stream.read(input.space()?).await?;
                if count == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up").into());
                }
                input.advance(count);
                continue;
            };
            let message = Message { tag, body: body.to_vec() };
            input.consume(size);
            match tag {
                b'E' => return Err(Refusal::Server(Box::new(Response::parse(&message.body)?))),
                b'N' => tracing::debug!("{}", Response::parse(&message.body)?.message),
                b'S' => {
                    let mut reader = Reader(&message.body);
                    self.session.parameters.insert(reader.text()?, reader.text()?);
                }
                _ => return Ok(message),
            }
        }
    }

    async fn startup(&mut self, config: &Config) -> Result<(), Refusal> {
        let timeout = config.statement_timeout_ms.to_string();
        let mut parameters = vec![
            ("user", &*config.user),
            ("database", config.database()),
            ("client_encoding", "UTF8"),
            ("application_name", &*config.application_name),
        ];
        if let Some(options) = &config.options {
            parameters.push(("options", options));
        }
        if config.statement_timeout_ms > 0 {
            parameters.push(("statement_timeout", &timeout));
        }
        let further = config.parameters.iter().map(|(name, value)| (&**name, &**value));
        parameters.extend(further.filter(|(name, _)| !name.eq_ignore_ascii_case("client_encoding")));
        frontend::startup_message(parameters, &mut self.output)?;
        self.send().await
    }

    async fn authenticate(&mut self, config: &Config) -> Result<(), Refusal> {
        let password = || {
            let missing = || Refusal::Unfit("the server wants a password and none is set".to_owned());
            config.password.as_deref().map(str::as_bytes).ok_or_else(missing)
        };
        loop {
            let message = self.receive().await?;
            if message.tag != b'R' {
                return Err(unexpected(&message));
            }
            let mut reader = Reader(&message.body);
            match reader.int()? {
                0 => return Ok(()),
                3 => frontend::password_message(password()?, &mut self.output)?,
                5 => {
                    let salt = <[u8; 4]>::try_from(reader.take(4)?).map_err(|_| Malformed::new("salt"))?;
                    let hash = md5_hash(config.user.as_bytes(), password()?, salt);
                    frontend::password_message(hash.as_bytes(), &mut self.output)?;
                }
                10 => {
                    self.scram(password()?, &mut reader).await?;
                    continue;
                }
                other => {
                    return Err(Refusal::Unfit(format!("authentication method {other} is not supported")));
                }
            }
            self.send().await?;
        }
    }

    /// RFC 5802, with channel binding where the connection is encrypted and the server offers it.
    async fn scram(&mut self, password: &[u8], offered: &mut Reader<'_>) -> Result<(), Refusal> {
        let (mut plain, mut plus) = (false, false);
        loop {
            match &*offered.text()? {
                "" => break,
                "SCRAM-SHA-256" => plain = true,
                "SCRAM-SHA-256-PLUS" => plus = true,
                _ => {}
            }
        }
        let (mechanism, binding) = match tls::end_point(&self.session.stream) {
            Some(hash) if plus => ("SCRAM-SHA-256-PLUS", ChannelBinding::tls_server_end_point(hash)),
            Some(_) if plain => ("SCRAM-SHA-256", ChannelBinding::unrequested()),
            None if plain => ("SCRAM-SHA-256", ChannelBinding::unsupported()),
            _ => {
                return Err(Refusal::Unfit(
                    "no common SASL mechanism; the server needs SCRAM-SHA-256".to_owned(),
                ));
            }
        };
        let mut scram = ScramSha256::new(password, binding);
        frontend::sasl_initial_response(mechanism, scram.message(), &mut self.output)?;
        self.send().await?;
        scram.update(&self.sasl(11).await?)?;
        frontend::sasl_response(scram.message(), &mut self.output)?;
        self.send().await?;
        Ok(scram.finish(&self.sasl(12).await?)?)
    }

    async fn sasl(&mut self, step: u32) -> Result<Vec<u8>, Refusal> {
        let message = self.receive().await?;
        let mut reader = Reader(&message.body);
        if message.tag != b'R' || reader.int()? != step {
            return Err(unexpected(&message));
        }
        Ok(reader.0.to_vec())
    }

    async fn until_ready(&mut self) -> Result<(), Refusal> {
        loop {
            let message = self.receive().await?;
            let mut reader = Reader(&message.body);
            match message.tag {
                b'K' => {
                    let (process, secret) = (reader.int()?, reader.int()?);
                    self.session.key = CancelKey { process: process as i32, secret: secret as i32 };
                }
                b'Z' => return Ok(()),
                _ => return Err(unexpected(&message)),
            }
        }
    }

    /// Runs SQL by the simple protocol; returns the first cell of the first row.
    async fn query(&mut self, sql: &str) -> Result<Option<String>, Refusal> {
        frontend::query(sql, &mut self.output)?;
        self.send().await?;
        let mut first = None;
        loop {
            let message = self.receive().await?;
            match message.tag {
                b'Z' => return Ok(first),
                b'D' if first.is_none() => {
                    let mut reader = Reader(&message.body);
                    if reader.short()? > 0 {
                        let length = reader.int()?;
                        let cell = if length == u32::MAX { b"" } else { reader.take(length as usize)? };
                        first = Some(String::from_utf8_lossy(cell).into_owned());
                    }
                }
                b'D' | b'T' | b'C' | b'I' => {}
                _ => return Err(unexpected(&message)),
            }
        }
    }

    /// Checks that this is the kind of server that is wanted.
    async fn fits(&mut self, target: TargetSession) -> Result<(), Refusal> {
        let (setting, wanted) = match target {
            TargetSession::Any => return Ok(()),
            TargetSession::ReadWrite => ("transaction_read_only", "off"),
            TargetSession::ReadOnly => ("transaction_read_only", "on"),
            TargetSession::Primary => ("recovery", "f"),
            TargetSession::Standby | TargetSession::PreferStandby => ("recovery", "t"),
        };
        let sql = match setting {
            "recovery" => "SELECT pg_catalog.pg_is_in_recovery()",
            _ => "SHOW transaction_read_only",
        };
        if self.query(sql).await?.as_deref() == Some(wanted) {
            return Ok(());
        }
        Err(Refusal::Unfit(format!("the server is not what target_session_attrs asks for ({target:?})")))
    }
}

fn unexpected(message: &Message) -> Refusal {
    Malformed::new(format!("unexpected message {:?} while connecting", char::from(message.tag))).into()
}

//! TLS: certificates, read at the start and again when their files change.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::pulse::{Order, Pulse};
use super::stream::Stream;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How a protocol is named in the handshake (RFC 7301).
const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// A server's certificate and key.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    http2: bool,
    current: RefCell<Arc<ServerConfig>>,
    /// When the files were written that were last read.
    read: Cell<Option<Written>>,
}

type Written = (SystemTime, SystemTime);

/// Certificate and key cannot be used; says which file, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

impl Tls {
    /// Reads a certificate with its chain, and its key, both as PEM. With `http2` that is offered, too.
    ///
    /// # Errors
    /// What is wrong, for whoever wrote the settings.
    pub fn open(certificate: &Path, key: &Path, http2: bool) -> Result<Rc<Self>, TlsError> {
        let current = RefCell::new(read(certificate, key, http2)?);
        let read = Cell::new(written(certificate, key));
        Ok(Rc::new(Self { certificate: certificate.into(), key: key.into(), http2, current, read }))
    }

    /// Shakes hands; `None` where the peer cannot, takes too long, or the server stops.
    pub(crate) async fn accept(&self, stream: TcpStream, pulse: &Pulse) -> Option<Stream> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.borrow()));
        let mut handshake = Box::pin(acceptor.accept(stream));
        let stream = poll_fn(|cx| {
            pulse.attach(cx.waker());
            match pulse.order() {
                Order::Serve | Order::LastCall => handshake.as_mut().poll(cx).map(Result::ok),
                Order::Drain | Order::Expire(_) | Order::Abort => Poll::Ready(None),
            }
        })
        .await?;
        Some(Stream::Tls(Box::new(stream)))
    }

    /// Reads the files again if they were written since. What cannot be used is told once, and the old one stays.
    fn renew(&self) {
        let found = written(&self.certificate, &self.key);
        if found.is_none() || found == self.read.get() {
            return;
        }
        self.read.set(found);
        match read(&self.certificate, &self.key, self.http2) {
            Ok(config) => {
                *self.current.borrow_mut() = config;
                tracing::info!(certificate = %self.certificate.display(), "the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
        }
    }
}

/// Watches the files until aborted.
pub(crate) async fn watch(tls: Rc<Tls>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        tls.renew();
    }
}

/// Whether the peer and we agreed on HTTP/2.
pub(crate) fn speaks_http2(stream: &Stream) -> bool {
    matches!(stream, Stream::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(H2))
}

fn read(certificate: &Path, key: &Path, http2: bool) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |path: &Path, what: &dyn fmt::Display| TlsError(format!("{}: {what}", path.display()));
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(
            certificate,
            &"no certificate in it (expected PEM, `-----BEGIN CERTIFICATE-----`)",
        ));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        wrong(key, &format!("no private key in it ({error}; expected PEM without a password)"))
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificate, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(certificate, &format!("does not go with {}: {error}", key.display())))?;
    config.alpn_protocols = if http2 { vec![H2.into(), HTTP_1_1.into()] } else { vec![HTTP_1_1.into()] };
    // Data that an attacker can send twice (RFC 8446 §8) is not taken.
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

fn written(certificate: &Path, key: &Path) -> Option<Written> {
    let when = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    Some((when(certificate)?, when(key)?))
}

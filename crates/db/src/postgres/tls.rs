//! TLS as libpq's `sslmode` means it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate;
use super::config::{Config, SslMode};
use super::stream::Stream;

/// Where Linux distributions and the BSDs keep the system's authorities.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// TLS settings, read once.
pub(crate) struct Tls(TlsConnector);

impl Tls {
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Verifier::new(config, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut client = match (&config.sslcert, &config.sslkey) {
            (Some(chain), Some(key)) => builder
                .with_client_auth_cert(certificates(chain)?, private_key(key)?)
                .map_err(|error| format!("sslcert {}: {error}", chain.display()))?,
            (None, None) => builder.with_no_client_auth(),
            _ => return Err("database settings: sslcert and sslkey go together; one is missing".to_owned()),
        };
        client.alpn_protocols.push(b"postgresql".to_vec());
        Ok(Self(TlsConnector::from(Arc::new(client))))
    }

    /// Shakes hands.
    pub(crate) async fn connect(&self, host: &str, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        self.0.connect(name, tcp).await
    }
}

/// Channel binding data (RFC 5929 `tls-server-end-point`) of an encrypted connection.
pub(crate) fn end_point(stream: &Stream) -> Option<Vec<u8>> {
    let Stream::Tls(tls) = stream else { return None };
    certificate::end_point(tls.get_ref().1.peer_certificates()?.first()?)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("{}: holds no certificate", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| format!("sslkey {}: {error}", path.display()))
}

/// Trusted authorities: `sslrootcert`, else (only where verification is demanded) the system's.
fn roots(config: &Config) -> Result<Option<RootCertStore>, String> {
    let demanded = matches!(config.sslmode, SslMode::VerifyCa | SslMode::VerifyFull);
    let path = match &config.sslrootcert {
        Some(path) if path.as_os_str() != "system" => path.clone(),
        None if !demanded => return Ok(None),
        _ => std::env::var_os("SSL_CERT_FILE")
            .map(Into::into)
            .or_else(|| SYSTEM_ROOTS.iter().map(Into::into).find(|path: &std::path::PathBuf| path.exists()))
            .ok_or("no system certificate authorities found; set sslrootcert")?,
    };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates(&path)?);
    Ok(Some(store))
}

/// Checks the server's certificate as far as `sslmode` asks; the handshake's signature always.
#[derive(Debug)]
struct Verifier {
    /// `None` accepts any certificate (`require` and below, without `sslrootcert`, as libpq does).
    chain: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(config: &Config, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let chain = match roots(config)? {
            Some(store) => Some(
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
                    .build()
                    .map_err(|error| format!("sslrootcert: {error}"))?,
            ),
            None => None,
        };
        Ok(Self { chain, checks_name: config.sslmode == SslMode::VerifyFull, provider: Arc::clone(provider) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(certificate, intermediates, name, stapled, now) {
            // The name is looked at last: whoever fails by it has a valid chain.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! Requests of our own, for key sets and traces: one to a connection, no redirects, a bounded answer, the system's
//! authorities.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::ReadBufCursor;
use plectrum_http::{Bytes, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Longer sets are refused.
const MOST_BYTES: usize = 1024 * 1024;

/// Where Linux distributions and the BSDs keep the system's authorities.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// An HTTPS address, or an HTTP one of this machine.
pub(crate) struct Address {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)
    }
}

impl Address {
    /// An `https://` address; an `http://` one only of this machine, or where `plain` allows it. `what` names the setting.
    pub(crate) fn parse(what: &str, url: &str, plain: bool) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{what} {url:?} is no URL: {error}"))?;
        let host = uri.host().ok_or_else(|| format!("{what} {url:?} names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        let (tls, usual) = match uri.scheme_str() {
            Some("https") => (Some(connector()?), 443),
            Some("http") if is_here || plain => (None, 80),
            Some("http") => {
                return Err(format!(
                    "{what} {url:?} must be an https:// address: whoever changes it on its way decides who gets in"
                ));
            }
            _ => return Err(format!("{what} {url:?} must be an https:// address")),
        };
        Ok(Self { port: uri.port_u16().unwrap_or(usual), host, tls, uri })
    }

    /// The body of the answer, which must be a 200.
    pub(crate) async fn get(&self, accept: &str) -> Result<String, String> {
        let request = self.request(Method::GET)?.header(header::ACCEPT, accept);
        let bytes = self.exchange(request.body(Whole(None)).map_err(said)?).await?;
        String::from_utf8(bytes).map_err(said)
    }

    /// Sends JSON; the answer must be a 200.
    pub(crate) async fn post(
        &self,
        json: Bytes,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<(), String> {
        let mut request = self.request(Method::POST)?.header(header::CONTENT_TYPE, "application/json");
        request = request.header(header::CONTENT_LENGTH, json.len());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.exchange(request.body(Whole(Some(json))).map_err(said)?).await.map(drop)
    }

    fn request(&self, method: Method) -> Result<http::request::Builder, String> {
        let host = self.uri.authority().map_or(self.host.as_str(), |authority| authority.as_str());
        let target = self.uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(http::Request::builder().method(method).uri(target).header(header::HOST, host))
    }

    async fn exchange(&self, request: http::Request<Whole>) -> Result<Vec<u8>, String> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(said)?;
        match &self.tls {
            None => ask(tcp, request).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone()).map_err(said)?;
                ask(tls.connect(name, tcp).await.map_err(said)?, request).await
            }
        }
    }
}

async fn ask(
    transport: impl AsyncRead + AsyncWrite + Unpin + 'static,
    request: http::Request<Whole>,
) -> Result<Vec<u8>, String> {
    let (mut sender, connection) = http1::handshake(Transport(transport)).await.map_err(said)?;
    // Ends with the exchange: nothing keeps the sender afterwards.
    tokio::task::spawn_local(connection);
    let response = sender.send_request(request).await.map_err(said)?;
    if response.status() != StatusCode::OK {
        return Err(format!("answered {}", response.status()));
    }
    collect(response.into_body()).await
}

async fn collect(mut body: Incoming) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(bytes) = frame.map_err(said)?.into_data() {
            all.extend_from_slice(&bytes);
        }
        if all.len() > MOST_BYTES {
            return Err(format!("answered more than {MOST_BYTES} bytes"));
        }
    }
    Ok(all)
}

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

fn connector() -> Result<TlsConnector, String> {
    let path = std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .or_else(|| SYSTEM_ROOTS.iter().map(PathBuf::from).find(|path| path.exists()))
        .ok_or("no system certificate authorities found: set SSL_CERT_FILE to a file in PEM")?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.map_err(|error| format!("{}: {error}", path.display()))?);
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(said)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A body in one piece, or none.
struct Whole(Option<Bytes>);

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// Tokio's idea of a transport as hyper's.
struct Transport<T>(T);

impl<T: AsyncRead + Unpin> hyper::rt::Read for Transport<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4096];
        let room = to.remaining().min(scratch.len());
        let mut buffer = ReadBuf::new(scratch.get_mut(..room).unwrap_or_default());
        let read = Pin::new(&mut self.0).poll_read(cx, &mut buffer);
        if let Poll::Ready(Ok(())) = read {
            to.put_slice(buffer.filled());
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> hyper::rt::Write for Transport<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

//! The HTTP client that asks the provider: one request a connection, bounded in time and in what is read.
//!
//! The operator names the issuer, and the issuer its endpoints, so addresses of any network are allowed. Redirects are not
//! followed: a code or a secret goes to the endpoint that the provider named, and nowhere else.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use crate::settings::may_be_asked;

/// From the look-up of the name to the end of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest body that is read.
const MAX_BODY_BYTES: usize = 256 * 1024;
const USER_AGENT: &str = concat!("loanhook/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("its address is neither https nor on this machine")]
    Address,
    #[error("it cannot be reached: {0}")]
    Connect(std::io::Error),
    #[error("no secure connection: {0}")]
    Tls(std::io::Error),
    #[error("the connection broke: {0}")]
    Broken(hyper::Error),
    #[error("it answered more than 256 KiB, or its answer broke off")]
    Body,
    #[error("it did not answer within 10 seconds")]
    Timeout,
}

/// Clones share what they trust.
#[derive(Clone)]
pub(crate) struct HttpClient(TlsConnector);

impl HttpClient {
    /// A client that trusts what the operating system trusts, or the file that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    ///
    /// There are no trusted certificates.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(Verifier::new(Arc::clone(&provider))?);
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Sends a request, once.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        timeout(REQUEST_TIMEOUT, self.send_unbounded(request)).await.map_err(|_| HttpError::Timeout)?
    }

    async fn send_unbounded(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| HttpError::Address)?;
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(HttpError::Address);
        };
        if !may_be_asked(&url) {
            return Err(HttpError::Address);
        }
        let stream = match host {
            Host::Domain(name) => TcpStream::connect((name, port)).await,
            Host::Ipv4(address) => TcpStream::connect((address, port)).await,
            Host::Ipv6(address) => TcpStream::connect((address, port)).await,
        };
        let stream = stream.map_err(HttpError::Connect)?;
        if url.scheme() == "http" {
            return exchange(stream, request, &url).await;
        }
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| HttpError::Address)?,
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(address)),
        };
        let stream = self.0.connect(name, stream).await.map_err(HttpError::Tls)?;
        exchange(stream, request, &url).await
    }
}

/// The library's name for [`HttpClient::send`].
impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

async fn exchange<S>(stream: S, request: HttpRequest, url: &Url) -> Result<HttpResponse, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::Broken)?;
    let answered = async {
        let response = sender.send_request(of_origin(request, url)?).await.map_err(HttpError::Broken)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| HttpError::Body)?;
        Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
    };
    let mut answered = std::pin::pin!(answered);
    // The connection is driven as long as the answer is awaited, and closed with the end of this.
    tokio::select! {
        biased;
        answer = answered.as_mut() => answer,
        // It ends before the answer has been handed over where the other side closes it after the answer.
        _ = connection => answered.await,
    }
}

/// The request as it goes to its origin: the path as its target, and the host in a header.
fn of_origin(request: HttpRequest, url: &Url) -> Result<http::Request<Full<Bytes>>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let address = |_| HttpError::Address;
    parts.uri = url[Position::BeforePath..Position::AfterQuery].parse().map_err(address)?;
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let host = HeaderValue::from_str(authority).map_err(|_| HttpError::Address)?;
    parts.headers.insert(header::HOST, host);
    parts.headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    Ok(http::Request::from_parts(parts, Full::new(body.into())))
}

//! The preparation of a request: from what is to be sent to a request that can be written, and its destination.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    uri::PathAndQuery,
};
use http_body_util::Full;
use rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use crate::{
    HttpOutcome, HttpRequest,
    address_guard::{AddressGuard, AddressRefusal, Scheme},
};
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

/// What a tenant reads of a destination that the guard refuses: not which address it has, nor in which network.
const NOT_PUBLIC_DETAIL: &str = "the destination is not allowed: its address is not a public one; nothing was sent. The \
                           operator can allow its network with --allow-network";
const PLAIN_HTTP_DETAIL: &str = "the destination is not allowed: http:// is sent only to networks that the operator \
                                allows with --allow-network; nothing was sent. Use https://";

/// How long a host's name may be in a sentence, in characters.
const MAX_SHOWN_HOST_CHARS: usize = 100;

/// Where a request goes.
pub(crate) struct Destination {
    pub(crate) scheme: Scheme,
    /// `scheme://host:port`, the port only where it is not the scheme's own.
    pub(crate) origin: String,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// What a certificate must be for; none where no certificate can be for it.
    pub(crate) tls_server_name: Option<ServerName<'static>>,
}

impl Destination {
    fn new(scheme: Scheme, url: &Url) -> Option<Self> {
        let host = url.host()?.to_owned();
        let certified = match &host {
            Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
            Host::Ipv4(address) => Some(IpAddr::from(*address).into()),
            Host::Ipv6(address) => Some(IpAddr::from(*address).into()),
        };
        let origin = url[..Position::BeforePath].to_owned();
        Some(Self { scheme, origin, host, port: url.port_or_known_default()?, tls_server_name: certified })
    }

    pub(crate) fn literal_address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// The host as a sentence names it.
    pub(crate) fn shown_host(&self) -> String {
        let host = self.host.to_string();
        match host.char_indices().nth(MAX_SHOWN_HOST_CHARS) {
            Some((cut, _)) => format!("{}…", &host[..cut]),
            None => host,
        }
    }

    /// Host and port as a sentence names them.
    pub(crate) fn shown_host_and_port(&self) -> String {
        format!("{}:{}", self.shown_host(), self.port)
    }
}

/// A request that can be written.
pub(crate) struct PreparedRequest {
    pub(crate) destination: Destination,
    method: Method,
    target: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl PreparedRequest {
    /// The request; `again` if it may be asked for once more.
    pub(crate) fn http_request(&mut self, may_be_needed_again: bool) -> Request<Full<Bytes>> {
        let headers =
            if may_be_needed_again { self.headers.clone() } else { std::mem::take(&mut self.headers) };
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = headers;
        request
    }
}

/// # Errors
///
/// What came of the request: it is blocked.
pub(crate) fn prepare(
    guard: &AddressGuard,
    outgoing: HttpRequest,
) -> Result<PreparedRequest, Box<HttpOutcome>> {
    let HttpRequest { method, url, mut headers, body, .. } = outgoing;
    let blocked = |detail: String| {
        Box::new(HttpOutcome::failed(Failure::at(Phase::Prepare, ErrorKind::Blocked, detail)))
    };
    let url = Url::parse(&url).map_err(|error| blocked(format!("the URL cannot be used: {error}")))?;
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => {
            let detail = "only https:// (and, where the operator allows it, http://) can be sent to";
            return Err(blocked(detail.to_owned()));
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        let detail = "the URL holds a user name or a password; use an Authorization header instead";
        return Err(blocked(detail.to_owned()));
    }
    let unsendable = || blocked("the URL cannot be sent: it is not a valid request target".to_owned());
    let to = Destination::new(scheme, &url).ok_or_else(unsendable)?;
    if let Some(address) = to.literal_address() {
        guard.check(scheme, address).map_err(|refusal| Box::new(refused(Phase::Prepare, scheme, refusal)))?;
    }
    let target = PathAndQuery::try_from(&url[Position::BeforePath..Position::AfterQuery]);
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
    let (Ok(target), Ok(host)) = (target, host) else { return Err(unsendable()) };

    for made_here in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(made_here);
    }
    headers.insert(HOST, host);
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let body = body.unwrap_or_default();
    if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        // Some receivers refuse (411) a POST that does not say that it is empty (RFC 9110, 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(PreparedRequest { destination: to, method, target: target.into(), headers, body })
}

/// What came of a request to an address that the guard refuses.
pub(crate) fn refused(phase: Phase, scheme: Scheme, refusal: AddressRefusal) -> HttpOutcome {
    let detail = match scheme {
        Scheme::Http => PLAIN_HTTP_DETAIL,
        Scheme::Https => NOT_PUBLIC_DETAIL,
    };
    let failed = HttpOutcome::failed(Failure::at(phase, ErrorKind::Blocked, detail));
    HttpOutcome { refusal: Some(refusal), ..failed }
}

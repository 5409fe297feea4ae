//! The prepared request: an HTTP request whose URL, host and framing headers are checked and complete.
//!
//! The client prepares each request before it takes a connection. What cannot be sent, and a literal address that the
//! guard refuses, ends here as a `blocked` failure. The addresses of a name are checked later, by the connector.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    uri::PathAndQuery,
};
use http_body_util::Full;
use url::{Position, Url};

use crate::{
    address_guard::{AddressGuard, Scheme},
    destination::Destination,
    http_outcome::HttpOutcome,
    http_request::HttpRequest,
    tls::tls_connector::TlsProfile,
};
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};

/// A request that can be written to a connection.
pub(crate) struct PreparedRequest {
    pub(crate) destination: Destination,
    method: Method,
    target: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl PreparedRequest {
    /// # Errors
    ///
    /// The outcome of the request: it is blocked.
    pub(crate) fn new(
        guard: &AddressGuard,
        request: HttpRequest,
        tls_profile: Option<Arc<TlsProfile>>,
    ) -> Result<Self, Box<HttpOutcome>> {
        let HttpRequest { method, url, mut headers, body, .. } = request;
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
        let destination = Destination::new(scheme, &url, tls_profile).ok_or_else(unsendable)?;
        if let Some(address) = destination.literal_address() {
            let permitted = guard.check(scheme, address);
            permitted.map_err(|refusal| Box::new(HttpOutcome::refused(Phase::Prepare, scheme, refusal)))?;
        }
        let target = PathAndQuery::try_from(&url[Position::BeforePath..Position::AfterQuery]);
        let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
        let (Ok(target), Ok(host)) = (target, host) else { return Err(unsendable()) };

        for set_by_client in [CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(set_by_client);
        }
        headers.insert(HOST, host);
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            // Some receivers refuse (411) a POST that does not say that it is empty (RFC 9110, 8.6).
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(Self { destination, method, target: target.into(), headers, body })
    }

    /// The request for hyper. Its headers are cloned if it may be needed again, else moved out.
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

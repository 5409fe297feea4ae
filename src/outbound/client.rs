//! The HTTP client: one request, once.
//!
//! Two clients with a pool each, since the guard must know whether a connection will be encrypted and the resolver
//! of an HTTP client is told a name only. Connections are reused while they are warm, which saves a busy receiver
//! the handshakes; the idle time is below the five seconds after which common servers (Node.js, Apache) hang up,
//! because a request written into a connection that is just being closed is lost, and may not be sent again.
//!
//! The underlying client sends a request anew in one case only: the pooled connection it was queued on turned out to
//! be closed before the first byte was written. Its retries on a receiver's refusal are turned off.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{
    HeaderValue, Method,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use hyper_util::client::legacy::connect::HttpInfo;
use ipnet::IpNet;
use reqwest::{Certificate, Request, redirect, retry};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::{
    Outgoing, Sent, classify,
    classify::Destination,
    guard::{Guard, Scheme},
    resolve::{Guarded, Resolver, SystemResolver},
    response::Incoming,
};
use crate::model::failure::{ErrorKind, Failure};

const IDLE: Duration = Duration::from_secs(4);
/// As many as the one process sends to a receiver of one subscription at once.
const IDLE_PER_HOST: usize = 16;
const KEEPALIVE: Duration = Duration::from_secs(15);
/// An answer with more headers is a broken one. Left alone, the parser breaks off at 100, which a receiver behind a few
/// proxies may reach. All headers together may be some 400 KiB, the size of the parser's buffer, which cannot be set.
pub(super) const MAX_HEADERS: usize = 1024;

/// Sends webhooks. Cheap to clone; made once, since it holds the connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    https: reqwest::Client,
    guard: Arc<Guard>,
}

/// The client could not be made, most often because the system has no trusted certificates.
#[derive(Debug, Error)]
#[error("cannot set up HTTPS (are the system's CA certificates installed?)")]
pub struct Unavailable(#[from] reqwest::Error);

impl Client {
    /// A client that may send to public addresses and to the `allowed` networks. Names are resolved, and
    /// certificates trusted, as the operating system does.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates cannot be used.
    pub fn new(allowed: Vec<IpNet>) -> Result<Self, Unavailable> {
        Self::with_resolver(allowed, SystemResolver::default())
    }

    /// The same with another way to resolve names.
    ///
    /// # Errors
    ///
    /// As [`Client::new`].
    pub fn with_resolver(allowed: Vec<IpNet>, resolver: impl Resolver) -> Result<Self, Unavailable> {
        Self::trusting(allowed, resolver, &[])
    }

    /// The same, trusting these certificates as well as the system's.
    pub(super) fn trusting(
        allowed: Vec<IpNet>,
        resolver: impl Resolver,
        roots: &[Certificate],
    ) -> Result<Self, Unavailable> {
        let guard = Arc::new(Guard::new(allowed));
        let resolver: Arc<dyn Resolver> = Arc::new(resolver);
        let pool = |scheme| {
            let (guard, resolver) = (Arc::clone(&guard), Arc::clone(&resolver));
            let builder = reqwest::Client::builder();
            let builder = match scheme {
                // It never meets a certificate: reading those of the system would take milliseconds for nothing.
                Scheme::Http => builder.tls_certs_only([]),
                Scheme::Https => builder.https_only(true).tls_certs_merge(roots.iter().cloned()),
            };
            builder
                .dns_resolver(Guarded { resolver, guard, scheme })
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .no_proxy()
                .referer(false)
                .http1_only()
                .http1_max_headers(MAX_HEADERS)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(IDLE_PER_HOST)
                .tcp_nodelay(true)
                .tcp_keepalive(KEEPALIVE)
                .build()
        };
        Ok(Self { http: pool(Scheme::Http)?, https: pool(Scheme::Https)?, guard })
    }

    /// Sends the request and reads the answer; never more than one request, whatever happens. A call that is dropped
    /// closes its connection, and what the receiver got is unknown.
    pub async fn send(&self, outgoing: Outgoing) -> Sent {
        let started = Instant::now();
        let timeout = outgoing.timeout;
        let mut sent = match self.prepare(outgoing) {
            Ok(prepared) => exchange(prepared, timeout, started + timeout).await,
            Err(failure) => Sent::failed(failure),
        };
        sent.elapsed = started.elapsed();
        sent
    }

    fn prepare(&self, outgoing: Outgoing) -> Result<Prepared<'_>, Failure> {
        let Outgoing { method, url, headers, body, timeout: _ } = outgoing;
        let mut url =
            Url::parse(&url).map_err(|error| blocked(format!("the URL cannot be used: {error}")))?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => {
                return Err(blocked(
                    "only https:// (and, where the operator allows it, http://) can be sent to",
                ));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(blocked(
                "the URL holds a user name or a password; use an Authorization header instead",
            ));
        }
        if let Some(address) = literal(&url) {
            let refused = |refusal| blocked(format!("the destination is {refusal}"));
            self.guard.check(scheme, address).map_err(refused)?;
        }
        url.set_fragment(None);

        let to = Destination::new(scheme, &url);
        let takes_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        for made_here in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING] {
            request.headers_mut().remove(made_here);
        }
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            *request.body_mut() = Some(body.into());
        } else if takes_body {
            // Some receivers refuse (411) a POST that does not say that it is empty (RFC 9110, 8.6).
            let none = HeaderValue::from_static("0");
            request.headers_mut().insert(CONTENT_LENGTH, none);
        }
        let client = match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        };
        Ok(Prepared { client, request, to })
    }
}

struct Prepared<'a> {
    client: &'a reqwest::Client,
    request: Request,
    to: Destination,
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn blocked(detail: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Blocked, detail)
}

async fn exchange(prepared: Prepared<'_>, timeout: Duration, deadline: Instant) -> Sent {
    let Prepared { client, request, to } = prepared;
    let response = match timeout_at(deadline, client.execute(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Sent::failed(classify::without_answer(&error, &to)),
        Err(_) => return Sent::failed(classify::no_answer_in_time(timeout)),
    };
    let source_ip = response.extensions().get::<HttpInfo>().map(|info| info.local_addr().ip().to_canonical());

    let mut incoming = Incoming::new(response);
    let failure = match timeout_at(deadline, incoming.read()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(classify::within_answer(&error, incoming.progress(), &to)),
        Err(_) => Some(classify::answer_not_in_time(timeout, incoming.progress())),
    };
    let received = incoming.finish();
    let (result, partial) = match failure {
        None => (Ok(received), None),
        Some(failure) => (Err(failure), Some(received)),
    };
    Sent { elapsed: Duration::ZERO, source_ip, result, partial }
}

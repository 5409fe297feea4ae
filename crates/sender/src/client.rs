//! The HTTP client: one request, once.
//!
//! A request goes over a connection that is kept from another one where there is one, else over a new one: the name
//! is looked up, its addresses are judged, a connection is made and secured. Which connections are kept, and for how
//! long, is [`super::reuse`]'s rule.
//!
//! A request is written once. Where a kept connection turns out to have ended before the first byte was written, or to
//! take no request, another is taken; where it ends afterwards without one byte of an answer, what the receiver got is
//! unknown, and the attempt is interrupted.

use std::{sync::Arc, time::Duration};

use http::Response;
use hyper::{body::Incoming as Body, client::conn::http1};
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;

use crate::{
    Outgoing, Sent,
    address_guard::Guard,
    connection::address_order::Failing,
    connection::http_connection::Connection,
    connection::keep_alive::Limits,
    connection::pool::{Pool, Seat},
    connector::{Begun, How, Stop, over_kept, over_new},
    failures::response_failures,
    failures::timeout_failures::{self, Track},
    prepared_request::{Prepared, prepare},
    resolver::lookup_limiter::Lookups,
    resolver::resolver_files::Unusable,
    resolver::resolver_trait::Resolver,
    resolver::system_resolver::SystemResolver,
    response::response_reader::Incoming,
    tls::tls_connector,
};
use loanhook_core::ports::NotSent;

/// An answer with more headers is a broken one. Left alone, the parser breaks off at 100, which a receiver behind a few
/// proxies may reach. All headers together may be some 400 KiB, the size of the parser's buffer.
pub(crate) const MAX_HEADERS: usize = 1024;
/// What it takes for closed connections to give their descriptors back.
const CLOSING: Duration = Duration::from_millis(20);

/// Sends webhooks. Cheap to clone; made once, since it holds the connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) guard: Guard,
    pub(crate) lookups: Lookups,
    pub(crate) failing: Failing,
    pool: Arc<Pool>,
    pub(crate) tls: TlsConnector,
    pub(crate) http: http1::Builder,
}

/// The client could not be made.
#[derive(Debug, Error)]
pub enum Unavailable {
    #[error("cannot set up HTTPS (are the system's CA certificates installed?): {0}")]
    Certificates(#[from] rustls::Error),
    #[error("cannot set up sending: {0}")]
    Names(#[from] Unusable),
}

impl Client {
    /// A client that may send to public addresses and to the `allowed` networks. Names are resolved, and
    /// certificates trusted, as the operating system does.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates, or its configuration of names, cannot be used.
    pub fn new(allowed: Vec<IpNet>) -> Result<Self, Unavailable> {
        Self::with_resolver(allowed, SystemResolver::new()?)
    }

    /// The same, where so many connections at most wait for another request.
    ///
    /// # Errors
    ///
    /// As for [`Client::new`].
    pub fn with_idle(allowed: Vec<IpNet>, most: usize) -> Result<Self, Unavailable> {
        let limits = Limits { idle_in_all: most, ..Limits::default() };
        Self::made(allowed, SystemResolver::new()?, &[], limits)
    }

    /// The same with another way to resolve names.
    ///
    /// # Errors
    ///
    /// When the system's trusted certificates cannot be used.
    pub fn with_resolver(allowed: Vec<IpNet>, resolver: impl Resolver) -> Result<Self, Unavailable> {
        Self::made(allowed, resolver, &[], Limits::default())
    }

    /// The same, trusting these certificates as well as the system's, with these limits of connections.
    pub(crate) fn made(
        allowed: Vec<IpNet>,
        resolver: impl Resolver,
        roots: &[CertificateDer<'static>],
        limits: Limits,
    ) -> Result<Self, Unavailable> {
        let mut http = http1::Builder::new();
        http.max_headers(MAX_HEADERS)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        Ok(Self(Arc::new(Inner {
            guard: Guard::new(allowed),
            lookups: Lookups::new(Arc::new(resolver)),
            failing: Failing::default(),
            pool: Arc::new(Pool::new(limits)),
            tls: tls_connector::connector(roots)?,
            http,
        })))
    }

    /// Sends the request and reads the answer; never more than one request, whatever happens. A call that is dropped
    /// closes its connection, and what the receiver got is unknown.
    ///
    /// # Errors
    ///
    /// When nothing left, because this machine lacked what it takes.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Sent, NotSent> {
        let started = Instant::now();
        let how = How::of(&outgoing, started);
        let mut sent = match prepare(&self.0.guard, outgoing) {
            Ok(prepared) => self.0.exchange(prepared, &how).await?,
            Err(blocked) => *blocked,
        };
        sent.elapsed = started.elapsed();
        Ok(sent)
    }
}

impl Inner {
    async fn exchange(&self, mut prepared: Prepared, how: &How) -> Result<Sent, NotSent> {
        let seat = self.pool.sit(&prepared.to.origin);
        let mut track = Track::default();
        let begun = timeout_at(how.deadline, self.begin(&mut prepared, how, &seat, &mut track)).await;
        let stopped = match begun {
            Ok(Ok((response, connection))) => {
                return Ok(self.read(response, connection, &seat, &prepared, how).await);
            }
            Ok(Err(Stop::NotSent(not_sent))) => return Err(not_sent),
            Ok(Err(Stop::Failed(sent))) => *sent,
            Err(_) => match track.lacking.take() {
                Some(not_sent) => return Err(not_sent),
                None => Sent::failed(timeout_failures::before_answer(&track, how.timeout, &prepared.to)),
            },
        };
        // The next attempt begins with another address: the first that failed is the last to be tried again.
        if !stopped.is_interrupted() {
            track.addresses.iter().rev().for_each(|address| self.failing.note(*address));
        }
        Ok(stopped)
    }

    async fn begin(
        &self,
        prepared: &mut Prepared,
        how: &How,
        seat: &Seat,
        track: &mut Track,
    ) -> Result<Begun, Stop> {
        while !how.fresh
            && let Some(connection) = seat.kept()
        {
            if let Some(ended) = over_kept(connection, prepared, track).await {
                return ended;
            }
        }
        let connection = match self.open(prepared, how, seat, track).await {
            // Connections that wait may hold what is missing.
            Err(Stop::NotSent(not_sent)) if self.pool.close_idle() > 0 => {
                track.lacking = Some(not_sent);
                sleep(CLOSING).await;
                self.open(prepared, how, seat, track).await?
            }
            opened => opened?,
        };
        over_new(connection, prepared, track).await
    }

    /// Reads the answer, and keeps the connection where that may be used again.
    async fn read(
        &self,
        response: Response<Body>,
        connection: Connection,
        seat: &Seat,
        prepared: &Prepared,
        how: &How,
    ) -> Sent {
        let mut incoming = Incoming::new(response, &connection.watch);
        let failure = match timeout_at(how.deadline, incoming.read()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                Some(response_failures::within_answer(&error, incoming.progress(), &prepared.to))
            }
            Err(_) => Some(timeout_failures::within_answer(how.timeout, incoming.progress())),
        };
        let (local, remote) = (connection.local, connection.remote);
        if failure.is_none() && !incoming.is_server_error() {
            self.failing.clear(remote);
        } else {
            self.failing.note(remote);
        }
        if failure.is_some() || !incoming.is_whole() || !connection.is_flushed() {
            drop(connection);
        } else if let Some(idle) = incoming.idle_time() {
            seat.keep(connection, idle);
        } else {
            connection.close();
        }
        let received = incoming.finish();
        let (result, partial) = match failure {
            None => (Ok(received), None),
            Some(failure) => (Err(failure), Some(received)),
        };
        Sent { elapsed: Duration::ZERO, source_ip: Some(local), result, partial, refusal: None }
    }
}

//! New connections, and the request on its way over one.
//!
//! The name is looked up, every address is judged, a connection is made to the first that takes it, and secured.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming as Body;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use crate::{
    Outgoing, Sent,
    address_guard::Scheme,
    client::Inner,
    connection::connection_race::{Raced, Unconnected, race},
    connection::http_connection::Connection,
    connection::monitored_stream::{Counted, Transport, Watch, Wire},
    connection::pool::Seat,
    failures::response_failures,
    failures::timeout_failures::Track,
    prepared_request::{Destination, Prepared, refused},
    resolver::resolver_trait::permitted,
    resource_exhaustion,
};
use loanhook_core::model::{failure::Phase, id::TenantId};
use loanhook_core::ports::NotSent;

/// How long it is waited for that a kept connection takes a request.
const READY: Duration = Duration::from_millis(100);

/// How a request ended before an answer began.
pub(crate) enum Stop {
    Failed(Box<Sent>),
    NotSent(NotSent),
}

impl From<Sent> for Stop {
    fn from(sent: Sent) -> Self {
        Self::Failed(Box::new(sent))
    }
}

/// An answer that has begun, and the connection it comes over.
pub(crate) type Begun = (Response<Body>, Connection);

/// What a request needs besides its own bytes.
pub(crate) struct How {
    pub(crate) tenant: TenantId,
    pub(crate) fresh: bool,
    pub(crate) turn: usize,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
}

impl How {
    pub(crate) fn of(outgoing: &Outgoing, started: Instant) -> Self {
        let Outgoing { tenant, fresh_connection, turn, timeout, .. } = outgoing;
        let (fresh, turn, timeout) = (*fresh_connection, *turn, *timeout);
        Self { tenant: tenant.clone(), fresh, turn, timeout, deadline: started + timeout }
    }
}

impl Inner {
    /// A new connection to the request's destination.
    pub(crate) async fn open(
        &self,
        prepared: &Prepared,
        how: &How,
        seat: &Seat,
        track: &mut Track,
    ) -> Result<Connection, Stop> {
        let to = &prepared.to;
        *track = Track::default();
        let secure_for = match (to.scheme, &to.certified) {
            (Scheme::Http, _) => None,
            (Scheme::Https, Some(name)) => Some(name.clone()),
            (Scheme::Https, None) => return Err(Sent::failed(response_failures::impossible_name(to)).into()),
        };
        let found = self.permitted(to, &how.tenant, &mut track.lacking).await?;
        track.phase = Phase::Connect;
        track.addresses = self.failing.order(&found, to.port, how.turn);
        let Raced { stream, remote, behind } = race(&track.addresses).await.map_err(|error| match error {
            Unconnected::Refused(error) => {
                Sent::failed(response_failures::unconnected(&error, to, found.len())).into()
            }
            Unconnected::Lacking(not_sent) => Stop::NotSent(not_sent),
        })?;
        behind.into_iter().for_each(|address| self.failing.note(address));
        track.addresses = vec![remote];
        stream.set_nodelay(true).ok();
        let local = stream.local_addr().map_or(remote.ip(), |address| address.ip()).to_canonical();
        let transport = match secure_for {
            None => Transport::Clear(stream),
            Some(name) => {
                track.phase = Phase::Tls;
                let secured = self.tls.connect(name, stream).await;
                Transport::Secure(Box::new(secured.map_err(|error| {
                    match resource_exhaustion::not_sent(&error) {
                        Some(not_sent) => Stop::NotSent(not_sent),
                        None => Sent::failed(response_failures::unsecured(&error, to)).into(),
                    }
                })?))
            }
        };
        let watch = Arc::new(Watch::default());
        let wire = TokioIo::new(Wire::new(transport, Arc::clone(&watch)));
        let shaken =
            self.http.handshake(wire).await.map_err(|_| Sent::failed(response_failures::closed(to)))?;
        Ok(seat.begin(shaken, watch, local, remote))
    }

    /// The addresses of a destination, all of which may be connected to.
    async fn permitted(
        &self,
        to: &Destination,
        tenant: &TenantId,
        lacking: &mut Option<NotSent>,
    ) -> Result<Vec<IpAddr>, Stop> {
        if let Some(address) = to.literal() {
            return Ok(vec![address]);
        }
        let found = self.lookups.addresses(tenant, &to.host.to_string(), lacking).await;
        let found = found.map_err(|error| match response_failures::unresolved(&error, to) {
            Ok(failure) => Sent::failed(failure).into(),
            Err(not_sent) => Stop::NotSent(not_sent),
        })?;
        if found.is_empty() {
            return Err(Sent::failed(response_failures::unknown_name(to)).into());
        }
        let refusal = permitted(&self.guard, to.scheme, &found);
        refusal.map_err(|refusal| refused(Phase::Resolve, to.scheme, refusal))?;
        Ok(found)
    }
}

/// Writes the request to a kept connection, and waits for its answer to begin; none if nothing was written, since the
/// connection had ended or does not take a request.
pub(crate) async fn over_kept(
    mut connection: Connection,
    prepared: &mut Prepared,
    track: &mut Track,
) -> Option<Result<Begun, Stop>> {
    begin(&mut connection, track, true);
    // It has nothing to do, so it is ready unless it has ended.
    if !matches!(timeout(READY, connection.requests.ready()).await, Ok(Ok(()))) {
        return None;
    }
    let request = prepared.request(true);
    let Unanswered { connection, error, counted, written } = match write(connection, request).await {
        Ok(begun) => return Some(Ok(begun)),
        Err(unanswered) => unanswered,
    };
    if let Some(lacking) = lacking(&error, written) {
        return Some(Err(lacking));
    }
    if !written {
        return None;
    }
    let to = &prepared.to;
    Some(Err(if counted.read == 0 {
        Sent::failed(response_failures::interrupted(counted, to)).into()
    } else {
        without_answer(&connection, &error, counted, to)
    }))
}

/// Writes the request to a new connection, and waits for its answer to begin.
pub(crate) async fn over_new(
    mut connection: Connection,
    prepared: &mut Prepared,
    track: &mut Track,
) -> Result<Begun, Stop> {
    begin(&mut connection, track, false);
    let request = prepared.request(false);
    let Unanswered { connection, error, counted, written } = match write(connection, request).await {
        Ok(begun) => return Ok(begun),
        Err(unanswered) => unanswered,
    };
    Err(lacking(&error, written)
        .unwrap_or_else(|| without_answer(&connection, &error, counted, &prepared.to)))
}

fn begin(connection: &mut Connection, track: &mut Track, kept: bool) {
    connection.used += 1;
    connection.watch.begin(kept);
    track.phase = Phase::Send;
    track.addresses = vec![connection.remote];
    track.watch = Some(Arc::clone(&connection.watch));
}

/// A request to which no answer began.
struct Unanswered {
    connection: Connection,
    error: hyper::Error,
    counted: Counted,
    /// Whether a byte of the request was written.
    written: bool,
}

async fn write(mut connection: Connection, request: Request<Full<Bytes>>) -> Result<Begun, Unanswered> {
    let error = match connection.requests.try_send_request(request).await {
        Ok(response) => return Ok((response, connection)),
        Err(error) => error,
    };
    let counted = connection.watch.counted();
    let written = error.message().is_none() && counted.written > 0;
    Err(Unanswered { connection, error: error.into_error(), counted, written })
}

fn lacking(error: &hyper::Error, written: bool) -> Option<Stop> {
    if written { None } else { response_failures::lacking(error).map(Stop::NotSent) }
}

fn without_answer(connection: &Connection, error: &hyper::Error, counted: Counted, to: &Destination) -> Stop {
    let judged = connection.watch.judge(|raw| response_failures::without_answer(error, raw, counted, to));
    Sent::failed(judged).into()
}

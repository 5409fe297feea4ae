//! New connections, and the request on its way over one.
//!
//! The name is looked up, every address is judged, a connection is made to the first that takes it, and secured.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::Response;
use hyper::body::Incoming as Body;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::{
    Outgoing, Sent, classify,
    client::Inner,
    connect::{Raced, Unconnected, race},
    connection::Connection,
    guard::Scheme,
    lack,
    pool::Seat,
    prepare::{Destination, Prepared, refused},
    resolve::permitted,
    timeouts::Track,
    wire::{Transport, Watch, Wire},
};
use crate::model::{failure::Phase, id::TenantId};
use crate::ports::NotSent;

/// How a request ended before an answer began.
pub(super) enum Stop {
    Failed(Box<Sent>),
    NotSent(NotSent),
    /// The kept connection had ended before the first byte was written.
    Unwritten,
}

impl From<Sent> for Stop {
    fn from(sent: Sent) -> Self {
        Self::Failed(Box::new(sent))
    }
}

/// An answer that has begun, and the connection it comes over.
pub(super) type Begun = (Response<Body>, Connection);

/// What a request needs besides its own bytes.
pub(super) struct How {
    pub(super) tenant: TenantId,
    pub(super) fresh: bool,
    pub(super) turn: usize,
    pub(super) timeout: Duration,
    pub(super) deadline: Instant,
}

impl How {
    pub(super) fn of(outgoing: &Outgoing, started: Instant) -> Self {
        let Outgoing { tenant, fresh_connection, turn, timeout, .. } = outgoing;
        let (fresh, turn, timeout) = (*fresh_connection, *turn, *timeout);
        Self { tenant: tenant.clone(), fresh, turn, timeout, deadline: started + timeout }
    }
}

impl Inner {
    /// A new connection to the request's destination.
    pub(super) async fn open(
        &self,
        prepared: &Prepared,
        how: &How,
        seat: &Seat,
        track: &mut Track,
    ) -> Result<Connection, Stop> {
        let to = &prepared.to;
        *track = Track::default();
        if to.scheme == Scheme::Https && to.certified.is_none() {
            return Err(Sent::failed(classify::impossible_name(to)).into());
        }
        let found = self.permitted(to, &how.tenant).await?;
        track.phase = Phase::Connect;
        track.addresses = self.failing.order(&found, to.port, how.turn);
        let Raced { stream, remote, behind } = race(&track.addresses).await.map_err(|error| match error {
            Unconnected::Refused(error) => {
                Sent::failed(classify::unconnected(&error, to, found.len())).into()
            }
            Unconnected::Lacking(not_sent) => Stop::NotSent(not_sent),
        })?;
        behind.into_iter().for_each(|address| self.failing.note(address));
        track.addresses = vec![remote];
        stream.set_nodelay(true).ok();
        let local = stream.local_addr().map_or(remote.ip(), |address| address.ip()).to_canonical();
        let transport = match (to.scheme, &to.certified) {
            (Scheme::Http, _) => Transport::Clear(stream),
            (Scheme::Https, None) => return Err(Sent::failed(classify::impossible_name(to)).into()),
            (Scheme::Https, Some(name)) => {
                track.phase = Phase::Tls;
                let secured = self.tls.connect(name.clone(), stream).await;
                Transport::Secure(Box::new(secured.map_err(|error| match lack::not_sent(&error) {
                    Some(not_sent) => Stop::NotSent(not_sent),
                    None => Sent::failed(classify::unsecured(&error, to)).into(),
                })?))
            }
        };
        let watch = Arc::new(Watch::default());
        let wire = TokioIo::new(Wire::new(transport, Arc::clone(&watch)));
        let shaken = self.http.handshake(wire).await.map_err(|_| Sent::failed(classify::closed(to)))?;
        Ok(seat.begin(shaken, watch, local, remote))
    }

    /// The addresses of a destination, all of which may be connected to.
    async fn permitted(&self, to: &Destination, tenant: &TenantId) -> Result<Vec<IpAddr>, Stop> {
        if let Some(address) = to.literal() {
            return Ok(vec![address]);
        }
        let found = self.lookups.addresses(tenant, &to.host.to_string()).await;
        let found = found.map_err(|error| match classify::unresolved(&error, to) {
            Ok(failure) => Sent::failed(failure).into(),
            Err(not_sent) => Stop::NotSent(not_sent),
        })?;
        if found.is_empty() {
            return Err(Sent::failed(classify::unknown_name(to)).into());
        }
        let refusal = permitted(&self.guard, to.scheme, &found);
        refusal.map_err(|refusal| refused(Phase::Resolve, to.scheme, refusal))?;
        Ok(found)
    }
}

/// Writes the request to a connection, and waits for its answer to begin.
pub(super) async fn over(
    mut connection: Connection,
    prepared: &mut Prepared,
    track: &mut Track,
) -> Result<Begun, Stop> {
    let kept = connection.used > 0;
    connection.used += 1;
    connection.watch.begin(kept);
    track.phase = Phase::Send;
    track.addresses = vec![connection.remote];
    track.watch = Some(Arc::clone(&connection.watch));
    if kept && connection.requests.ready().await.is_err() {
        return Err(Stop::Unwritten);
    }
    let request = prepared.request(kept);
    let error = match connection.requests.try_send_request(request).await {
        Ok(response) => return Ok((response, connection)),
        Err(error) => error,
    };
    let bytes = connection.watch.bytes();
    let written = error.message().is_none() && bytes.written > 0;
    let error = error.into_error();
    if !written && let Some(not_sent) = classify::lacking(&error) {
        return Err(Stop::NotSent(not_sent));
    }
    Err(match (kept, written) {
        (true, false) => Stop::Unwritten,
        (true, true) if bytes.read == 0 => Sent::failed(classify::interrupted(bytes, &prepared.to)).into(),
        _ => {
            let to = &prepared.to;
            let judged = connection.watch.judge(|raw| classify::without_answer(&error, raw, bytes, to));
            Sent::failed(judged).into()
        }
    })
}

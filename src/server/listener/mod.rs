//! The listener of the one process: HTTP/1.1 connections, so many at once, served until they are asked to end.
//!
//! Whoever connects may be a stranger, so nothing that a connection can hold is without a bound: `places` has so many
//! of them, and says who goes when all are taken; `phase` has the deadlines; `connection` serves one; `stream` is its
//! socket, `bodies` are those of its requests and answers; `peer` says whose address it is.

mod bodies;
mod client_address;
mod connection;
mod connection_permits;
mod connection_state;
mod connection_stream;
mod final_response;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use ipnet::IpNet;
use loanhook_http::web::Group;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use client_address::Peers;
use connection::Served;
use connection_permits::Places;

/// The rest after the system would not give us a connection (it is out of file descriptors, say).
const REST: Duration = Duration::from_millis(100);
/// How often the log says so.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What bounds the listener, and whom it believes.
pub(crate) struct Bounds {
    /// How many connections there are at once.
    pub(crate) connections: usize,
    /// Proxies whose `X-Forwarded-For` says where a request came from.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Serves until `stopped` is true, then ends once no request is being answered.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(bounds.connections));
    let peers = Arc::new(Peers { trusted: bounds.trusted_proxies });
    let served = Arc::new(Served::new(router, Arc::clone(&peers)));
    let mut connections = JoinSet::new();
    let mut troubles = Troubles::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            // That nobody is left to stop this means the same.
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let (socket, peer) = match accepted {
            Ok((socket, peer)) => (socket, peer.ip()),
            Err(error) => {
                troubles.tell("api.no_connection", &error.to_string());
                places.let_one_go();
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        // An answer is written whole: waiting to fill a packet would only delay it.
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%error, "api.nodelay");
        }
        // A proxy has a connection for each of many callers.
        let group = (!peers.trusts(peer)).then(|| Group::of(peer));
        match places.take(group, Instant::now()) {
            Some(place) => {
                connections.spawn(Arc::clone(&served).serve(socket, peer, place, stopped.clone()));
                places.settled().await;
            }
            None => {
                troubles.tell("api.connections_taken", "every connection is at a request");
                refuse(&socket);
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Says, as far as that is possible without waiting, that there is no place.
fn refuse(socket: &TcpStream) {
    // Whether it is heard does not matter.
    let _ = socket.try_write(&final_response::busy());
}

/// Troubles that come again and again: the log has one line of them now and then.
#[derive(Default)]
struct Troubles {
    times: u64,
    told: Option<Instant>,
}

impl Troubles {
    fn tell(&mut self, what: &str, why: &str) {
        self.times += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            warn!(times = self.times, why, "{what}");
            *self = Self { times: 0, told: Some(Instant::now()) };
        }
    }
}

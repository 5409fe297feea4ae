//! The listener of the one process: HTTP/1.1 connections of callers, a bounded number at once, served until a stop is
//! asked for.
//!
//! Anybody may connect, so everything that a connection can hold has a bound. `connection_permits` bounds the number of
//! connections and chooses which one is evicted when all permits are held; `connection_state` has the phases of a
//! connection and their deadlines; `connection` serves one; `connection_stream` is its socket, `bodies` are the bodies of
//! its requests and responses; `final_response` writes a response after which the connection ends; `client_address`
//! finds the caller's address behind proxies.

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
use loanhook_http::web::AddressGroup;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use client_address::TrustedProxies;
use connection::ConnectionServer;
use connection_permits::ConnectionPermits;

/// The wait after the system gave no connection, because it has no file descriptors left for example.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The shortest time between two lines of the log about connections that were not served.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

pub(crate) struct ListenerOptions {
    /// How many connections there may be at once.
    pub(crate) max_connections: usize,
    /// Proxies whose `X-Forwarded-For` gives the address of a caller.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Serves `router` until `stopped` is true or its sender is dropped. Then it accepts no more connections, and returns
/// when every request that is under way has its response.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    options: ListenerOptions,
    mut stopped: watch::Receiver<bool>,
) {
    let permits = Arc::new(ConnectionPermits::new(options.max_connections));
    let proxies = Arc::new(TrustedProxies { networks: options.trusted_proxies });
    let server = Arc::new(ConnectionServer::new(router, Arc::clone(&proxies)));
    let mut connections = JoinSet::new();
    let mut warnings = RateLimitedWarnings::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let (socket, peer_address) = match accepted {
            Ok((socket, peer)) => (socket, peer.ip()),
            Err(error) => {
                warnings.warn("api.no_connection", &error.to_string());
                permits.evict_one();
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        // A response is written whole: waiting to fill a packet would only delay it.
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%error, "api.nodelay");
        }
        // The connections of a proxy come from many callers, so they are no group.
        let group = (!proxies.contains(peer_address)).then(|| AddressGroup::of(peer_address));
        match permits.acquire(group, Instant::now()) {
            Some(permit) => {
                connections.spawn(Arc::clone(&server).serve(socket, peer_address, permit, stopped.clone()));
                permits.wait_for_evicted().await;
            }
            None => {
                warnings.warn("api.connections_taken", "every connection is at a request");
                refuse(&socket);
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers 503, as far as that is possible without waiting.
fn refuse(socket: &TcpStream) {
    // Whether the caller can read it does not matter.
    let _ = socket.try_write(&final_response::service_unavailable());
}

/// Warnings that may come very often: the log has at most one line in each [`WARNING_INTERVAL`].
#[derive(Default)]
struct RateLimitedWarnings {
    /// How often there was a warning since the last line.
    times: u64,
    last_line_at: Option<Instant>,
}

impl RateLimitedWarnings {
    fn warn(&mut self, event: &str, why: &str) {
        self.times += 1;
        if self.last_line_at.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
            warn!(times = self.times, why, "{event}");
            *self = Self { times: 0, last_line_at: Some(Instant::now()) };
        }
    }
}

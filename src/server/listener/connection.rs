//! One connection of a caller: its requests are answered until the caller, a deadline, an eviction or a stop ends it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use loanhook_http::web::Client;
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout, timeout_at};
use tracing::debug;

use super::bodies::{RequestBody, ResponseBody};
use super::client_address::TrustedProxies;
use super::connection_permits::ConnectionPermit;
use super::connection_state::{ConnectionState, Phase};
use super::connection_stream::{ConnectionStream, ResponseProgress};
use super::final_response;

/// The longest head of a request: request line and headers.
const MAX_HEAD_BYTES: usize = 32 << 10;
/// What is read ahead of a request's body, and kept of a response before it is written.
const MAX_BUFFER_BYTES: usize = 64 << 10;
/// How long a final response may take to be written.
const FINAL_RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// After the last response so much more is read and discarded, so that the caller receives the response and not a reset.
const MAX_DISCARDED_BYTES: usize = 16 << 20;
/// Discarding ends when nothing has come for so long.
const DISCARD_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// What all connections are served with.
pub(super) struct ConnectionServer {
    http: http1::Builder,
    router: Router,
    proxies: Arc<TrustedProxies>,
}

impl ConnectionServer {
    pub(super) fn new(router: Router, proxies: Arc<TrustedProxies>) -> Self {
        let mut http = http1::Builder::new();
        // The phases of a connection have deadlines of our own.
        http.header_read_timeout(None).max_header_size(MAX_HEAD_BYTES).max_buf_size(MAX_BUFFER_BYTES);
        Self { http, router, proxies }
    }

    /// Serves one connection until it ends. `permit` is held as long.
    pub(super) async fn serve(
        self: Arc<Self>,
        socket: TcpStream,
        peer_address: IpAddr,
        permit: ConnectionPermit,
        mut stopped: watch::Receiver<bool>,
    ) {
        let state = &permit.state;
        let progress = Arc::new(ResponseProgress::default());
        let stream = ConnectionStream::new(socket, Arc::clone(state), Arc::clone(&progress));
        let service = service_fn(|request| self.respond(request, peer_address, state, &progress));
        let mut connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut is_shutting_down = false;
        let mut deadline_check =
            std::pin::pin!(sleep_until(state.next_deadline_check(Instant::now()).into()));
        let ended = loop {
            tokio::select! {
                // An eviction first: what is polled after it could change the phase that it was chosen for.
                biased;
                () = state.evicted() => {
                    // A request may have been authenticated since the connection was chosen: it gets its response.
                    if state.phase() != Phase::AuthenticatedRequest {
                        return;
                    }
                    Pin::new(&mut connection).graceful_shutdown();
                    is_shutting_down = true;
                }
                ended = &mut connection => break ended,
                () = &mut deadline_check => {
                    let now = Instant::now();
                    if state.deadline().is_some_and(|deadline| deadline <= now) {
                        return;
                    }
                    deadline_check.as_mut().reset(state.next_deadline_check(now).into());
                }
                _ = stopped.wait_for(|stopped| *stopped), if !is_shutting_down => {
                    Pin::new(&mut connection).graceful_shutdown();
                    is_shutting_down = true;
                }
            }
        };
        if let Err(error) = ended {
            debug!(%error, "api.connection_ended");
        }
        let stream = connection.into_parts().io.into_inner();
        state.close();
        tokio::select! {
            () = close(stream, state) => {}
            () = state.evicted() => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    /// The router's response, with the phases of the connection around it.
    async fn respond(
        &self,
        request: Request<Incoming>,
        peer_address: IpAddr,
        state: &Arc<ConnectionState>,
        progress: &Arc<ResponseProgress>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        progress.begin();
        state.enter(Phase::UnauthenticatedRequest, Instant::now());
        let mut request = request.map(|body| RequestBody::new(body, Arc::clone(state)));
        let client_address = self.proxies.client_address(peer_address, request.headers());
        let client = Client::new(Some(client_address), Some(Arc::<ConnectionState>::clone(state)));
        request.extensions_mut().insert(client);
        let response = TowerToHyperService::new(self.router.clone()).call(request).await?;
        Ok(response.map(|body| ResponseBody::new(body, Arc::clone(progress))))
    }
}

/// Ends a connection: writes a final response in place of one that was withheld, ends our side, and discards for a while
/// what the caller still sends.
async fn close(mut stream: ConnectionStream, state: &ConnectionState) {
    if let Some(status) = stream.withheld_status {
        let response = final_response::for_status(status).await;
        let written = timeout(FINAL_RESPONSE_TIMEOUT, write_all(&stream.socket, &response)).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
    let shut_down = std::future::poll_fn(|cx| Pin::new(&mut stream.socket).poll_shutdown(cx)).await;
    if shut_down.is_err() || stream.reached_end {
        return;
    }
    discard(&stream.socket, state.deadline().unwrap_or_else(Instant::now)).await;
}

/// Reads until the caller ends its side, and at most until `deadline`, [`MAX_DISCARDED_BYTES`] or
/// [`DISCARD_IDLE_TIMEOUT`].
async fn discard(socket: &TcpStream, deadline: Instant) {
    let mut discarded_bytes = 0;
    let mut buffer = [0; 4096];
    while discarded_bytes < MAX_DISCARDED_BYTES {
        let idle_deadline = Instant::now() + DISCARD_IDLE_TIMEOUT;
        let readable = timeout_at(idle_deadline.min(deadline).into(), socket.readable()).await;
        let Ok(Ok(())) = readable else { return };
        match socket.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(bytes) => discarded_bytes += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn write_all(socket: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;

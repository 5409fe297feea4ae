//! One connection: its requests are answered until its caller, a deadline or the need of another ends it.

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
use loanhook_http::web::Source;
use tokio::io::AsyncWrite as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout, timeout_at};
use tracing::debug;

use super::bodies::{Answer, Asked};
use super::client_address::Peers;
use super::connection_permits::Place;
use super::connection_state::{ConnectionState, Phase};
use super::connection_stream::{Answering, Stream};
use super::final_response;

/// The longest head: request line and headers.
const HEAD: usize = 32 << 10;
/// What is read ahead of a body, and kept of an answer before it is written.
const BUFFER: usize = 64 << 10;
/// How long the last answer may take to be written.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(5);
/// Of a caller whose connection ends so much more is read, and for so long after the last of it, so that it hears the
/// answer instead of a reset.
const DROPPED: usize = 16 << 20;
const SILENT_FOR: Duration = Duration::from_secs(5);

/// How connections are served.
pub(super) struct Served {
    http: http1::Builder,
    router: Router,
    peers: Arc<Peers>,
}

impl Served {
    pub(super) fn new(router: Router, peers: Arc<Peers>) -> Self {
        let mut http = http1::Builder::new();
        // Deadlines are our own, by the phase of a connection.
        http.header_read_timeout(None).max_header_size(HEAD).max_buf_size(BUFFER);
        Self { http, router, peers }
    }

    pub(super) async fn serve(
        self: Arc<Self>,
        socket: TcpStream,
        peer: IpAddr,
        place: Place,
        mut stopped: watch::Receiver<bool>,
    ) {
        let state = &place.state;
        let answering = Arc::new(Answering::default());
        let stream = Stream::new(socket, Arc::clone(state), Arc::clone(&answering));
        let service = service_fn(|request| self.answer(request, peer, state, &answering));
        let mut connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut ending = false;
        let mut look = std::pin::pin!(sleep_until(state.next_look(Instant::now()).into()));
        let ended = loop {
            tokio::select! {
                // What it is at is as it was when it was let go, or a key was checked since.
                biased;
                () = state.is_let_go() => {
                    if state.phase() != Phase::KnownRequest {
                        return;
                    }
                    Pin::new(&mut connection).graceful_shutdown();
                    ending = true;
                }
                ended = &mut connection => break ended,
                () = &mut look => {
                    let now = Instant::now();
                    if state.deadline().is_some_and(|deadline| deadline <= now) {
                        return;
                    }
                    look.as_mut().reset(state.next_look(now).into());
                }
                _ = stopped.wait_for(|stopped| *stopped), if !ending => {
                    Pin::new(&mut connection).graceful_shutdown();
                    ending = true;
                }
            }
        };
        if let Err(error) = ended {
            debug!(%error, "api.connection_ended");
        }
        let stream = connection.into_parts().io.into_inner();
        state.close();
        tokio::select! {
            () = take_leave(stream, state) => {}
            () = state.is_let_go() => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    /// Answers a request, and has the connection's state say so.
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        state: &Arc<ConnectionState>,
        answering: &Arc<Answering>,
    ) -> Result<Response<Answer>, Infallible> {
        answering.begin();
        state.enter(Phase::Request, Instant::now());
        let mut request = request.map(|body| Asked::new(body, Arc::clone(state)));
        let client = self.peers.client(peer, request.headers());
        request
            .extensions_mut()
            .insert(Source::new(Some(client), Some(Arc::<ConnectionState>::clone(state))));
        let response = TowerToHyperService::new(self.router.clone()).call(request).await?;
        Ok(response.map(|body| Answer::new(body, Arc::clone(answering))))
    }
}

/// Ends a connection: the answer of the HTTP layer's own in our words, if there is one, then the end of what we send;
/// and what still comes is dropped, for a while.
async fn take_leave(mut stream: Stream, state: &ConnectionState) {
    if let Some(status) = stream.kept_back {
        let words = final_response::of(status).await;
        let written = timeout(LAST_WORDS_WITHIN, write_all(&stream.socket, &words)).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
    let ended = std::future::poll_fn(|cx| Pin::new(&mut stream.socket).poll_shutdown(cx)).await;
    if ended.is_err() || stream.ended {
        return;
    }
    let until = state.deadline().unwrap_or_else(Instant::now);
    let mut dropped = 0;
    let mut buffer = [0; 4096];
    while dropped < DROPPED {
        let silent = Instant::now() + SILENT_FOR;
        let readable = timeout_at(silent.min(until).into(), stream.socket.readable()).await;
        let Ok(Ok(())) = readable else { return };
        match stream.socket.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(bytes) => dropped += bytes,
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

//! The receivers of the demo's webhooks: one HTTP server with a path for each behaviour.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::error::CommandResult;
use crate::server::listener::{self, ListenerOptions};

/// Each attempt in flight has a connection, and earlier ones may be open still.
const CONNECTIONS_PER_ATTEMPT: u32 = 8;
/// How many attempts of a delivery fail at `/fails-twice`.
const FAILURES: u32 = 2;
/// Longer than the timeout of the subscription that is sent to `/times-out`.
const TIMING_OUT_DELAY: Duration = Duration::from_secs(3);
const SLOW_DELAY: Duration = Duration::from_millis(1_500);

type Response = (StatusCode, &'static str);
const RECEIVED: Response = (StatusCode::OK, "received");

/// Serves until it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    state: Arc<ReceiverState>,
    /// Dropping it ends the server.
    _stop: watch::Sender<bool>,
}

#[derive(Default)]
struct ReceiverState {
    is_repaired: AtomicBool,
    /// How many attempts of each delivery came, by trace ID.
    attempts: Mutex<HashMap<String, u32>>,
}

impl Receiver {
    /// Listens on a free port of `address`, for at most `concurrency` attempts at once.
    pub(super) async fn start(address: IpAddr, concurrency: u32) -> CommandResult<Self> {
        let start_error = |error| format!("cannot start the sample receiver: {error}");
        let listener = TcpListener::bind((address, 0)).await.map_err(start_error)?;
        let address = listener.local_addr().map_err(start_error)?;
        let state = Arc::new(ReceiverState::default());
        let router = Router::new()
            .route("/works", any(async || RECEIVED))
            .route("/fails-twice", any(fails_twice))
            .route("/times-out", any(times_out))
            .route("/gone", any(async || (StatusCode::GONE, "this system was switched off")))
            .route("/slow", any(slow))
            .with_state(Arc::clone(&state));
        let (stop, stopped) = watch::channel(false);
        let options = ListenerOptions {
            max_connections: (CONNECTIONS_PER_ATTEMPT * concurrency) as usize,
            trusted_proxies: Vec::new(),
        };
        tokio::spawn(listener::serve(listener, router, options, stopped));
        Ok(Self { address, state, _stop: stop })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on `/times-out` answers in time.
    pub(super) fn repair(&self) {
        self.state.is_repaired.store(true, Ordering::Relaxed);
    }
}

async fn fails_twice(State(state): State<Arc<ReceiverState>>, headers: HeaderMap) -> Response {
    let trace = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let mut attempts = state.attempts.lock().unwrap_or_else(PoisonError::into_inner);
    let attempts = attempts.entry(trace.to_owned()).or_default();
    *attempts += 1;
    if *attempts <= FAILURES { (StatusCode::SERVICE_UNAVAILABLE, "try again later") } else { RECEIVED }
}

async fn times_out(State(state): State<Arc<ReceiverState>>) -> Response {
    if !state.is_repaired.load(Ordering::Relaxed) {
        tokio::time::sleep(TIMING_OUT_DELAY).await;
    }
    RECEIVED
}

async fn slow() -> Response {
    tokio::time::sleep(SLOW_DELAY).await;
    RECEIVED
}

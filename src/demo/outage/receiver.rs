//! Receiver of the drill: takes webhooks until it dies, answers 503 until it is back, and remembers everything that came.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::error::CommandResult;
use crate::server::listener::{self, ListenerOptions};

/// Each attempt in flight has a connection, and earlier ones may be open still.
const CONNECTIONS_PER_ATTEMPT: u32 = 8;

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// Of the delivery: its header `webhook-id`.
    pub(super) trace_id: String,
    pub(super) body: Bytes,
    /// Answered 200, not 503.
    pub(super) was_taken: bool,
}

/// Serves until it is dropped.
pub(super) struct DrillReceiver {
    address: SocketAddr,
    state: Arc<Mutex<ReceiverState>>,
    /// Dropping it ends the server.
    _stop: watch::Sender<bool>,
}

struct ReceiverState {
    /// How many requests it takes before it dies; none where it does not.
    takes: Option<usize>,
    received: Vec<Received>,
}

impl DrillReceiver {
    /// Listens on a free port of `address`, for at most `concurrency` attempts at once. It dies when it has taken so many.
    pub(super) async fn start(address: IpAddr, concurrency: u32, dies_after: usize) -> CommandResult<Self> {
        let start_error = |error| format!("cannot start the receiver of the drill: {error}");
        let listener = TcpListener::bind((address, 0)).await.map_err(start_error)?;
        let address = listener.local_addr().map_err(start_error)?;
        let state = Arc::new(Mutex::new(ReceiverState { takes: Some(dies_after), received: Vec::new() }));
        let router = Router::new().route("/payments", post(receive)).with_state(Arc::clone(&state));
        let (stop, stopped) = watch::channel(false);
        let options = ListenerOptions {
            max_connections: (CONNECTIONS_PER_ATTEMPT * concurrency) as usize,
            trusted_proxies: Vec::new(),
        };
        tokio::spawn(listener::serve(listener, router, options, stopped));
        Ok(Self { address, state, _stop: stop })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/payments", self.address)
    }

    /// From now on it takes everything.
    pub(super) fn come_back(&self) {
        lock(&self.state).takes = None;
    }

    /// All that came, in its order.
    pub(super) fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }
}

fn lock(state: &Mutex<ReceiverState>) -> MutexGuard<'_, ReceiverState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(
    State(state): State<Arc<Mutex<ReceiverState>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let trace_id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let mut state = lock(&state);
    let was_taken = state.takes != Some(0);
    if was_taken {
        state.takes = state.takes.map(|left| left - 1);
    }
    state.received.push(Received { trace_id, body, was_taken });
    if was_taken { (StatusCode::OK, "received") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") }
}

//! The systems that hear of each change in the demo: one server with an endpoint for each behaviour.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{CONCURRENCY, LOCALHOST};
use crate::Outcome;
use crate::server::listener::{self, Bounds};

/// Several for each webhook that is under way.
const CONNECTIONS: usize = 8 * CONCURRENCY as usize;

/// How often a delivery fails where it fails at first.
const FAILURES: u32 = 2;
/// Longer than the timeout of the subscription that times out.
const TOO_LONG: Duration = Duration::from_secs(3);
const SLOWLY: Duration = Duration::from_millis(1_500);

type Answer = (StatusCode, &'static str);
const RECEIVED: Answer = (StatusCode::OK, "received");

/// Serves until it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    state: Arc<Memory>,
    /// That it is gone ends the server.
    _stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Memory {
    is_repaired: AtomicBool,
    /// How often each delivery came, by its trace ID.
    tries: Mutex<HashMap<String, u32>>,
}

impl Receiver {
    pub(super) async fn start() -> Outcome<Self> {
        let cannot = |error| format!("cannot start the sample receiver: {error}");
        let listener = TcpListener::bind((LOCALHOST, 0)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let state = Arc::new(Memory::default());
        let router = Router::new()
            .route("/works", any(async || RECEIVED))
            .route("/fails-twice", any(fails_twice))
            .route("/times-out", any(times_out))
            .route("/gone", any(async || (StatusCode::GONE, "this system was switched off")))
            .route("/slow", any(slow))
            .with_state(Arc::clone(&state));
        let (stop, stopped) = watch::channel(false);
        let bounds = Bounds { connections: CONNECTIONS, trusted_proxies: Vec::new() };
        tokio::spawn(listener::serve(listener, router, bounds, stopped));
        Ok(Self { address, state, _stop: stop })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on nothing times out.
    pub(super) fn repair(&self) {
        self.state.is_repaired.store(true, Ordering::Relaxed);
    }
}

async fn fails_twice(State(memory): State<Arc<Memory>>, headers: HeaderMap) -> Answer {
    let trace = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let mut tries = memory.tries.lock().unwrap_or_else(PoisonError::into_inner);
    let tries = tries.entry(trace.to_owned()).or_default();
    *tries += 1;
    if *tries <= FAILURES { (StatusCode::SERVICE_UNAVAILABLE, "try again later") } else { RECEIVED }
}

async fn times_out(State(memory): State<Arc<Memory>>) -> Answer {
    if !memory.is_repaired.load(Ordering::Relaxed) {
        tokio::time::sleep(TOO_LONG).await;
    }
    RECEIVED
}

async fn slow() -> Answer {
    tokio::time::sleep(SLOWLY).await;
    RECEIVED
}

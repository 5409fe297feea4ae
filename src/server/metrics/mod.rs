//! Metrics for Prometheus: a listener of its own with `GET /metrics`. It asks for no key, and tells tenants and subscription IDs to
//! whoever reaches it.

#[cfg(test)]
mod dashboard_tests;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use loanhook_core::model::metrics::{Samples, names};
use loanhook_core::model::time::Timestamp;
use loanhook_sqlite::SqliteEngine;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::error;

use super::listener::{self, ListenerOptions};

/// Who reads metrics needs one connection; there may be two of them, and a person.
const MAX_CONNECTIONS: usize = 4;
const MILLIS_PER_SECOND: f64 = 1_000.0;

struct MetricsState {
    engine: SqliteEngine,
    started_at: Timestamp,
    /// Whether the last reading failed: the log has one line until one succeeds.
    has_failed: AtomicBool,
}

/// Serves metrics until `stopped` is true.
pub(super) async fn serve(listener: TcpListener, engine: SqliteEngine, stopped: watch::Receiver<bool>) {
    let state = MetricsState { engine, started_at: Timestamp::now(), has_failed: AtomicBool::new(false) };
    let router = Router::new().route("/metrics", get(read)).with_state(Arc::new(state));
    let options = ListenerOptions { max_connections: MAX_CONNECTIONS, trusted_proxies: Vec::new() };
    listener::serve(listener, router, options, stopped).await;
}

/// The metrics of now; 503 where the database cannot be read.
async fn read(
    State(state): State<Arc<MetricsState>>,
) -> Result<([(http::HeaderName, &'static str); 1], String), StatusCode> {
    let samples = state.engine.samples(Timestamp::now()).await;
    let has_failed = state.has_failed.swap(samples.is_err(), Ordering::Relaxed);
    match samples {
        Ok(mut samples) => {
            write_process(&mut samples, state.started_at);
            Ok(([(CONTENT_TYPE, text::CONTENT_TYPE)], text::write(&samples)))
        }
        Err(failure) => {
            if !has_failed {
                error!(%failure, "metrics.not_read");
            }
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn write_process(samples: &mut Samples, started_at: Timestamp) {
    samples.set(&names::START_TIME, &[], started_at.millis() as f64 / MILLIS_PER_SECOND);
    samples.set(&names::BUILD_INFO, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
}

//! Logs as JSON, a line each, as CloudWatch reads them.

use tracing_subscriber::EnvFilter;

/// Sets the log up; `LOANHOOK_LOG` says how much of it.
pub fn log() {
    let wanted = std::env::var("LOANHOOK_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = wanted.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        // CloudWatch knows the time of a line.
        .without_time()
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .init();
}

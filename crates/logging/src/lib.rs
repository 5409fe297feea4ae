//! Logs as JSON, a line each, as CloudWatch reads them.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::log_filter::limited;

/// Sets the log up; `LOANHOOK_LOG` says how much of it.
pub fn log() {
    let wanted = std::env::var("LOANHOOK_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = wanted.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // CloudWatch knows the time of a line.
        .without_time()
        .with_current_span(true)
        .with_span_list(false);
    tracing_subscriber::registry().with(log.with_filter(limited(filter))).init();
}

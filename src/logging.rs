//! The log of a loanhook that runs in this process: on standard error, filtered by `LOANHOOK_LOG`.

use std::io;

use loanhook::log_filter::limited;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Outcome;
use super::args::LogFormat;

/// Starts the log; `unless_told` is the filter where `LOANHOOK_LOG` is not set.
pub(super) fn start(format: LogFormat, unless_told: &str) -> Outcome {
    let wanted = std::env::var("LOANHOOK_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = EnvFilter::try_new(wanted.as_deref().unwrap_or(unless_told)).map_err(|error| {
        format!("LOANHOOK_LOG is not a filter such as `info` or `loanhook=debug`: {error}")
    })?;
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let log = match format {
        LogFormat::Text => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(log.with_filter(limited(filter))).init();
    Ok(())
}

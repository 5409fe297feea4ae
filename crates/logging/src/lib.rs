//! The log of a process: where its lines go, and which are written. `LOANHOOK_LOG` says how much of it.

mod filter;

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use filter::limited;

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
}

/// Starts the log of a program at a terminal, on standard error; `default` is the filter where `LOANHOOK_LOG` is not
/// set.
///
/// # Errors
///
/// Where the filter cannot be read.
pub fn start(form: Form, default: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(wanted().as_deref().unwrap_or(default))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match form {
        Form::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        Form::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(limited(filter))).init();
    Ok(())
}

/// Starts the log of a Lambda function: JSON, a line each, as CloudWatch reads them. A filter that cannot be read is
/// `info`.
pub fn start_in_lambda() {
    let filter = wanted().and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // CloudWatch knows the time of a line.
        .without_time()
        .with_current_span(true)
        .with_span_list(false);
    tracing_subscriber::registry().with(lines.with_filter(limited(filter))).init();
}

fn wanted() -> Option<String> {
    std::env::var("LOANHOOK_LOG").ok().filter(|filter| !filter.is_empty())
}

//! The log of a process: its format, its output and its filter, which is read from `LOANHOOK_LOG`.
//!
//! The command line and the functions start it once. Whatever the filter, libraries log nothing below `info`.

mod filter;

use std::io::{self, Write as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use filter::limited;

/// The format of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
}

/// Starts the log of the command line, on standard error; `default` is the filter where `LOANHOOK_LOG` is not set.
///
/// # Errors
///
/// When the filter cannot be parsed.
pub fn start(form: Form, default: &str) -> Result<(), ParseError> {
    let filter = filter::parse(filter_of_environment().as_deref().unwrap_or(default))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match form {
        Form::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        Form::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(limited(filter))).init();
    Ok(())
}

/// Starts the log of a Lambda function: one JSON object a line, as CloudWatch reads it. The filter is `info` where
/// `LOANHOOK_LOG` is not set or cannot be parsed.
pub fn start_in_lambda() {
    let filter = filter_of_environment().and_then(|text| filter::parse(&text).ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // CloudWatch adds the time of a line.
        .without_time()
        .with_current_span(true)
        .with_span_list(false);
    tracing_subscriber::registry().with(lines.with_filter(limited(filter))).init();
}

/// Writes a line to the log of a Lambda function as it is, whatever the filter: a metric.
pub fn write_line(line: &str) {
    // Where the log cannot be written, nothing can be said about it.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn filter_of_environment() -> Option<String> {
    std::env::var("LOANHOOK_LOG").ok().filter(|filter| !filter.is_empty())
}

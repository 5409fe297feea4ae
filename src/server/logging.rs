//! The log of a server in this process: on standard error, filtered by `LOANHOOK_LOG`.

use clap::ValueEnum;
use loanhook_logging::Form;

use crate::error::CommandResult;

/// The format of the log, as an argument.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// One readable line an entry
    Text,
    /// One JSON object an entry
    Json,
}

/// Starts the log; `default_filter` holds where `LOANHOOK_LOG` is not set.
pub(crate) fn start(format: LogFormat, default_filter: &str) -> CommandResult {
    let form = match format {
        LogFormat::Text => Form::Text,
        LogFormat::Json => Form::Json,
    };
    loanhook_logging::start(form, default_filter).map_err(|error| {
        format!("LOANHOOK_LOG is not a filter such as `info` or `loanhook=debug`: {error}").into()
    })
}

//! The log of a loanhook that runs in this process: on standard error, filtered by `LOANHOOK_LOG`.

use loanhook_logging::Form;

use crate::Outcome;
use crate::arguments::LogFormat;

/// Starts the log; `default` is the filter where `LOANHOOK_LOG` is not set.
pub(crate) fn start(format: LogFormat, default: &str) -> Outcome {
    let form = match format {
        LogFormat::Text => Form::Text,
        LogFormat::Json => Form::Json,
    };
    loanhook_logging::start(form, default).map_err(|error| {
        format!("LOANHOOK_LOG is not a filter such as `info` or `loanhook=debug`: {error}").into()
    })
}

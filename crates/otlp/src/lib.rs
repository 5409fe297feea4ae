//! Spans leave by OTLP over HTTP, in protobuf, to the collector that the environment names.
//!
//! The standard variables of OpenTelemetry say where to and how: `OTEL_EXPORTER_OTLP_ENDPOINT` (or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) and the others of the exporter, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`. Without an endpoint nothing is started, and no span is made.
//!
//! A queue with a bound lies between what records a span and a thread that exports: a collector that is slow or down loses
//! spans and delays nothing. It is logged when exporting begins to fail, and when it works again.

mod collector;
mod environment;
mod recorder;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanProcessor as _};
use tokio::time::timeout;
use tracing::warn;

use self::collector::Collector;
use self::environment::Environment;
use self::recorder::Recorder;

/// At the end spans are waited for so long.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// A function is kept so long by a collector that does not answer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The export of spans, which runs until it is stopped.
#[derive(Debug, Clone)]
pub struct SpanExport {
    processor: Arc<BatchSpanProcessor>,
    /// The collector did not take the latest export.
    failing: Arc<AtomicBool>,
}

/// Why spans cannot be exported as the environment says; in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum SpanExportError {
    #[error("{0} must be a URL with http or https, such as http://localhost:4318")]
    NoEndpoint(&'static str),
    #[error("{0} is `{1}`: only `http/protobuf` is spoken here, which a collector takes on port 4318")]
    Protocol(&'static str, String),
    #[error("the client of the collector cannot be made: {0}")]
    Client(reqwest::Error),
    #[error("the exporter of spans cannot be made: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// Has the spans of this process recorded and exported, if the environment names a collector. To be called once, within a
/// runtime, which sends what is exported.
///
/// # Errors
///
/// The variables are wrong.
pub fn start() -> Result<Option<SpanExport>, SpanExportError> {
    let Some(environment) = Environment::read(|name| std::env::var(name).ok())? else { return Ok(None) };
    let failing = Arc::new(AtomicBool::new(false));
    let collector =
        Collector::new(environment.timeout, Arc::clone(&failing)).map_err(SpanExportError::Client)?;
    // What else the environment says, the exporter, the processor and the sampler read themselves.
    let exporter = SpanExporter::builder().with_http().with_http_client(collector).build()?;
    let (export, recorder) = export_by(exporter, failing);
    loanhook_core::spans::record_to(Box::new(recorder));
    Ok(Some(export))
}

/// What records spans, and their way to the exporter.
fn export_by(exporter: SpanExporter, failing: Arc<AtomicBool>) -> (SpanExport, Recorder) {
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    processor.set_resource(&environment::resource());
    let processor = Arc::new(processor);
    (SpanExport { processor: Arc::clone(&processor), failing }, Recorder::new(processor))
}

/// The same in a function, which works without spans where the variables are wrong: that is logged.
pub fn start_in_lambda() -> Option<SpanExport> {
    start().unwrap_or_else(|error| {
        warn!(reason = %error, "spans.not_exported");
        None
    })
}

impl SpanExport {
    /// Waits until the spans that have ended are exported, for a second at most: a function is not run between two invocations.
    /// While the collector does not take them, nobody waits for it.
    pub async fn flush(&self) {
        let processor = Arc::clone(&self.processor);
        let flushed = tokio::task::spawn_blocking(move || processor.force_flush());
        if self.failing.load(Ordering::Relaxed) {
            return;
        }
        // What cannot be exported is logged where it fails.
        let _ = timeout(FLUSH_TIMEOUT, flushed).await;
    }

    /// Exports the spans that have ended, and no more; waits for three seconds at most.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.processor.shutdown_with_timeout(STOP_TIMEOUT));
        let _ = timeout(STOP_TIMEOUT, stopped).await;
    }
}

#[cfg(test)]
mod tests;

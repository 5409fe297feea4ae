//! The Lambda function that counts what reports say. A schedule invokes it once a minute; it answers what it did.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::{Aws, Config, CountReport};
use serde::de::IgnoredAny;

/// The time that the last reads and their transaction take after a run was to end.
const TRANSACTION_TIME: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let engine = &Aws::new(&loanhook_aws::sdk_config(), config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let end = Instant::now() + left.saturating_sub(TRANSACTION_TIME);
        let report = engine.count_changes(end).await?;
        tracing::info!(report.records, report.transactions, report.superseded, "reports.counted");
        Ok::<CountReport, Error>(report)
    }))
    .await
}

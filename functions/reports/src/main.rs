//! The Lambda function that counts what reports say. A schedule invokes it once a minute; it answers what it did, and writes
//! what it counted as metrics.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::{Added, Aws, Config, CountReport, metrics};
use loanhook_core::model::time::Timestamp;
use serde::de::IgnoredAny;

/// The time that the last reads and their transaction take after a run was to end.
const TRANSACTION_TIME: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let table = &config.stack.table.clone();
    let engine = &Aws::new(&loanhook_aws::sdk_config(), config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let end = Instant::now() + left.saturating_sub(TRANSACTION_TIME);
        let mut added = Added::default();
        let counted = engine.count_changes(end, &mut added).await;
        // What is stored is counted, also where the rest failed.
        let report = counted.as_ref().copied().unwrap_or_default();
        let lines = metrics::of_counts(table, &added, report, Timestamp::now());
        lines.iter().for_each(|line| loanhook_logging::write_line(line));
        let report = counted?;
        tracing::info!(report.records, report.transactions, report.superseded, "reports.counted");
        Ok::<CountReport, Error>(report)
    }))
    .await
}

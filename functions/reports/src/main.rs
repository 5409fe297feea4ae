//! The Lambda function that counts what reports say and tells operational events. A schedule invokes it once a minute; it answers
//! what it counted, and writes that as metrics.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use loanhook_aws::{Added, Aws, Config, CountReport, metrics};
use loanhook_core::model::time::Timestamp;
use loanhook_core::operational;
use serde::de::IgnoredAny;

/// What is left of a run's time when it ends to count: for the last reads and their transaction, and for operational events.
const TIME_AFTER_COUNTING: Duration = Duration::from_secs(20);
/// What is left of a run's time when it ends to take operational events in.
const TIME_AT_THE_END: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let table = &config.stack.table.clone();
    let engine = &Aws::new(&loanhook_aws::sdk_config(), config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| async move {
        let end = Instant::now() + time_before(TIME_AFTER_COUNTING, &event.context);
        let mut added = Added::default();
        let counted = engine.count_changes(end, &mut added).await;
        // What is stored is counted, also where the rest failed.
        let report = counted.as_ref().copied().unwrap_or_default();
        let lines = metrics::of_counts(table, &added, report, Timestamp::now());
        lines.iter().for_each(|line| loanhook_logging::write_line(line));
        // What is in the outbox does not wait for a shard that cannot be read.
        let told = tell(engine, time_before(TIME_AT_THE_END, &event.context)).await;
        let report = counted?;
        tracing::info!(report.records, report.transactions, report.superseded, "reports.counted");
        told?;
        Ok::<CountReport, Error>(report)
    }))
    .await
}

/// How long it is until so much time is left.
fn time_before(left_then: Duration, context: &Context) -> Duration {
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    left.saturating_sub(left_then)
}

/// Takes in what is in the outbox, and what time brings. What is cut off goes on with the next run.
async fn tell(engine: &Aws, time: Duration) -> Result<(), Error> {
    match tokio::time::timeout(time, operational::advance(engine, Timestamp::now())).await {
        Ok(Ok(advanced)) => advanced.failure().map_or(Ok(()), |failure| Err(failure.into())),
        Ok(Err(failure)) => Err(failure.into()),
        Err(_) => {
            tracing::warn!("operational.goes_on_with_the_next_run");
            Ok(())
        }
    }
}

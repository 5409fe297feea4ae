//! The Lambda function that counts what reports say and tells operational events. A schedule invokes it once a minute; it answers
//! what it counted, and writes that as metrics.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
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
        let time_until = |left: Duration| time_before(left, event.context.deadline(), SystemTime::now());
        let end = Instant::now() + time_until(TIME_AFTER_COUNTING);
        let mut added = Added::default();
        let counted = engine.count_changes(end, &mut added).await;
        // What is stored is counted, also where the rest failed.
        let report = counted.as_ref().copied().unwrap_or_default();
        let lines = metrics::of_counts(table, &added, report, Timestamp::now());
        lines.iter().for_each(|line| loanhook_logging::write_line(line));
        // What is in the outbox does not wait for a shard that cannot be read.
        let told = tell(engine, time_until(TIME_AT_THE_END)).await;
        let report = counted?;
        tracing::info!(report.records, report.transactions, report.superseded, "reports.counted");
        told?;
        Ok::<CountReport, Error>(report)
    }))
    .await
}

/// How long it is until so much time is left before a deadline.
fn time_before(left_then: Duration, deadline: SystemTime, now: SystemTime) -> Duration {
    deadline.duration_since(now).unwrap_or_default().saturating_sub(left_then)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_ends_while_there_is_time_to_tell_and_telling_before_the_function_does() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_428_000);
        for (left, counting, telling) in [(50, 30, 47), (20, 0, 17), (3, 0, 0), (0, 0, 0)] {
            let deadline = now + Duration::from_secs(left);
            let time = |of| time_before(of, deadline, now).as_secs();
            assert_eq!((time(TIME_AFTER_COUNTING), time(TIME_AT_THE_END)), (counting, telling), "{left}");
        }
        assert_eq!(time_before(Duration::ZERO, now, now + Duration::from_secs(1)), Duration::ZERO);
    }
}

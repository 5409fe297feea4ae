//! The Lambda function that sweeps the index of what is due. A schedule invokes it once a minute; it answers what it did, and
//! writes how late it found things, what waits and what is left of jobs as metrics.
//!
//! Its event may name a part of the shards, as in `{"part": 1, "of": 4}` for the first quarter: several schedules then share
//! the work. An event without them means all.

use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::sweep::{SHARDS, Sweep, SweepReport};
use loanhook_aws::{Aws, Config, metrics};
use loanhook_core::model::time::Timestamp;
use serde::Deserialize;

/// The time that the last reads and the cursors take after a run was to end.
const CURSOR_TIME: Duration = Duration::from_secs(15);

/// The event of a schedule.
#[derive(Deserialize)]
struct SweepEvent {
    /// The number of the part, from 1, and how many parts there are.
    part: Option<u8>,
    of: Option<u8>,
}

impl SweepEvent {
    fn shards(&self) -> Result<Range<u8>, Error> {
        let (part, of) = match (self.part, self.of) {
            (None, None) => (1, 1),
            (Some(part), Some(of)) if (1..=of).contains(&part) && of <= SHARDS => (part, of),
            _ => return Err(format!("part must be 1 to of, and of at most {SHARDS}").into()),
        };
        let shards_before = |parts: u8| u16::from(SHARDS) * u16::from(parts) / u16::from(of);
        Ok(u8::try_from(shards_before(part - 1))?..u8::try_from(shards_before(part))?)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let lease = config.lease;
    let table = &config.stack.table.clone();
    let engine = &Aws::new(&loanhook_aws::sdk_config(), config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<SweepEvent>| async move {
        let sweep = Sweep { engine: engine.clone(), lease, shards: event.payload.shards()? };
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let end = Instant::now() + left.saturating_sub(CURSOR_TIME);
        let report = sweep.run(Timestamp::now(), end).await?;
        let lines = metrics::of_sweep(table, report, Timestamp::now());
        lines.iter().for_each(|line| loanhook_logging::write_line(line));
        tracing::info!(
            report.handed_over,
            report.checked,
            report.woken,
            report.woken_jobs,
            report.woken_subscriptions,
            "sweep.done"
        );
        Ok::<SweepReport, Error>(report)
    }))
    .await
}

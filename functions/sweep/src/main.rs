//! The Lambda function that sweeps the index of what is due. A schedule invokes it once a minute; it answers what it did.
//!
//! Its event may name the shards to sweep, as in `{"shards": [0, 8]}` for the first eight: several schedules then share the
//! work. Any other event means all of them.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::sweep::{SHARDS, Sweep, SweepReport};
use loanhook_aws::{Aws, Config};
use loanhook_core::model::time::Timestamp;
use serde::Deserialize;

/// The time that the last reads and the cursors take after a run was to end.
const CURSOR_TIME: Duration = Duration::from_secs(15);

/// The event of a schedule.
#[derive(Deserialize)]
struct SweepEvent {
    /// The first shard, and the one after the last.
    shards: Option<[u8; 2]>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let lease = config.lease;
    let engine = &Aws::new(&loanhook_aws::sdk_config().await, config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<SweepEvent>| async move {
        let [from, to] = event.payload.shards.unwrap_or([0, SHARDS]);
        let sweep = Sweep { engine: engine.clone(), lease, shards: from..to.min(SHARDS) };
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let end = Instant::now() + left.saturating_sub(CURSOR_TIME);
        let report = sweep.run(Timestamp::now(), end).await?;
        tracing::info!(report.handed_over, report.checked, report.woken, "sweep.done");
        Ok::<SweepReport, Error>(report)
    }))
    .await
}

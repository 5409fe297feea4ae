//! Operational events of this process: a task takes in what the steps of others put into the outbox, and what time brings.
//!
//! It needs nothing of this process but its steps: what is cut off goes on at the next start.

use std::fmt::Display;
use std::time::Duration;

use loanhook_core::model::time::Timestamp;
use loanhook_core::operational;
use loanhook_sqlite::SqliteEngine;
use tokio::sync::watch;
use tracing::error;

/// How long a step is waited for at most: a clock that was set is noticed then.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The time between a step that failed and the next.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Logs the first of failures in a row. Gives when the next step is.
fn failed(has_failed: &mut bool, failure: &dyn Display) -> Duration {
    if !*has_failed {
        error!(%failure, "operational.step_failed");
    }
    *has_failed = true;
    RETRY_DELAY
}

/// Makes steps until `stop` is true; the one that is under way is finished.
pub(super) async fn run(engine: SqliteEngine, mut stop: watch::Receiver<bool>) {
    let mut has_failed = false;
    while !*stop.borrow_and_update() {
        let wait = match operational::advance(&engine, Timestamp::now()).await {
            Ok(advanced) => match advanced.failure() {
                None => {
                    has_failed = false;
                    advanced.next_due.map_or(MAX_WAIT, |due| due.since(Timestamp::now()).min(MAX_WAIT))
                }
                Some(failure) => failed(&mut has_failed, &failure),
            },
            Err(failure) => failed(&mut has_failed, &failure),
        };
        tokio::select! {
            () = engine.operational_changed() => {}
            () = tokio::time::sleep(wait) => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
}

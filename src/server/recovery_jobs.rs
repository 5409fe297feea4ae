//! Recovery jobs of this process: each that is not over has a task, which makes its steps one after the other.
//!
//! Jobs are found at the start and when one is made. A job needs nothing of this process but its steps: what is cut off goes
//! on at the next start.

use std::collections::HashMap;
use std::time::Duration;

use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Jobs as _;
use loanhook_core::recovery::{self, SeenLoans};
use loanhook_sqlite::SqliteEngine;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::error;

/// How long a step is waited for at most: a clock that was set is noticed then.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The time between a step that failed and the next.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Runs all jobs until `stop` is true; the step that is under way is finished.
pub(super) async fn run(engine: SqliteEngine, mut stop: watch::Receiver<bool>) {
    let (mut tasks, mut running) = (JoinSet::new(), HashMap::new());
    while !*stop.borrow_and_update() {
        match engine.open_jobs().await {
            Ok(jobs) => {
                for (tenant, id) in jobs {
                    if !running.values().any(|other| *other == id) {
                        let task = tasks.spawn(run_job(engine.clone(), tenant, id, stop.clone()));
                        running.insert(task.id(), id);
                    }
                }
            }
            Err(failure) => error!(%failure, "jobs.not_read"),
        }
        tokio::select! {
            () = engine.job_created() => {}
            Some(ended) = tasks.join_next_with_id() => {
                // The job of a task that panicked is still open, and gets another.
                running.remove(&ended.map_or_else(|error| error.id(), |(task, ())| task));
            }
            () = tokio::time::sleep(MAX_WAIT) => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Makes the steps of a job until it is over or `stop` is true.
async fn run_job(engine: SqliteEngine, tenant: TenantId, id: JobId, mut stop: watch::Receiver<bool>) {
    let (mut seen, mut has_failed) = (SeenLoans::default(), false);
    while !*stop.borrow_and_update() {
        let next = recovery::advance(&engine, &tenant, id, &mut seen, Timestamp::now()).await;
        let wait = match next {
            Ok(None) => break,
            Ok(Some(at)) => {
                has_failed = false;
                at.since(Timestamp::now()).min(MAX_WAIT)
            }
            Err(failure) => {
                if !has_failed {
                    error!(tenant = tenant.as_str(), job_id = %id, %failure, "job.step_failed");
                }
                has_failed = true;
                RETRY_DELAY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
}

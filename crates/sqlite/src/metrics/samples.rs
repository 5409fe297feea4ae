//! Samples: the totals, and what is read at this moment.

use rusqlite::{Connection, params};

use super::{MetricTotals, files};
use crate::SqliteEngine;
use crate::flow_states::COUNT_WAITING;
use crate::order::readers;
use crate::queue::QueueGauges;
use crate::rows::from_json;
use crate::unreadable::read_all;
use loanhook_core::model::flow::{HeldBy, WaitingReason};
use loanhook_core::model::job::{Job, JobKind};
use loanhook_core::model::metrics::{Samples, names};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// Jobs that are not over.
const OPEN_JOBS: &str = "SELECT doc FROM jobs WHERE open = 1";
/// The label of what waits for no more than a permit.
const NO_REASON: &str = "none";

impl SqliteEngine {
    /// The values of all metrics of the engine at this moment; none where it was opened without metrics.
    ///
    /// # Errors
    ///
    /// The database could not be read.
    pub async fn samples(&self, now: Timestamp) -> StoreResult<Samples> {
        let mut samples = Samples::default();
        let Some(metrics) = self.0.counts.metrics().cloned() else { return Ok(samples) };
        metrics.write(&mut samples);
        let queues = self.0.scheduler.gauges(now);
        self.write_memory(&queues, &mut samples, now);
        self.read(move |connection| {
            write_waiting(connection, &queues, &mut samples, now)?;
            write_jobs(connection, &mut samples)?;
            files::write(&metrics.database, &mut samples);
            Ok(samples)
        })
        .await
    }

    /// What is in memory.
    fn write_memory(&self, queues: &QueueGauges, samples: &mut Samples, now: Timestamp) {
        let QueueGauges { oldest_due, flows } = queues;
        for reason in [None, Some(WaitingReason::Limit.as_str()), Some(WaitingReason::Hold.as_str())] {
            let since = oldest_due.get(&reason).map_or(0.0, |due| now.since(*due).as_secs_f64());
            samples.set(&names::OLDEST_DUE, &[("reason", reason.unwrap_or(NO_REASON))], since);
        }
        let by_failures = |by: &HeldBy| matches!(by, HeldBy::Failures(_));
        let holds = || flows.iter().filter_map(|(_, _, flow)| flow.hold.as_ref());
        for (by, automatic) in [("failures", true), ("hand", false)] {
            let count = holds().filter(|hold| by_failures(&hold.by) == automatic).count();
            samples.set(&names::HELD_SUBSCRIPTIONS, &[("by", by)], count as f64);
        }
        samples.set(&names::REQUESTS_IN_FLIGHT, &[], self.0.admission.in_flight() as f64);
        let (existing, new) = self.0.writer.waiting_counts();
        for (kind, count) in [("existing", existing), ("new", new)] {
            samples.set(&names::WRITER_WAITING, &[("kind", kind)], count as f64);
        }
    }
}

impl MetricTotals {
    fn write(&self, samples: &mut Samples) {
        let totals = self.totals().clone();
        totals.history.write(samples);
        samples.set(&names::WRITER_COMMITS, &[], totals.commits.count() as f64);
        samples.set(&names::WRITER_FAILED_COMMITS, &[], totals.failed_commits as f64);
        samples.set_times(&names::WRITER_COMMIT, &[], &totals.commits);
    }
}

/// How many deliveries are due and wait, by reason.
fn write_waiting(
    connection: &Connection,
    queues: &QueueGauges,
    samples: &mut Samples,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut counts = [0_u64; WaitingReason::ALL.len()];
    let mut add = |reason, more| {
        for (of, count) in WaitingReason::ALL.into_iter().zip(&mut counts) {
            *count += if of == reason { more } else { 0 };
        }
    };
    let mut due = connection.prepare_cached(COUNT_WAITING)?;
    for (tenant, id, flow) in &queues.flows {
        let reason = match flow.waits_since {
            Some(_) => Some(WaitingReason::Hold),
            None => flow.is_limited.then_some(WaitingReason::Limit),
        };
        if let Some(reason) = reason {
            add(reason, due.query_row(params![id.uuid().as_bytes(), now.millis()], |row| row.get(0))?);
        }
        if flow.is_ordered {
            add(WaitingReason::Order, readers::count_waiting(connection, tenant, *id, now)?);
        }
    }
    for (reason, count) in WaitingReason::ALL.into_iter().zip(counts) {
        samples.set(&names::WAITING, &[("reason", reason.as_str())], count as f64);
    }
    Ok(())
}

/// What is left of the jobs that are not over.
fn write_jobs(connection: &Connection, samples: &mut Samples) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(OPEN_JOBS)?;
    let jobs: Vec<Job> = read_all(statement.query([])?, &"open jobs", |row| from_json(row, 0))?;
    for kind in JobKind::ALL {
        let of_kind = || jobs.iter().filter(|job| job.request.kind == kind);
        let labels = [("kind", kind.as_str())];
        samples.set(&names::JOBS_RUNNING, &labels, of_kind().count() as f64);
        let left: u64 = of_kind().map(|job| u64::from(job.counts.left())).sum();
        samples.set(&names::JOB_ITEMS_LEFT, &labels, left as f64);
    }
    Ok(())
}

//! Recovery jobs at the end of a run: each delivery of a list was resent once or not at all, as the list says, and those of a loan
//! one after the other.

use std::collections::{BTreeMap, HashMap};

use loanhook_core::model::attempt::{Attempt, Outcome};
use loanhook_core::model::id::{LoanId, TenantId, TraceId};
use loanhook_core::model::job::{ItemState, Job, JobItem};
use loanhook_core::model::time::Timestamp;
use loanhook_memory::State;

use super::Rule;
use crate::model::Model;

type Broken = (Rule, String);

pub(crate) fn check(model: &Model, state: &State) -> Result<(), Broken> {
    for ((tenant, number), id) in &model.jobs {
        let job = state.jobs.get(&(tenant.clone(), *id)).filter(|job| job.is_over());
        let job = job.ok_or_else(|| (Rule::PromiseKept, format!("job {number} does not end")))?;
        let rows = resends(state, tenant, job);
        let mut ends: HashMap<&LoanId, Timestamp> = HashMap::new();
        let mut tally = [0; 5];
        for item in items(state, job).into_iter().rev() {
            let name = format!("{} of job {number}", item.trace);
            let of = rows.get(&item.trace).map_or(&[][..], Vec::as_slice);
            let place =
                check_item(job, item, of).map_err(|detail| (Rule::JobOnce, format!("{name} {detail}")))?;
            tally[place] += 1;
            let Some((row, ended)) = of.first().and_then(|row| Some((row, row.completion()?.ended_at)))
            else {
                continue;
            };
            // A row that nobody took says when it was asked for, as the clock was when its step began.
            let before = ends.insert(&item.loan, ended);
            if model.sent.contains_key(&row.id) && before.is_some_and(|before| row.sent_at < before) {
                return Err((Rule::JobOnce, format!("{name} was resent before the one before it ended")));
            }
        }
        let counts = job.counts;
        let counted = [counts.succeeded, counts.failed, counts.skipped, counts.superseded, counts.left()];
        if counted != tally {
            return Err((Rule::CountedOnce, format!("job {number} counts {counted:?}, and has {tally:?}")));
        }
    }
    Ok(())
}

/// The place of an item in the counts.
fn check_item(job: &Job, item: &JobItem, rows: &[Attempt]) -> Result<usize, String> {
    let (place, expected) = match item.state {
        ItemState::Succeeded(id) => (0, id.map(|id| (id, Outcome::Succeeded))),
        ItemState::Failed(id) => (1, Some((id, Outcome::Failed))),
        ItemState::Skipped(_) => (2, None),
        ItemState::Superseded => (3, None),
        ItemState::Waiting if job.stopped.is_some() => (4, None),
        state => return Err(format!("is {state:?} at the end")),
    };
    let found: Vec<_> = rows.iter().map(|row| (row.id, row.outcome())).collect();
    if found != expected.into_iter().collect::<Vec<_>>() {
        return Err(format!("has the rows {found:?}, and its item says {:?}", item.state));
    }
    Ok(place)
}

/// The list of a job, the newest delivery first.
fn items<'a>(state: &'a State, job: &Job) -> Vec<&'a JobItem> {
    let of = (job.tenant.clone(), job.id, 0)..=(job.tenant.clone(), job.id, u32::MAX);
    state.job_chunks.range(of).flat_map(|(_, chunk)| &chunk.items).collect()
}

/// The rows that a job asked for, by their deliveries.
fn resends(state: &State, tenant: &TenantId, job: &Job) -> BTreeMap<TraceId, Vec<Attempt>> {
    let now = Timestamp::now();
    let mut rows: BTreeMap<TraceId, Vec<Attempt>> = BTreeMap::new();
    for row in state.rows_of(tenant).filter(|row| row.requested_by.as_deref() == Some(&job.requested_by)) {
        rows.entry(row.trace_id).or_default().push(row.clone().as_of(now));
    }
    rows
}

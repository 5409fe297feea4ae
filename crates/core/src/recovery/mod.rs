//! Recovery: bulk resends and bulk cancels, as jobs that go on by themselves.
//!
//! [`plan()`] says what a job would do. [`create`] fixes its list and stores it; from then on whoever runs jobs calls
//! [`advance`], one step after the other, until the job is over: in one process a task, on AWS a function. [`stop`] ends it
//! early. A step may be repeated and may be cut off at any place, and several may run at once: each delivery of the list is
//! resent once.
//!
//! - `input`: what may be asked; `listing`: how the list of a job is made; `step`, `acting`: how it is worked off; `items`: how it is
//!   read; `list`: the jobs themselves.

mod acting;
mod input;
mod items;
mod list;
mod listing;
mod plan;
mod step;

pub use self::input::{JobInput, NewJob};
pub use self::items::{ItemPage, items};
pub use self::list::{JobPage, list};
pub use self::listing::SeenLoans;
pub use self::plan::{MAX_PLANNED, Plan, plan};
pub use self::step::advance;
use crate::intake::IDEMPOTENCY_WINDOW;
use crate::log;
use crate::model::id::{JobId, TenantId};
use crate::model::job::{Job, JobKind, StopReason};
use crate::model::payload::PayloadKey;
use crate::model::time::Timestamp;
use crate::ports::{
    CreateJobOutcome, DeliveryList, FlowControl, IdempotencyKey, JobRecord, Jobs, Ledger, StoreError,
    StoreResult,
};

/// How often a stop is tried that loses against a step of its job.
const MAX_STOP_TRIES: u32 = 20;
/// How many jobs of a tenant are under way at once: each has steps of its own, five a second while it waits.
pub const MAX_OPEN_JOBS: usize = 20;

#[derive(Debug, thiserror::Error)]
pub enum CreateJobError {
    #[error("the key was used before, with another body")]
    KeyReused,
    #[error("{MAX_OPEN_JOBS} jobs are under way: wait until one has ended, or stop one")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a job, with as much of its list as is read quickly. A repeated call with a key gives the same job; `digest` is that of
/// what was asked.
///
/// # Errors
///
/// The key was used in the last 24 hours for something else, [`MAX_OPEN_JOBS`] of the tenant are under way, or the store fails.
pub async fn create<S: Jobs + DeliveryList + FlowControl + Ledger>(
    store: &S,
    tenant: &TenantId,
    new: NewJob,
    requested_by: String,
    key: Option<(String, PayloadKey)>,
    now: Timestamp,
) -> Result<Job, CreateJobError> {
    let known = match &key {
        Some((key, _)) => store.job_record(tenant, key, now).await?,
        None => None,
    };
    if let Some(record) = known
        && let Some(job) = known_job(store, tenant, record, key.as_ref()).await?
    {
        return Ok(job);
    }
    let open = store.open_jobs().await?;
    if open.iter().filter(|(of, _)| of == tenant).count() >= MAX_OPEN_JOBS {
        return Err(CreateJobError::TooMany);
    }
    let id = known.map_or_else(|| JobId::at(now), |record| record.job);
    let mut job = Job::new(id, tenant.clone(), new.request, requested_by, now);
    let chunks = listing::begin(store, &mut job, &new.traces, now).await?;
    job.end_if_over(now);
    let key = key.filter(|_| known.is_none());
    let recorded = key.as_ref().map(|(key, digest)| {
        let record = JobRecord { job: id, digest: *digest };
        (IdempotencyKey { key: key.clone(), until: now + IDEMPOTENCY_WINDOW }, record)
    });
    match store.create_job(job.clone(), chunks, recorded, now).await? {
        CreateJobOutcome::Created => {
            log::job("job.created", &job);
            Ok(job)
        }
        // A call with the same key came first.
        CreateJobOutcome::Duplicate(record) => {
            let known = known_job(store, tenant, record, key.as_ref()).await?;
            known.ok_or(CreateJobError::Store(StoreError::Busy))
        }
    }
}

/// The job of a record, if its call came as far.
async fn known_job<S: Jobs>(
    store: &S,
    tenant: &TenantId,
    record: JobRecord,
    key: Option<&(String, PayloadKey)>,
) -> Result<Option<Job>, CreateJobError> {
    if key.is_some_and(|(_, digest)| *digest != record.digest) {
        return Err(CreateJobError::KeyReused);
    }
    Ok(store.job(tenant, record.job).await?)
}

/// A job of this kind as it is now; none where there is no such job.
///
/// # Errors
///
/// When the store fails.
pub async fn show<S: Jobs>(
    store: &S,
    tenant: &TenantId,
    kind: JobKind,
    id: JobId,
) -> StoreResult<Option<Job>> {
    Ok(store.job(tenant, id).await?.filter(|job| job.request.kind == kind))
}

/// Stops a job: nothing more is sent, and what is on its way gets its outcome. One that is over stays as it is. None where there
/// is no such job.
///
/// # Errors
///
/// When the store fails, or its steps came first each time.
pub async fn stop<S: Jobs>(
    store: &S,
    tenant: &TenantId,
    kind: JobKind,
    id: JobId,
    now: Timestamp,
) -> StoreResult<Option<Job>> {
    for _ in 0..MAX_STOP_TRIES {
        let Some(mut job) = show(store, tenant, kind, id).await? else { return Ok(None) };
        if job.is_over() || job.stopped.is_some() {
            return Ok(Some(job));
        }
        job.stop(StopReason::Requested, now);
        job.version += 1;
        if store.save_job(job.clone(), Vec::new()).await? {
            log::job("job.stopped", &job);
            return Ok(Some(job));
        }
    }
    Err(StoreError::Busy)
}

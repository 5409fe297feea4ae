//! Recovery jobs: each change is one step, on top of the version that it began with.

use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::job::{Job, JobChunk, JobKind};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    CreateJobOutcome, IdempotencyKey, JobRecord, Jobs, MAX_CHANGED_CHUNKS, StoreResult,
};

use super::state::{KeptRecord, Stored};
use super::step::{Operation, StepKind};
use super::{Memory, State};

impl Jobs for Memory {
    async fn create_job(
        &self,
        job: Job,
        chunks: Vec<JobChunk>,
        key: Option<(IdempotencyKey, JobRecord)>,
        now: Timestamp,
    ) -> StoreResult<CreateJobOutcome> {
        let mut call = self.call(Operation::ChangeJobs);
        if let Some((key, record)) = key {
            let known = call.step(StepKind::Record, |state| remember(state, &job.tenant, key, record, now));
            if let Some(known) = known.await?? {
                return call.answer(CreateJobOutcome::Duplicate(known)).await;
            }
        }
        call.step(StepKind::Job, |state| put(state, job, chunks)).await?;
        call.answer(CreateJobOutcome::Created).await
    }

    async fn job_record(
        &self,
        tenant: &TenantId,
        key: &str,
        now: Timestamp,
    ) -> StoreResult<Option<JobRecord>> {
        self.once(Operation::ReadJobs, StepKind::Read, |state| {
            let kept = state.job_records.get(&(tenant.clone(), key.to_owned()));
            kept.filter(|kept| now < kept.until).map(|kept| kept.record.read().copied()).transpose()
        })
        .await
    }

    async fn job(&self, tenant: &TenantId, id: JobId) -> StoreResult<Option<Job>> {
        self.once(Operation::ReadJobs, StepKind::Read, |state| {
            Ok(state.jobs.get(&(tenant.clone(), id)).cloned())
        })
        .await
    }

    async fn jobs(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        before: Option<JobId>,
        limit: usize,
    ) -> StoreResult<Vec<Job>> {
        self.once(Operation::ReadJobs, StepKind::Read, |state| {
            let of_kind = |job: &&Job| {
                job.tenant == *tenant
                    && job.request.kind == kind
                    && before.is_none_or(|before| job.id < before)
            };
            Ok(state.jobs.values().rev().filter(of_kind).take(limit).cloned().collect())
        })
        .await
    }

    async fn job_chunks(&self, tenant: &TenantId, id: JobId, numbers: &[u32]) -> StoreResult<Vec<JobChunk>> {
        self.once(Operation::ReadJobs, StepKind::Read, |state| {
            let chunk = |number: &u32| state.job_chunks.get(&(tenant.clone(), id, *number)).cloned();
            Ok(numbers.iter().filter_map(chunk).collect())
        })
        .await
    }

    async fn save_job(&self, job: Job, chunks: Vec<JobChunk>) -> StoreResult<bool> {
        assert!(chunks.len() <= MAX_CHANGED_CHUNKS, "the port allows {MAX_CHANGED_CHUNKS} chunks");
        self.once(Operation::ChangeJobs, StepKind::Job, |state| {
            let stands = state.jobs.get(&(job.tenant.clone(), job.id));
            let follows = stands.is_some_and(|stands| stands.version + 1 == job.version);
            if follows {
                put(state, job, chunks);
            }
            Ok(follows)
        })
        .await
    }

    async fn open_jobs(&self) -> StoreResult<Vec<(TenantId, JobId)>> {
        self.once(Operation::ReadJobs, StepKind::Read, |state| {
            let open = state.jobs.values().filter(|job| !job.is_over());
            Ok(open.map(|job| (job.tenant.clone(), job.id)).collect())
        })
        .await
    }
}

/// Puts the record of a key; gives the one that is there already and is not over.
fn remember(
    state: &mut State,
    tenant: &TenantId,
    IdempotencyKey { key, until }: IdempotencyKey,
    record: JobRecord,
    now: Timestamp,
) -> StoreResult<Option<JobRecord>> {
    let of = (tenant.clone(), key);
    match state.job_records.get(&of) {
        Some(kept) if now < kept.until => kept.record.read().map(|known| Some(*known)),
        _ => {
            state.job_records.insert(of, KeptRecord { record: Stored::new(record), until });
            Ok(None)
        }
    }
}

fn put(state: &mut State, job: Job, chunks: Vec<JobChunk>) {
    for chunk in chunks {
        state.job_chunks.insert((job.tenant.clone(), job.id, chunk.number), chunk);
    }
    state.jobs.insert((job.tenant.clone(), job.id), job);
}

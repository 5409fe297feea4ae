//! Port of recovery jobs: what was asked, how far each has come, and their lists in chunks.

use std::future::Future;

use super::{IdempotencyKey, StoreResult};
use crate::model::id::{JobId, TenantId};
use crate::model::job::{Job, JobChunk, JobKind};
use crate::model::payload::PayloadKey;
use crate::model::time::Timestamp;

/// What is stored under the idempotency key of a call that made a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRecord {
    pub job: JobId,
    /// The SHA-256 of the kind and the body of the call.
    pub digest: PayloadKey,
}

#[derive(Debug, PartialEq, Eq)]
pub enum CreateJobOutcome {
    Created,
    /// The key was used before, and nothing was stored.
    Duplicate(JobRecord),
}

/// How many chunks one change of a job has at most: with those and the job it fits into one transaction of a store that bounds
/// them.
pub const MAX_CHANGED_CHUNKS: usize = 32;

/// Each change of a job is stored as a whole, with the chunks that it changed, and only on top of the version that it began
/// with: of several who change a job at once, one succeeds and the others change nothing. A change has at most
/// [`MAX_CHANGED_CHUNKS`], each of at most 120 KB.
pub trait Jobs {
    /// Stores a new job with what is listed so far. With a key its record comes first and decides: if there is one that is
    /// not over at `now`, that is the answer. Order: record, chunks, job; a call that crashed before its job is not
    /// finished by a repeated one: that makes the job anew, under the ID of the record.
    fn create_job(
        &self,
        job: Job,
        chunks: Vec<JobChunk>,
        key: Option<(IdempotencyKey, JobRecord)>,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<CreateJobOutcome>> + Send;

    /// The record of a key that is not over at `now`.
    fn job_record(
        &self,
        tenant: &TenantId,
        key: &str,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<JobRecord>>> + Send;

    fn job(&self, tenant: &TenantId, id: JobId) -> impl Future<Output = StoreResult<Option<Job>>> + Send;

    /// Jobs of a kind, the newest first, from before `before`: at most `limit`, and fewer only where there are no more. Those
    /// that cannot be read are left out, and the log says so.
    fn jobs(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        before: Option<JobId>,
        limit: usize,
    ) -> impl Future<Output = StoreResult<Vec<Job>>> + Send;

    /// Chunks of a job's list by their numbers, in the order of the numbers, without those that there are not.
    fn job_chunks(
        &self,
        tenant: &TenantId,
        id: JobId,
        numbers: &[u32],
    ) -> impl Future<Output = StoreResult<Vec<JobChunk>>> + Send;

    /// Stores a job in the place of its version before, with the chunks that changed. False, and nothing is stored, where
    /// another version stands.
    fn save_job(&self, job: Job, chunks: Vec<JobChunk>) -> impl Future<Output = StoreResult<bool>> + Send;

    /// The jobs of all tenants that are not over. One whose end cannot be read is among them.
    fn open_jobs(&self) -> impl Future<Output = StoreResult<Vec<(TenantId, JobId)>>> + Send;
}

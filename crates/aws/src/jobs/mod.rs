//! Recovery jobs: each change is one transaction, on top of the version that it began with.
//!
//! A transaction has the record of the key, the job, at most 32 chunks of its list, and its turn: at most 35 items, of together
//! less than the 4 MB that DynamoDB takes. A job that is over has no turn.
//!
//! What drives a job is a message ([`JobTurn`], [`crate::turns`]).

mod message;

use aws_sdk_dynamodb::types::TransactWriteItem;
use tracing::error;

use crate::engine::Aws;
use crate::items::item::{document, json, number};
use crate::items::job_item;
use crate::items::key_schema::{self, IdempotencyScope, VERSION};
use crate::items::transaction::{Refusal, TransactionOutcome, TransactionPart as _};
use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::job::{Job, JobChunk, JobKind};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{CreateJobOutcome, IdempotencyKey, JobRecord, Jobs, StoreError, StoreResult};

pub use message::JobTurn;

impl Jobs for Aws {
    async fn create_job(
        &self,
        job: Job,
        chunks: Vec<JobChunk>,
        key: Option<(IdempotencyKey, JobRecord)>,
        now: Timestamp,
    ) -> StoreResult<CreateJobOutcome> {
        let mut parts = Vec::with_capacity(chunks.len() + 3);
        if let Some((key, record)) = &key {
            let doc = json(record)?;
            parts.push(self.put_idempotency_item(&job.tenant, IdempotencyScope::Job, key, doc, now).part()?);
        }
        let expires = self.job_expiry(&job);
        parts.push(self.put_if_absent(job_item::of_job(&job, expires)?).part()?);
        self.add_chunks(&mut parts, &job, &chunks)?;
        if !job.is_over() {
            parts.push(self.put_part(job_item::first_turn(&job, now, expires)).part()?);
        }
        if let TransactionOutcome::Refused(refusals) = self.transact(parts).await? {
            return match refusals.into_iter().next() {
                Some(Refusal::Condition(Some(item))) if key.is_some() => {
                    Ok(CreateJobOutcome::Duplicate(document(&item)?))
                }
                // A call with the same record came first.
                _ => Err(StoreError::Busy),
            };
        }
        if !job.is_over() {
            let first = JobTurn { tenant: job.tenant, job: job.id, number: 1 };
            // The job is made: where its first message is missing, the sweep sends one.
            if let Err(failure) = self.send_turn(&first, now).await {
                error!(tenant = first.tenant.as_str(), job_id = %first.job, %failure, "job.not_queued");
            }
        }
        Ok(CreateJobOutcome::Created)
    }

    async fn job_record(
        &self,
        tenant: &TenantId,
        key: &str,
        now: Timestamp,
    ) -> StoreResult<Option<JobRecord>> {
        let key = IdempotencyKey { key: key.to_owned(), until: now };
        let item = self.idempotency_item(tenant, IdempotencyScope::Job, &key, now).await?;
        item.as_ref().map(document).transpose()
    }

    async fn job(&self, tenant: &TenantId, id: JobId) -> StoreResult<Option<Job>> {
        // Its kind is not known: it is in one of two partitions.
        let keys = [JobKind::Resend, JobKind::Cancel].map(|kind| key_schema::job(tenant, kind, id));
        self.get_all(keys.into(), None).await?.first().map(document).transpose()
    }

    async fn jobs(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        before: Option<JobId>,
        limit: usize,
    ) -> StoreResult<Vec<Job>> {
        let range = (None, before.map(JobId::uuid));
        self.newest_first(&key_schema::jobs_pk(tenant, kind), range, limit, document).await
    }

    async fn job_chunks(&self, tenant: &TenantId, id: JobId, numbers: &[u32]) -> StoreResult<Vec<JobChunk>> {
        let keys = numbers.iter().map(|number| key_schema::job_chunk(tenant, id, *number)).collect();
        let items = self.get_all(keys, None).await?;
        let mut chunks: Vec<JobChunk> = items.iter().map(document).collect::<StoreResult<_>>()?;
        chunks.sort_unstable_by_key(|chunk| chunk.number);
        Ok(chunks)
    }

    async fn save_job(&self, job: Job, chunks: Vec<JobChunk>) -> StoreResult<bool> {
        let put = self
            .put_if(job_item::of_job(&job, self.job_expiry(&job))?, "#version = :before")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":before", number(job.version.saturating_sub(1)));
        let mut parts = vec![put.part()?];
        self.add_chunks(&mut parts, &job, &chunks)?;
        if job.is_over() {
            parts.push(self.put_part(job_item::last_turn(&job)).part()?);
        }
        Ok(self.transact(parts).await?.is_done())
    }

    async fn open_jobs(&self) -> StoreResult<Vec<(TenantId, JobId)>> {
        let turns = self.turns::<JobTurn>().await?;
        Ok(turns.into_iter().map(|(JobTurn { tenant, job, .. }, _)| (tenant, job)).collect())
    }
}

impl Aws {
    /// When the items of a job expire, and those of its list with them.
    fn job_expiry(&self, job: &Job) -> Timestamp {
        job.created_at + self.stack().retention
    }

    fn add_chunks(
        &self,
        parts: &mut Vec<TransactWriteItem>,
        job: &Job,
        chunks: &[JobChunk],
    ) -> StoreResult<()> {
        for chunk in chunks {
            parts.push(self.put_part(job_item::of_chunk(job, chunk, self.job_expiry(job))?).part()?);
        }
        Ok(())
    }
}

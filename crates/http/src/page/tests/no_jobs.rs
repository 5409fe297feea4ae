//! The loan of these tests has no recovery jobs.

use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::job::{Job, JobChunk, JobKind};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{CreateJobOutcome, IdempotencyKey, JobRecord, Jobs, StoreError, StoreResult};

use super::Loan;

impl Jobs for Loan {
    async fn create_job(
        &self,
        _: Job,
        _: Vec<JobChunk>,
        _: Option<(IdempotencyKey, JobRecord)>,
        _: Timestamp,
    ) -> StoreResult<CreateJobOutcome> {
        Err(StoreError::Busy)
    }

    async fn job_record(&self, _: &TenantId, _: &str, _: Timestamp) -> StoreResult<Option<JobRecord>> {
        Ok(None)
    }

    async fn job(&self, _: &TenantId, _: JobId) -> StoreResult<Option<Job>> {
        Ok(None)
    }

    async fn jobs(&self, _: &TenantId, _: JobKind, _: Option<JobId>, _: usize) -> StoreResult<Vec<Job>> {
        Ok(Vec::new())
    }

    async fn job_chunks(&self, _: &TenantId, _: JobId, _: &[u32]) -> StoreResult<Vec<JobChunk>> {
        Ok(Vec::new())
    }

    async fn save_job(&self, _: Job, _: Vec<JobChunk>) -> StoreResult<bool> {
        Ok(false)
    }

    async fn open_jobs(&self) -> StoreResult<Vec<(TenantId, JobId)>> {
        Ok(Vec::new())
    }
}

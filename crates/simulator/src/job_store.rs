//! Ports of recovery jobs and of lists across loans, delegated to the engine.

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{JobId, TenantId, TraceId};
use loanhook_core::model::job::{Job, JobChunk, JobKind};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    CreateJobOutcome, DeliveryList, DeliveryPart, DeliverySet, DeliverySpan, IdempotencyKey, JobRecord, Jobs,
    StoreResult,
};

use crate::store::Store;

impl Jobs for Store {
    async fn create_job(
        &self,
        job: Job,
        chunks: Vec<JobChunk>,
        key: Option<(IdempotencyKey, JobRecord)>,
        now: Timestamp,
    ) -> StoreResult<CreateJobOutcome> {
        self.memory().create_job(job, chunks, key, now).await
    }

    async fn job_record(
        &self,
        tenant: &TenantId,
        key: &str,
        now: Timestamp,
    ) -> StoreResult<Option<JobRecord>> {
        self.memory().job_record(tenant, key, now).await
    }

    async fn job(&self, tenant: &TenantId, id: JobId) -> StoreResult<Option<Job>> {
        self.memory().job(tenant, id).await
    }

    async fn jobs(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        before: Option<JobId>,
        limit: usize,
    ) -> StoreResult<Vec<Job>> {
        self.memory().jobs(tenant, kind, before, limit).await
    }

    async fn job_chunks(&self, tenant: &TenantId, id: JobId, numbers: &[u32]) -> StoreResult<Vec<JobChunk>> {
        self.memory().job_chunks(tenant, id, numbers).await
    }

    async fn save_job(&self, job: Job, chunks: Vec<JobChunk>) -> StoreResult<bool> {
        self.memory().save_job(job, chunks).await
    }

    async fn open_jobs(&self) -> StoreResult<Vec<(TenantId, JobId)>> {
        self.memory().open_jobs().await
    }
}

impl DeliveryList for Store {
    async fn deliveries(
        &self,
        tenant: &TenantId,
        set: DeliverySet,
        span: DeliverySpan,
        limit: usize,
    ) -> StoreResult<DeliveryPart> {
        self.memory().deliveries(tenant, set, span, limit).await
    }

    async fn deliveries_of_traces(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> StoreResult<Vec<Delivery>> {
        self.memory().deliveries_of_traces(tenant, traces).await
    }

    async fn newest_attempts(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
    ) -> StoreResult<Vec<Option<Attempt>>> {
        self.memory().newest_attempts(tenant, deliveries).await
    }
}

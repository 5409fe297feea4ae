//! Recovery job: what it tells when it is over.

use super::facts::Facts;
use super::{OperationalEvent, OperationalEventId, OperationalKind};
use crate::model::job::Job;
use crate::model::time::Timestamp;

impl OperationalEvent {
    /// What a job tells that is stored now; `was_over` says whether it was over as it was stored before. None where it goes on, or
    /// was told of.
    pub fn job_finished(was_over: bool, job: &Job) -> Option<Self> {
        job.ended_at.filter(|_| !was_over).map(|ended_at| Self::of_ended_job(job, ended_at))
    }

    pub(super) fn of_ended_job(job: &Job, ended_at: Timestamp) -> Self {
        let kind = OperationalKind::JobFinished;
        let counts = job.counts;
        let facts = Facts::of_kind(kind, None, ended_at)
            .with("job-id", job.id.to_string())
            .with("job-kind", job.request.kind.as_str())
            .with("status", job.status().as_str())
            .with("total", counts.total)
            .with("succeeded", counts.succeeded)
            .with("failed", counts.failed)
            .with("skipped", counts.skipped)
            .with("superseded", counts.superseded)
            .with("left", counts.left())
            .with("requested-by", &job.requested_by)
            .with("created-at", job.created_at.to_string())
            .with("ended-at", ended_at.to_string());
        let id = OperationalEventId::of(job.id.uuid(), kind, &[]);
        Self { id, tenant: job.tenant.clone(), kind, occurred_at: ended_at, context: facts.into_json() }
    }
}

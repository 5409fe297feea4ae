//! List of a tenant's jobs of both kinds, page by page, the newest first.

use std::cmp::Reverse;

use crate::model::id::{JobId, TenantId};
use crate::model::job::{Job, JobKind};
use crate::paging::cut_to_page;
use crate::ports::{Jobs, StoreResult};

/// A page of jobs.
#[derive(Debug, Default)]
pub struct JobPage {
    pub jobs: Vec<Job>,
    /// The job before which the next page begins; none where there are no more.
    pub next: Option<JobId>,
}

/// Jobs of both kinds from before `before`: at most `limit`.
///
/// # Errors
///
/// When the store fails.
pub async fn list<S: Jobs>(
    store: &S,
    tenant: &TenantId,
    before: Option<JobId>,
    limit: usize,
) -> StoreResult<JobPage> {
    let mut jobs = Vec::new();
    for kind in JobKind::ALL {
        jobs.extend(store.jobs(tenant, kind, before, limit + 1).await?);
    }
    // An ID begins with the time at which it was made.
    jobs.sort_by_key(|job| Reverse(job.id.uuid()));
    let next = cut_to_page(&mut jobs, limit).map(|last| last.id);
    Ok(JobPage { jobs, next })
}

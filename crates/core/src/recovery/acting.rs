//! What a job does with one delivery that it took. It may be done twice, where a process died before the job knew of it: the
//! second time gives the same attempt.

use std::time::Duration;

use crate::model::delivery::Delivery;
use crate::model::job::{ItemState, Job, JobItem, JobKind, SkipReason};
use crate::model::progress::Status;
use crate::model::time::Timestamp;
use crate::ports::{Attempts, Deliveries, StoreError, StoreResult};
use crate::resend::{
    CancelError, ResendError, ResendRequest, ResendStore, ResendTarget, cancel, resend_remembered,
};

/// How long the key of a resend is remembered: longer than any process is down that may have died between the resend and the
/// record of it in the job.
const KEY_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// Why an item is not taken, by its delivery as it is now.
pub(super) fn skip_reason(job: &Job, item: &JobItem, delivery: Option<&Delivery>) -> Option<SkipReason> {
    let Some(delivery) = delivery else { return Some(SkipReason::Gone) };
    let status = delivery.progress.status();
    match job.request.kind {
        JobKind::Cancel => (status != Status::Pending).then_some(SkipReason::NotPending),
        JobKind::Resend if delivery.snapshot.request.unrenderable.is_some() => {
            Some(SkipReason::NothingToSend)
        }
        JobKind::Resend => {
            let succeeded_since = status == Status::Succeeded && !item.had_succeeded;
            (succeeded_since && !job.request.force).then_some(SkipReason::Succeeded)
        }
    }
}

/// Resends or cancels a delivery that was taken; gives what the item is then.
pub(super) async fn act<S: ResendStore + Deliveries>(
    store: &S,
    job: &Job,
    item: &JobItem,
    now: Timestamp,
) -> StoreResult<ItemState> {
    match job.request.kind {
        JobKind::Resend => resend(store, job, item, now).await,
        JobKind::Cancel => end_schedule(store, job, item).await,
    }
}

async fn resend<S: ResendStore>(
    store: &S,
    job: &Job,
    item: &JobItem,
    now: Timestamp,
) -> StoreResult<ItemState> {
    // No caller can send such a key: theirs are ASCII.
    let key = Some(format!("job·{}·{}", job.id, item.trace));
    let (attempt, requested_by) = (ResendTarget::Newest, job.requested_by.clone());
    let request = ResendRequest { trace_id: item.trace, attempt, to: job.request.to, requested_by, key };
    let skipped = match resend_remembered(store, &job.tenant, request, KEY_WINDOW, now).await {
        Ok(id) => return Ok(ItemState::Sent(id)),
        Err(ResendError::Unknown) => SkipReason::Gone,
        Err(ResendError::NotAttempted) => SkipReason::NotAttempted,
        Err(ResendError::NothingToSend) => SkipReason::NothingToSend,
        Err(ResendError::NoAddress(_)) => SkipReason::NoCurrentAddress,
        Err(error @ ResendError::KeyReused) => return Err(StoreError::Failed(error.to_string().into())),
        Err(ResendError::Store(error)) => return Err(error),
    };
    Ok(ItemState::Skipped(skipped))
}

async fn end_schedule<S: Attempts + Deliveries>(
    store: &S,
    job: &Job,
    item: &JobItem,
) -> StoreResult<ItemState> {
    match cancel(store, &job.tenant, item.trace).await {
        Ok(()) => Ok(ItemState::Succeeded(None)),
        Err(CancelError::Unknown) => Ok(ItemState::Skipped(SkipReason::Gone)),
        // It was pending when it was taken: a process may have died right after it canceled it.
        Err(CancelError::NotPending) => {
            let delivery = store.delivery(&job.tenant, item.trace).await?;
            let status = delivery.map(|delivery| delivery.progress.status());
            Ok(match status {
                Some(Status::Canceled) => ItemState::Succeeded(None),
                _ => ItemState::Skipped(SkipReason::NotPending),
            })
        }
        Err(CancelError::Store(error)) => Err(error),
    }
}

//! Sending again, on demand, exactly what was sent. The automatic schedule neither knows nor cares.

use crate::intake::REMEMBERED_FOR;
use crate::model::attempt::{Attempt, AttemptNumber, Outcome};
use crate::model::id::{AttemptId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::ports::{Attempts, Canceled, Deliveries, Idempotency, Queued, Resends, StoreError};

/// What is asked to be sent again, by whom.
#[derive(Debug)]
pub struct ResendRequest {
    pub trace_id: TraceId,
    /// The attempt that was named; the newest where none was. The bytes are the same for all.
    pub attempt: Option<AttemptNumber>,
    pub requested_by: String,
    pub key: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    #[error("there is no such delivery or attempt")]
    Unknown,
    #[error("the delivery has no attempt yet")]
    NotAttempted,
    #[error("the delivery has nothing to send: its template did not render")]
    NothingToSend,
    #[error("the key was used before, for another delivery")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Queues a resend and gives its attempt; a repeated call with a key gives the same one.
pub async fn resend<S>(
    store: &S,
    tenant: &TenantId,
    request: ResendRequest,
    now: Timestamp,
) -> Result<AttemptId, ResendError>
where
    S: Attempts + Resends,
{
    let trace_id = request.trace_id;
    let (delivery, named) = match request.attempt {
        None => {
            let delivery = store.delivery(tenant, trace_id).await?.ok_or(ResendError::Unknown)?;
            let newest = delivery.progress.newest_attempt.ok_or(ResendError::NotAttempted)?;
            (delivery, newest)
        }
        Some(number) => {
            let (delivery, attempts) = store.story(tenant, trace_id).await?.ok_or(ResendError::Unknown)?;
            delivery.progress.newest_attempt.ok_or(ResendError::NotAttempted)?;
            let happened =
                |attempt: &&Attempt| attempt.number == number && attempt.outcome() != Outcome::Queued;
            let named = attempts.iter().rev().find(happened).ok_or(ResendError::Unknown)?.id;
            (delivery, named)
        }
    };
    if delivery.frozen.request.unrenderable.is_some() {
        return Err(ResendError::NothingToSend);
    }
    let row = delivery.resend_row(AttemptId::at(now), named, request.requested_by, now);
    let id = row.id;
    let key = request.key.map(|key| Idempotency { key, until: now + REMEMBERED_FOR });
    match store.queue_resend(row, key, now).await? {
        Queued::New => Ok(id),
        Queued::Known(known, id) if known == trace_id => Ok(id),
        Queued::Known(..) => Err(ResendError::KeyReused),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("there is no such delivery")]
    Unknown,
    #[error("the delivery is not pending")]
    NotPending,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends the automatic attempts of a delivery.
pub async fn cancel<S: Deliveries>(store: &S, tenant: &TenantId, trace: TraceId) -> Result<(), CancelError> {
    match store.cancel(tenant, trace).await? {
        Canceled::Done => Ok(()),
        Canceled::NotPending => Err(CancelError::NotPending),
        Canceled::Unknown => Err(CancelError::Unknown),
    }
}

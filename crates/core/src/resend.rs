//! Resend: sends again, on demand, what was sent, to the URL that it was sent to or to the one that the subscription has now.
//! The automatic schedule does not move.

use std::time::Duration;

use crate::current_address::{NoAddress, current_address};
use crate::intake::IDEMPOTENCY_WINDOW;
use crate::log;
use crate::model::attempt::{Attempt, AttemptNumber, Outcome, ResendTo};
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::ports::{
    AttemptRange, Attempts, CancelOutcome, Deliveries, EarlierResend, EnqueueOutcome, IdempotencyKey, Ledger,
    Payloads, Resends, StoreError, Subscriptions,
};

/// How many attempts are read at once, looking for one of a number.
const ATTEMPTS_PER_READ: usize = 100;

/// How often a resend looks for the attempt that it names: the claim of one may be released after it was read.
const MAX_TRIES: u32 = 4;

/// What is asked to be sent again, by whom.
#[derive(Debug)]
pub struct ResendRequest {
    pub trace_id: TraceId,
    /// The bytes are the same for all of the delivery's attempts.
    pub attempt: ResendTarget,
    pub to: ResendTo,
    pub requested_by: String,
    pub key: Option<String>,
}

/// The attempt that a resend is said to be of.
#[derive(Debug)]
pub enum ResendTarget {
    /// None was named: the newest.
    Newest,
    /// The newest of this number that has happened.
    Number(AttemptNumber),
    /// This row of the delivery, as the caller has read it.
    Row(AttemptId),
}

impl From<Option<AttemptNumber>> for ResendTarget {
    fn from(number: Option<AttemptNumber>) -> Self {
        number.map_or(Self::Newest, Self::Number)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    #[error("there is no such delivery or attempt")]
    Unknown,
    #[error("the delivery has no attempt yet")]
    NotAttempted,
    #[error("the delivery has nothing to send: its template did not render")]
    NothingToSend,
    /// Only of a resend to the current address.
    #[error(transparent)]
    NoAddress(NoAddress),
    #[error("the key was used before, for another delivery or another address")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The ports that a resend uses.
pub trait ResendStore: Attempts + Resends + Subscriptions + Ledger + Payloads {}

impl<S: Attempts + Resends + Subscriptions + Ledger + Payloads> ResendStore for S {}

/// Queues a resend and gives its attempt; a repeated call with a key gives the same one, whatever was edited since.
///
/// # Errors
///
/// Why it is refused, or that the store failed.
pub async fn resend<S: ResendStore>(
    store: &S,
    tenant: &TenantId,
    request: ResendRequest,
    now: Timestamp,
) -> Result<AttemptId, ResendError> {
    resend_remembered(store, tenant, request, IDEMPOTENCY_WINDOW, now).await
}

/// The same, with a key that is remembered for so long.
pub(crate) async fn resend_remembered<S: ResendStore>(
    store: &S,
    tenant: &TenantId,
    request: ResendRequest,
    window: Duration,
    now: Timestamp,
) -> Result<AttemptId, ResendError> {
    let ResendRequest { trace_id, attempt, to, requested_by, key } = request;
    let key = key.map(|key| IdempotencyKey { key, until: now + window });
    let same = |earlier: EarlierResend| {
        let same = earlier.trace_id == trace_id && earlier.to.is_none_or(|earlier| earlier == to);
        if same { Ok(earlier.attempt) } else { Err(ResendError::KeyReused) }
    };
    for _ in 0..MAX_TRIES {
        let (delivery, named) = match attempt {
            ResendTarget::Newest => newest_attempt(store, tenant, trace_id).await?,
            ResendTarget::Row(id) => (newest_attempt(store, tenant, trace_id).await?.0, id),
            ResendTarget::Number(number) => newest_of_number(store, tenant, trace_id, number, now).await?,
        };
        if delivery.snapshot.request.unrenderable.is_some() {
            return Err(ResendError::NothingToSend);
        }
        let id = AttemptId::at_or_after(now, delivery.history.newest_attempt);
        let mut row = delivery.resend_row(id, named, requested_by.clone(), now);
        if to == ResendTo::Current {
            match (current_address(store, &delivery).await?, &key) {
                (Ok(address), _) => row = row.to_address(address),
                (Err(none), None) => return Err(ResendError::NoAddress(none)),
                // There was an address when it was asked for first.
                (Err(none), Some(key)) => {
                    let earlier = store.earlier_resend(&row, key, now).await?;
                    return earlier.map_or(Err(ResendError::NoAddress(none)), same);
                }
            }
        }
        match store.enqueue_resend(row.clone(), key.clone(), now).await? {
            EnqueueOutcome::Enqueued => {
                log::resend(&row);
                return Ok(id);
            }
            EnqueueOutcome::Duplicate(earlier) => return same(earlier),
            EnqueueOutcome::NamedAttemptReleased => {}
        }
        if let ResendTarget::Row(_) = attempt {
            return Err(ResendError::Unknown);
        }
    }
    Err(StoreError::Busy.into())
}

/// The delivery and its newest attempt of this number that has happened. Automatic attempts are looked for from the
/// oldest, where they are but for deliveries that were resent very often; resends from the newest.
async fn newest_of_number<S: Attempts>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
    number: AttemptNumber,
    now: Timestamp,
) -> Result<(Delivery, AttemptId), ResendError> {
    let mut edge = None;
    loop {
        let span = match number {
            AttemptNumber::Auto(_) => AttemptRange::OldestFirst { after: edge },
            AttemptNumber::Manual => AttemptRange::NewestFirst { before: edge },
        };
        let story = store.delivery_with_attempts(tenant, trace, span, ATTEMPTS_PER_READ).await?;
        let (delivery, attempts) = story.ok_or(ResendError::Unknown)?;
        delivery.history.newest_attempt.ok_or(ResendError::NotAttempted)?;
        edge = attempts.last().map(|attempt| attempt.id);
        let ended = attempts.len() < ATTEMPTS_PER_READ;
        let happened = |attempt: &Attempt| attempt.number == number && attempt.outcome() != Outcome::Queued;
        match attempts.into_iter().map(|attempt| attempt.as_of(now)).find(happened) {
            Some(attempt) => return Ok((delivery, attempt.id)),
            None if ended => return Err(ResendError::Unknown),
            None => {}
        }
    }
}

/// The delivery and its newest attempt.
async fn newest_attempt<S: Attempts>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
) -> Result<(Delivery, AttemptId), ResendError> {
    let delivery = store.delivery(tenant, trace).await?.ok_or(ResendError::Unknown)?;
    let newest = delivery.history.newest_attempt.ok_or(ResendError::NotAttempted)?;
    Ok((delivery, newest))
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
        CancelOutcome::Canceled => Ok(()),
        CancelOutcome::NotPending => Err(CancelError::NotPending),
        CancelOutcome::NotFound => Err(CancelError::Unknown),
    }
}

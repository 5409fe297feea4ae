//! Batches of events: which events are taken in at once, and which one after another.
//!
//! The events of a batch reach the store in their order, a bounded number of them at once, so that they share its
//! commits. Where a trigger of the tenant fires on a change, or a subscription keeps the order of a loan, the events of one loan wait
//! for each other: the trigger must see them, and deliveries are numbered, in their order. Each event has a result of its own: one that is refused changes nothing
//! for the others. Who calls reads the events and says what a refusal looks like.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::{IntakeError, Receipt, Submission, accept};
use crate::model::flow::DeliveryOrder;
use crate::model::id::{LoanId, TenantId};
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{FormulaErrorLog, Intake, Ledger, StoreError, StoreResult, Subscriptions};

/// How many events of a batch are rendered and stored at once: each may have hundreds of deliveries.
const MAX_CONCURRENT_EVENTS: usize = 25;
/// How long events of a batch are begun: whoever waits for the answer, a gateway most of all, waits for 30 seconds.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Takes the events of a batch in, each as [`accept`] does, and gives their results in the order of the events. An
/// event is read, by `next` of the iterator, shortly before it is taken in; what could not be read is its own result.
///
/// # Errors
///
/// The store failed before the first event was taken in. The error of an event is [`StoreError::Busy`] where its turn
/// came too late.
pub async fn accept_batch<S, E>(
    store: &S,
    tenant: &TenantId,
    events: impl Iterator<Item = Result<Submission, E>>,
    now: Timestamp,
) -> StoreResult<Vec<Result<Receipt, E>>>
where
    S: Intake + Subscriptions + Ledger + FormulaErrorLog,
    E: From<IntakeError>,
{
    let subscriptions = store.subscriptions(tenant).await?;
    let needs_order = |subscription: &Subscription| {
        subscription.fires_on_change() || subscription.settings.flow.order == DeliveryOrder::Loan
    };
    let in_order = subscriptions.iter().any(|subscription| needs_order(subscription));
    let loans = &LoanLocks::new(in_order, Instant::now() + START_TIMEOUT);
    let results = stream::iter(events).map(|event| async move {
        let submission = event?;
        let _lock = loans.lock(&submission.event.loan_id).await.map_err(IntakeError::from)?;
        Ok(accept(store, tenant, submission, now).await?)
    });
    Ok(results.buffered(MAX_CONCURRENT_EVENTS).collect().await)
}

/// A lock for each loan whose events must be taken in one after another: first come, first served.
struct LoanLocks {
    in_order: bool,
    deadline: Instant,
    locks: Mutex<HashMap<LoanId, Arc<tokio::sync::Mutex<()>>>>,
}

impl LoanLocks {
    fn new(in_order: bool, deadline: Instant) -> Self {
        Self { in_order, deadline, locks: Mutex::default() }
    }

    /// The lock of a loan, once the events before have been taken in; none where their order does not matter.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] after the deadline.
    async fn lock(&self, loan: &LoanId) -> StoreResult<Option<OwnedMutexGuard<()>>> {
        let lock = self.in_order.then(|| {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(loan.clone()).or_default())
        });
        let guard = match lock {
            Some(lock) => Some(lock.lock_owned().await),
            None => None,
        };
        if Instant::now() > self.deadline { Err(StoreError::Busy) } else { Ok(guard) }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn loan(text: &str) -> LoanId {
        LoanId::try_from(text.to_owned()).expect("a loan")
    }

    #[tokio::test]
    async fn events_of_one_loan_wait_for_each_other_where_order_matters() {
        let locks = LoanLocks::new(true, Instant::now() + START_TIMEOUT);
        let (first, other) = (loan("1"), loan("2"));
        let held = locks.lock(&first).await.expect("in time");
        assert!(held.is_some() && locks.lock(&other).await.expect("in time").is_some());
        let mut waiting = Box::pin(locks.lock(&first));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(held);
        assert!(waiting.await.expect("in time").is_some());
    }

    #[tokio::test]
    async fn events_wait_for_nothing_where_order_does_not_matter() {
        let locks = LoanLocks::new(false, Instant::now() + START_TIMEOUT);
        let first = locks.lock(&loan("1")).await.expect("in time");
        let second = locks.lock(&loan("1")).await.expect("in time");
        assert!(first.is_none() && second.is_none());
    }

    #[tokio::test]
    async fn no_event_is_begun_after_the_deadline() {
        let locks = LoanLocks::new(false, Instant::now() - Duration::from_millis(1));
        assert!(matches!(locks.lock(&loan("1")).await, Err(StoreError::Busy)));
    }
}

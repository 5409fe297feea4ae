//! Triggers that fire on change, and formulas that failed.

use std::future::Future;

use bytes::Bytes;

use super::{IdempotencyKey, IdempotencyRecord, StoreResult};
use crate::model::delivery::Delivery;
use crate::model::formula_errors::{FormulaErrors, SubscriptionFormulaError};
use crate::model::id::{LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::model::trigger_state::TriggerReading;

/// A trigger at an event, and the delivery that comes of it if it rises; none where a restriction forbids.
#[derive(Debug, Clone)]
pub struct WatchedTrigger {
    pub watch: TriggerReading,
    pub delivery: Option<(Delivery, Bytes)>,
}

impl WatchedTrigger {
    /// What comes of it if it rises.
    pub fn trace_if_fired(&self) -> Option<TraceId> {
        self.delivery.as_ref().map(|(delivery, _)| delivery.snapshot.trace_id)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Decided {
    /// All is stored and queued; these subscriptions fired because their triggers rose.
    Stored(Vec<SubscriptionId>),
    /// The key was used before: nothing was stored, nor remembered of any trigger.
    Known(IdempotencyRecord),
}

pub trait Triggers {
    /// As `Intake::accept`, for an event of a loan that some subscriptions watch: it takes in what each trigger
    /// is now, and what comes of those that rise is stored and queued with the other deliveries. Whether one
    /// rises is decided by `Memory::see` on the memory as it is in the same step, so that of events that come
    /// at once one fires. What a key's record says matched is completed with the subscriptions that fired.
    /// Order: payload and delivery of those that rise, record and memory together, the other payloads and
    /// deliveries, messages. What a crash left without its message is found by a call with the same key, or by
    /// the next event of the loan (`Memory::fired_lately`).
    fn accept_watched(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        remember: Option<(IdempotencyKey, IdempotencyRecord)>,
        deliveries: Vec<(Delivery, Bytes)>,
        watched: Vec<WatchedTrigger>,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Decided>> + Send;

    /// Counts formulas that failed on an event, and keeps the last of each subscription.
    fn record_formula_errors(
        &self,
        tenant: &TenantId,
        formula_errors: Vec<SubscriptionFormulaError>,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// The failures of a subscription's formulas; none if there were none.
    fn formula_errors(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> impl Future<Output = StoreResult<Option<FormulaErrors>>> + Send;
}

impl IdempotencyRecord {
    /// The same, with subscriptions that fired among those that matched.
    #[must_use]
    pub fn with_fired<'a>(mut self, risen: impl IntoIterator<Item = &'a Delivery>) -> Self {
        let fired = risen.into_iter().map(|delivery| {
            let snapshot = &delivery.snapshot;
            (snapshot.subscription_id, snapshot.subscription_version)
        });
        self.matched.extend(fired);
        self.matched.sort_unstable();
        self
    }
}

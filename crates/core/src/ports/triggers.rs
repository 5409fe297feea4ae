//! Triggers that fire on change, and formulas that failed.

use std::future::Future;

use bytes::Bytes;

use super::{Idempotency, Remembered, Stored};
use crate::model::delivery::Delivery;
use crate::model::id::{LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::memory::Watch;
use crate::model::time::Timestamp;
use crate::model::trouble::{TroubleOf, Troubles};

/// A trigger at an event, and the delivery that comes of it if it rises; none where a restriction forbids.
#[derive(Debug, Clone)]
pub struct Watched {
    pub watch: Watch,
    pub delivery: Option<(Delivery, Bytes)>,
}

impl Watched {
    /// What comes of it if it rises.
    pub fn fires(&self) -> Option<TraceId> {
        self.delivery.as_ref().map(|(delivery, _)| delivery.frozen.trace_id)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Decided {
    /// All is stored and queued; these subscriptions fired because their triggers rose.
    Stored(Vec<SubscriptionId>),
    /// The key was used before: nothing was stored, nor remembered of any trigger.
    Known(Remembered),
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
        remember: Option<(Idempotency, Remembered)>,
        deliveries: Vec<(Delivery, Bytes)>,
        watched: Vec<Watched>,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Decided>> + Send;

    /// Counts formulas that failed on an event, and keeps the last of each subscription.
    fn note_troubles(
        &self,
        tenant: &TenantId,
        troubles: Vec<TroubleOf>,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// The failures of a subscription's formulas; none if there were none.
    fn troubles(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> impl Future<Output = Stored<Option<Troubles>>> + Send;
}

impl Remembered {
    /// The same, with subscriptions that fired among those that matched.
    #[must_use]
    pub fn with_risen<'a>(mut self, risen: impl IntoIterator<Item = &'a Delivery>) -> Self {
        let fired = risen.into_iter().map(|delivery| {
            let frozen = &delivery.frozen;
            (frozen.subscription_id, frozen.subscription_version)
        });
        self.matched.extend(fired);
        self.matched.sort_unstable();
        self
    }
}

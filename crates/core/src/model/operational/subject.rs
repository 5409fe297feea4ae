//! Subject of an operational event: the subscription that it tells of; and who is told.

use std::sync::Arc;

use crate::model::delivery::Delivery;
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::progress::Status;
use crate::model::subscription::{ClientCertificate, Criteria, Subscription};

/// Whether a tenant has a subscription to operational events, whichever, disabled ones too. Nothing is kept for others.
pub fn is_observed(subscriptions: &[Arc<Subscription>]) -> bool {
    subscriptions.iter().any(|subscription| subscription.is_operational())
}

/// The subscription that an operational event tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub tenant: TenantId,
    pub subscription: SubscriptionId,
    /// As it is now; of a deleted one as it was.
    pub title: String,
    /// Whether it is there: a deleted one neither fails nor recovers.
    pub is_current: bool,
}

impl Subject {
    /// The subject of what happened to a subscription of a tenant that has these. None where nobody is told: the tenant has no
    /// subscription to operational events, or this is one. `title_then` is the title of one that was deleted.
    pub fn of(
        subscriptions: &[Arc<Subscription>],
        (tenant, id): (&TenantId, SubscriptionId),
        title_then: &str,
    ) -> Option<Self> {
        let is_operational = |one: &Arc<Subscription>| one.id == id && one.is_operational();
        let is_told = is_observed(subscriptions) && !subscriptions.iter().any(is_operational);
        is_told.then(|| Self::as_then(subscriptions, (tenant, id), title_then))
    }

    /// A subscription of a tenant that has these, whoever is told.
    pub fn as_then(
        subscriptions: &[Arc<Subscription>],
        (tenant, id): (&TenantId, SubscriptionId),
        title_then: &str,
    ) -> Self {
        match subscriptions.iter().find(|subscription| subscription.id == id) {
            Some(current) => Self::current(current),
            None => {
                let (tenant, title) = (tenant.clone(), title_then.to_owned());
                Self { tenant, subscription: id, title, is_current: false }
            }
        }
    }

    /// A subscription as it is now.
    pub fn current(subscription: &Subscription) -> Self {
        let Subscription { tenant, id, settings, .. } = subscription;
        let (tenant, title) = (tenant.clone(), settings.title.clone());
        Self { tenant, subscription: *id, title, is_current: true }
    }
}

/// Whether the schedule of a delivery ended without success by a change that is stored now, and somebody may be told: test sends
/// and operational events say nothing.
pub fn is_exhausted_now(before: &Delivery, after: &Delivery) -> bool {
    let is_failed = |delivery: &Delivery| delivery.progress.status() == Status::Failed;
    let snapshot = &after.snapshot;
    is_failed(after) && !is_failed(before) && !snapshot.test && !snapshot.loan_id.is_operational()
}

impl Subscription {
    /// Whether it is for operational events.
    pub const fn is_operational(&self) -> bool {
        matches!(self.settings.criteria, Criteria::Operational(_))
    }

    /// The certificate by which its receiver knows us, if it has one.
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.settings.request.tls.as_ref().and_then(|tls| tls.client.as_ref())
    }
}

//! Port of operational events: the outbox, and what time brings.

use std::future::Future;

use super::{StoreError, StoreResult};
use crate::model::id::TenantId;
use crate::model::operational::OperationalEvent;
use crate::model::time::Timestamp;

/// What is left after time was looked at.
#[derive(Debug, Default)]
pub struct StatesAdvanced {
    /// When time brings something next; none where nothing is to come.
    pub next_due: Option<Timestamp>,
    /// Tenants of which it could not be told what time has brought: that is to be tried again.
    pub failed: Option<FailedTenants>,
}

/// Events of the outbox.
#[derive(Debug)]
pub struct OutboxPage {
    pub events: Vec<OperationalEvent>,
    /// After which place to read on; none where these were the last.
    pub next: Option<OutboxPosition>,
}

/// A place in the outbox, as the engine names it: behind an event, which may be deleted by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxPosition(pub String);

/// Tenants that could not be looked at. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{count} tenants could not be looked at, {first} first: {failure}")]
pub struct FailedTenants {
    pub count: usize,
    pub first: TenantId,
    /// That of the first.
    pub failure: StoreError,
}

/// What the other ports change tells operational events: the step that stores the change also stores the operational state of
/// the subscription ([`OperationalState`]) and puts the events that come of it into the outbox. This holds for
/// [`Deliveries::complete`], [`Resends::complete_resend`], [`FlowControl::hold`], [`Jobs::create_job`], [`Jobs::save_job`] and
/// [`Subscriptions::delete`], and for the interruption of an attempt. Nothing is kept for a tenant without a subscription to
/// operational events ([`is_observed`]): the change that takes its last one away takes the states of the tenant away.
///
/// An event of an ID that waits in the outbox already stays as it is: what was taken in of it must not get other facts.
///
/// An engine that hears of changes later, in the order of a stream, does it in the step that stores how far it has read.
///
/// [`OperationalState`]: crate::model::operational::OperationalState
/// [`is_observed`]: crate::model::operational::is_observed
/// [`Deliveries::complete`]: super::Deliveries::complete
/// [`Resends::complete_resend`]: super::Resends::complete_resend
/// [`FlowControl::hold`]: super::FlowControl::hold
/// [`Jobs::create_job`]: super::Jobs::create_job
/// [`Jobs::save_job`]: super::Jobs::save_job
/// [`Subscriptions::delete`]: super::Subscriptions::delete
pub trait OperationalEvents {
    /// Puts what time has brought by `now` into the outbox: windows of exhausted deliveries that ended, and notice of certificates
    /// ([`OperationalState::advance`]). A tenant of which that fails holds up no other.
    ///
    /// [`OperationalState::advance`]: crate::model::operational::OperationalState::advance
    fn advance_operational_states(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<StatesAdvanced>> + Send;

    /// Events of the outbox after this place, else from the first on, of all tenants: at most `limit`, the oldest first. Those that
    /// cannot be read are left out, and the log says so. What is put meanwhile may be before the place.
    fn outbox(
        &self,
        limit: usize,
        after: Option<&OutboxPosition>,
    ) -> impl Future<Output = StoreResult<OutboxPage>> + Send;

    /// Deletes an event of the outbox, once it was taken in. One that is gone already is deleted.
    fn delete_from_outbox(&self, event: &OperationalEvent) -> impl Future<Output = StoreResult<()>> + Send;
}

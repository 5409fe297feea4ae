//! Port of the list of deliveries across the loans of a tenant.

use std::future::Future;

use super::StoreResult;
use crate::model::attempt::Attempt;
use crate::model::delivery::{Delivery, DeliveryPosition};
use crate::model::id::{TenantId, TraceId};
use crate::model::time::Timestamp;

/// Which deliveries of a tenant are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverySet {
    All,
    /// Those whose status is [`Status::Failed`](crate::model::progress::Status::Failed).
    Failed,
}

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliverySpan {
    /// The first moment of acceptance.
    pub from: Option<Timestamp>,
    /// The position before which deliveries stand.
    pub before: Option<DeliveryPosition>,
}

impl DeliverySpan {
    pub fn contains(&self, position: DeliveryPosition) -> bool {
        self.from.is_none_or(|from| from <= position.accepted_at)
            && self.before.is_none_or(|before| position < before)
    }
}

/// Deliveries, the newest first by their position.
#[derive(Debug, Default)]
pub struct DeliveryPart {
    pub deliveries: Vec<Delivery>,
    /// How many items an engine looked at for them.
    pub examined: usize,
    /// The position before which the list goes on; none at its end.
    pub goes_on: Option<DeliveryPosition>,
}

/// A list is read in parts, by positions and not by counts: so each delivery is in it once, whatever arrives and changes
/// meanwhile. Lists leave out what cannot be read, and say so in the log.
pub trait DeliveryList {
    /// Deliveries of a set within a span: at most `limit`. There may be fewer although the list goes on, where an engine has
    /// looked at many items for them.
    fn deliveries(
        &self,
        tenant: &TenantId,
        set: DeliverySet,
        span: DeliverySpan,
        limit: usize,
    ) -> impl Future<Output = StoreResult<DeliveryPart>> + Send;

    /// The deliveries of these traces, in the same order, without those that there are not.
    fn deliveries_of_traces(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
    ) -> impl Future<Output = StoreResult<Vec<Delivery>>> + Send;

    /// The newest row of each of these deliveries of the tenant, in the same order; none where there is none.
    fn newest_attempts(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
    ) -> impl Future<Output = StoreResult<Vec<Option<Attempt>>>> + Send;
}

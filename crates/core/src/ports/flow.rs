//! Port of the flow of subscriptions: holds by hand, and what readers are told of limits, orders and holds.
//!
//! With an order an engine numbers a delivery in the step that stores it, and decides in the step that claims whether its first
//! attempt may begin. One that may not begin has no message; the step that ends the wait queues it.
//!
//! What the flow of a subscription forbids, an engine keeps to where it hands out what is due, and it records the ends of
//! attempts in [`FlowState`](crate::model::flow::FlowState) in the step that completes them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use super::StoreResult;
use crate::model::delivery::Delivery;
use crate::model::flow::SubscriptionFlow;
use crate::model::id::{SubscriptionId, TenantId, TraceId};
use crate::model::time::Timestamp;

pub trait FlowControl {
    /// Holds a subscription by hand, in the name of a key; one that is held by hand stays as it is. False if the tenant has
    /// no such subscription now.
    fn hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        by: &str,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Ends the hold of a subscription, by hand or automatic, if there is one. False if the tenant has no such subscription
    /// now.
    fn release_hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// The flow of the tenant's subscriptions that are at a limit, have an order or are held; of others it may be left out.
    fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>>> + Send;

    /// Those of these deliveries of the tenant that wait for an earlier one of their loan.
    fn waiting_for_order(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<BTreeSet<TraceId>>> + Send;

    /// How many deliveries of a subscription of which [`FlowControl::flows`] tells are due and have nothing in flight.
    fn count_waiting(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<u64>> + Send;
}

//! Holds as a use case: a subscription is held and released by hand; and what readers are shown of holds and of deliveries
//! that wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::delivery::Delivery;
use crate::model::flow::{Hold, SubscriptionFlow, Waiting, WaitingReason};
use crate::model::id::{AttemptId, SubscriptionId, TenantId, TraceId};
use crate::model::subscription::Subscription;
use crate::model::time::Timestamp;
use crate::ports::{DeliveryList, FlowControl, HistoryRow, StoreResult, Subscriptions};
use crate::subscriptions::SubscriptionError;

/// A hold as readers are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownHold {
    pub hold: Hold,
    /// How many deliveries wait.
    pub waiting: u64,
}

/// Holds a subscription in the name of a key. What is under way ends; what is due waits, and uses up no attempt.
///
/// # Errors
///
/// [`SubscriptionError::Unknown`] where the tenant has none of this ID.
pub async fn hold<S: FlowControl + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    by: &str,
    now: Timestamp,
) -> Result<(Arc<Subscription>, Option<ShownHold>), SubscriptionError> {
    let is_known = store.hold(tenant, id, by, now).await?;
    changed(store, tenant, id, is_known).await
}

/// Ends the hold of a subscription, if there is one: what waited leaves, slowly at first.
///
/// # Errors
///
/// As those of [`hold`].
pub async fn release<S: FlowControl + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<(Arc<Subscription>, Option<ShownHold>), SubscriptionError> {
    let is_known = store.release_hold(tenant, id, now).await?;
    changed(store, tenant, id, is_known).await
}

async fn changed<S: FlowControl + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    is_known: bool,
) -> Result<(Arc<Subscription>, Option<ShownHold>), SubscriptionError> {
    let subscription = if is_known { store.subscription(tenant, id).await? } else { None };
    let subscription = subscription.ok_or(SubscriptionError::Unknown)?;
    Ok((subscription, hold_of(store, tenant, id, Timestamp::now()).await?))
}

/// The hold of a subscription; none where it is not held.
pub async fn hold_of<S: FlowControl>(
    store: &S,
    tenant: &TenantId,
    id: SubscriptionId,
    now: Timestamp,
) -> StoreResult<Option<ShownHold>> {
    let flow = store.flows(tenant, now).await?.remove(&id);
    match flow.and_then(|flow| flow.hold) {
        Some(hold) => Ok(Some(ShownHold { waiting: store.count_waiting(tenant, id, now).await?, hold })),
        None => Ok(None),
    }
}

/// The holds of a tenant's subscriptions, of those that are held.
pub async fn holds<S: FlowControl>(
    store: &S,
    tenant: &TenantId,
    now: Timestamp,
) -> StoreResult<BTreeMap<SubscriptionId, ShownHold>> {
    let mut holds = BTreeMap::new();
    for (id, flow) in store.flows(tenant, now).await? {
        if let Some(hold) = flow.hold {
            holds.insert(id, ShownHold { waiting: store.count_waiting(tenant, id, now).await?, hold });
        }
    }
    Ok(holds)
}

/// Why a delivery waits; none where it does not. Nothing is read where its attempt is not due.
pub async fn waiting_of<S: FlowControl>(
    store: &S,
    delivery: &Delivery,
    now: Timestamp,
) -> StoreResult<Option<Waiting>> {
    if delivery.progress.next_due().is_none_or(|due| due > now) {
        return Ok(None);
    }
    let tenant = &delivery.snapshot.tenant;
    let flows = store.flows(tenant, now).await?;
    let all = waiting_of_all(store, tenant, &flows, std::slice::from_ref(delivery), now).await?;
    Ok(all.into_iter().next().flatten())
}

/// Why deliveries of a tenant wait, in the same order, by the flows of its subscriptions. The order that a subscription keeps
/// comes before its limits and its hold, as what waits for it has not come so far.
pub(crate) async fn waiting_of_all<S: FlowControl>(
    store: &S,
    tenant: &TenantId,
    flows: &BTreeMap<SubscriptionId, SubscriptionFlow>,
    deliveries: &[Delivery],
    now: Timestamp,
) -> StoreResult<Vec<Option<Waiting>>> {
    let may_wait = |delivery: &&Delivery| {
        let is_due = delivery.progress.next_due().is_some_and(|due| due <= now);
        let flow = flows.get(&delivery.snapshot.subscription_id);
        delivery.snapshot.sequence.is_some() && is_due && flow.is_some_and(|flow| flow.is_ordered)
    };
    let ordered: Vec<_> = deliveries.iter().filter(may_wait).cloned().collect();
    let behind = match ordered.is_empty() {
        true => BTreeSet::new(),
        false => store.waiting_for_order(tenant, &ordered, now).await?,
    };
    let waiting_of_one = |delivery: &Delivery| match behind.contains(&delivery.snapshot.trace_id) {
        true => Some(Waiting { reason: WaitingReason::Order, since: delivery.snapshot.accepted_at }),
        false => waiting(flows, delivery, now),
    };
    Ok(deliveries.iter().map(waiting_of_one).collect())
}

/// Why rows of a tenant wait, by their IDs: of each whose next attempt is due, and did not leave yet. Nothing is read where
/// there is none.
pub async fn waiting_rows<S: DeliveryList + FlowControl>(
    store: &S,
    tenant: &TenantId,
    rows: &[HistoryRow],
    now: Timestamp,
) -> StoreResult<BTreeMap<AttemptId, Waiting>> {
    let is_due = |row: &&HistoryRow| row.attempt.next_attempt_at.is_some_and(|due| due <= now);
    let due: BTreeSet<_> = rows.iter().filter(is_due).map(|row| row.attempt.trace_id).collect();
    if due.is_empty() {
        return Ok(BTreeMap::new());
    }
    let flows = store.flows(tenant, now).await?;
    if flows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let traces: Vec<_> = due.into_iter().collect();
    let deliveries = store.deliveries_of_traces(tenant, &traces).await?;
    let waiting_row = |delivery: &Delivery| {
        // A row is of a delivery that was attempted: that waits for no other.
        let waiting = waiting(&flows, delivery, now)?;
        let next = delivery.progress.next_due();
        let row = rows
            .iter()
            .map(|row| &row.attempt)
            .find(|row| row.trace_id == delivery.snapshot.trace_id && row.next_attempt_at == next)?;
        Some((row.id, waiting))
    };
    Ok(deliveries.iter().filter_map(waiting_row).collect())
}

/// Why deliveries of these traces of a tenant wait, of those that do. Nothing is read of them where no subscription has a limit, an
/// order or a hold.
pub async fn waiting_traces<S: DeliveryList + FlowControl>(
    store: &S,
    tenant: &TenantId,
    traces: &[TraceId],
    now: Timestamp,
) -> StoreResult<BTreeMap<TraceId, Waiting>> {
    let flows = if traces.is_empty() { BTreeMap::new() } else { store.flows(tenant, now).await? };
    if flows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let deliveries = store.deliveries_of_traces(tenant, traces).await?;
    let waiting = waiting_of_all(store, tenant, &flows, &deliveries, now).await?;
    let traces = deliveries.iter().map(|delivery| delivery.snapshot.trace_id);
    Ok(traces.zip(waiting).filter_map(|(trace, waiting)| Some((trace, waiting?))).collect())
}

/// For which limit or hold a delivery waits by the flows of its tenant's subscriptions.
fn waiting(
    flows: &BTreeMap<SubscriptionId, SubscriptionFlow>,
    delivery: &Delivery,
    now: Timestamp,
) -> Option<Waiting> {
    flows.get(&delivery.snapshot.subscription_id)?.waiting(delivery, now)
}

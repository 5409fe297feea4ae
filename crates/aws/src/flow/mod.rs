//! Flow of subscriptions: limits, holds, and what waits for them.
//!
//! Here every delivery function hands out messages for itself, so what may begin is decided before each claim, by conditional
//! writes ([ADR 40](../../../../docs/adr/0040-limits-and-holds-on-aws.md)):
//!
//! - [`known`]: what the newest version of a subscription says; [`state`]: its failures in a row and its hold.
//! - [`begin`]: whether a message may be handled now; [`ask`]: by hold, older deliveries, and [`places`] of the limits in their
//!   [`shares`].
//! - [`waiting`]: the deliveries that may not; [`wake`]: what wakes them, at a [`pace`], by the messages of [`turn`].
//! - [`record`]: the ends of attempts, and holds by hand.

mod ask;
mod begin;
mod known;
mod pace;
mod places;
mod record;
mod shares;
mod state;
mod turn;
mod waiting;
mod wake;

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Aws;
use crate::items::item::{Item, get_text};
use crate::items::key_schema::{self, PK, SK};
use crate::items::unreadable::readable;
use crate::queue::Receiver;
use crate::settings::StoredSubscription;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::{DeliveryOrder, SubscriptionFlow};
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, StoreResult};

pub use begin::FlowNotes;
pub(crate) use known::KnownFlow;
use state::StoredState;
pub(crate) use turn::WaitingTurn;

/// So many deliveries that wait are looked at one by one, so that one which was canceled meanwhile does not count.
const COUNTED_ONE_BY_ONE: u32 = 100;

impl FlowControl for Aws {
    async fn hold(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        by: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.hold_by_hand(&Receiver { tenant: tenant.clone(), subscription_id: id }, by, now).await
    }

    async fn release_hold(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<bool> {
        self.release_by_hand(&Receiver { tenant: tenant.clone(), subscription_id: id }, now).await
    }

    /// Where no subscription of the tenant has flow, this reads its version at most.
    async fn flows(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        let version = self.current_version(tenant).await?;
        let ids = version.flow.all();
        let keys = ids.iter().flat_map(|id| {
            [
                key_schema::current_subscription(tenant, *id),
                key_schema::flow_state(tenant, *id),
                key_schema::waiting_turn(tenant, *id),
            ]
        });
        let items = if ids.is_empty() { Vec::new() } else { self.get_all(keys.collect(), None).await? };
        let flows = ids.into_iter().filter_map(|id| {
            let flow = flow_of(tenant, id, &items, version.flow.marked.contains(&id), now)?;
            (flow != SubscriptionFlow::default()).then_some((id, flow))
        });
        Ok(flows.collect())
    }

    async fn waiting_for_order(
        &self,
        tenant: &TenantId,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        self.behind_others(tenant, deliveries, now).await
    }

    /// Those whose message was received and that wait since then.
    async fn count_waiting(&self, tenant: &TenantId, id: SubscriptionId, now: Timestamp) -> StoreResult<u64> {
        let of = Receiver { tenant: tenant.clone(), subscription_id: id };
        let waiting = self.oldest_waiting(&of, COUNTED_ONE_BY_ONE + 1).await?;
        if waiting.len() > COUNTED_ONE_BY_ONE as usize {
            return self.count_all_waiting(&of, now, u32::MAX).await;
        }
        let keys = waiting.iter().map(|waiting| key_schema::delivery(tenant, waiting.trace)).collect();
        let deliveries = readable(&self.get_all(keys, None).await?, crate::items::delivery_item::read);
        let is_due = |delivery: &&Delivery| delivery.progress.next_due().is_some_and(|due| due <= now);
        Ok(deliveries.iter().filter(is_due).count() as u64)
    }
}

/// The flow of a subscription, by its item and that of its state; none where it is gone.
fn flow_of(
    tenant: &TenantId,
    id: SubscriptionId,
    items: &[Item],
    is_marked: bool,
    now: Timestamp,
) -> Option<SubscriptionFlow> {
    let find = |key: key_schema::ItemKey| {
        let is_it = |item: &&Item| get_text(item, PK) == Some(&key.pk) && get_text(item, SK) == Some(&key.sk);
        items.iter().find(is_it)
    };
    let current = find(key_schema::current_subscription(tenant, id))?;
    // It is there as long as something is noted to wait.
    let has_waiting = find(key_schema::waiting_turn(tenant, id)).is_some();
    let settings = readable(std::slice::from_ref(current), StoredSubscription::read).pop()?.flow();
    let keeps_state = settings.hold_after_failures.is_some() || is_marked;
    let state = find(key_schema::flow_state(tenant, id)).filter(|_| keeps_state);
    let state = state.map(StoredState::read).unwrap_or_default().state;
    Some(SubscriptionFlow {
        waits_since: state.waits_since(now),
        hold: state.hold,
        is_limited: settings.has_limit() && has_waiting,
        is_ordered: settings.order == DeliveryOrder::Loan,
    })
}

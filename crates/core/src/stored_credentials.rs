//! Copies of credentials in deliveries that an earlier version of loanhook stored, which froze all headers.
//!
//! An attempt of such a delivery takes them out when it is claimed, and so does a resend. [`take_out`] does it for deliveries of
//! which nothing is sent. An engine that can change many at once does so itself ([`rendered_by`] says what stays).

use std::sync::Arc;

use crate::model::credentials::FrozenHeaders;
use crate::model::delivery::{Delivery, DeliverySnapshot};
use crate::model::id::{TenantId, TraceId};
use crate::model::subscription::{Origin, Subscription};
use crate::ports::{Attempts, Deliveries, StoreResult, Subscriptions};

/// Takes the credentials out of a stored delivery. False where there is no such delivery, or it holds none.
///
/// # Errors
///
/// When the store fails.
pub async fn take_out<S: Attempts + Deliveries + Subscriptions>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
) -> StoreResult<bool> {
    let Some(mut delivery) = store.delivery(tenant, trace).await? else { return Ok(false) };
    if !delivery.snapshot.request.headers.may_hold_credentials() {
        return Ok(false);
    }
    replace_headers(store, &mut delivery).await?;
    store.replace_frozen_headers(&delivery).await?;
    Ok(true)
}

/// Takes the credentials out of a delivery in memory.
pub(crate) async fn replace_headers<S: Subscriptions>(store: &S, delivery: &mut Delivery) -> StoreResult<()> {
    let snapshot = &delivery.snapshot;
    let (tenant, id) = (&snapshot.tenant, snapshot.subscription_id);
    let matched = store.subscription_version(tenant, id, snapshot.subscription_version).await;
    let deciding = match (matched, Origin::of(&snapshot.request.url)) {
        (Ok(Some(matched)), _) => Some(matched),
        // It is gone, or cannot be read.
        (Ok(None) | Err(_), Some(origin)) => store.newest_version_to(tenant, id, &origin).await?,
        (Ok(None) | Err(_), None) => None,
    };
    delivery.snapshot.request.headers = rendered_by(snapshot, deciding.as_ref());
    Ok(())
}

/// The headers that stay of a delivery. `deciding` is the version of the subscription that it matched; where this cannot be
/// read, the newest one whose requests go to its scheme, host and port.
pub fn rendered_by(snapshot: &DeliverySnapshot, deciding: Option<&Arc<Subscription>>) -> FrozenHeaders {
    snapshot.request.headers.without_credentials(deciding.map(|deciding| &deciding.settings))
}

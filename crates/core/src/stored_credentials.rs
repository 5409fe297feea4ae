//! Copies of credentials in deliveries that an earlier version of loanhook stored, which froze all headers.
//!
//! An attempt of such a delivery takes them out when it is claimed, and so does a resend. [`take_out`] does it for deliveries of
//! which nothing is sent. An engine that can change many at once does so itself ([`rendered_by`] says what stays).

use std::sync::Arc;

use crate::model::credentials::FrozenHeaders;
use crate::model::delivery::{Delivery, DeliverySnapshot};
use crate::model::id::{TenantId, TraceId};
use crate::model::subscription::Subscription;
use crate::ports::{Attempts, Deliveries, StoreError, StoreResult, Subscriptions};

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
    if let Some(unread) = replace_headers(store, &mut delivery).await? {
        return Err(unread);
    }
    store.replace_frozen_headers(&delivery).await?;
    Ok(true)
}

/// Takes the credentials out of a delivery in memory. Where the version that it matched could not be read now, the result says
/// why: what is left then is good for one request, and must not be stored, as another read may say that more was rendered.
pub(crate) async fn replace_headers<S: Subscriptions>(
    store: &S,
    delivery: &mut Delivery,
) -> StoreResult<Option<StoreError>> {
    let snapshot = &delivery.snapshot;
    let (tenant, id, version) = (&snapshot.tenant, snapshot.subscription_id, snapshot.subscription_version);
    let (deciding, unread) = match store.subscription_version(tenant, id, version).await {
        Ok(Some(matched)) => (Some(matched), None),
        Ok(None) => (store.newest_version(tenant, id, version).await?, None),
        Err(unread) => (store.newest_version(tenant, id, version).await?, Some(unread)),
    };
    delivery.snapshot.request.headers = rendered_by(snapshot, deciding.as_ref());
    Ok(unread)
}

/// The headers that stay of a delivery. `deciding` is the version of the subscription that it matched; where this is gone,
/// the newest one.
pub fn rendered_by(snapshot: &DeliverySnapshot, deciding: Option<&Arc<Subscription>>) -> FrozenHeaders {
    snapshot.request.headers.without_credentials(deciding.map(|deciding| &deciding.settings))
}

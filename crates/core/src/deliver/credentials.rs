//! Resolution of credentials: what the subscription gives a request that leaves now.
//!
//! One rule, whatever the attempt: a request takes the credentials of the newest version of its subscription if that goes to the
//! same scheme, host and port, else those of the newest version that did. A request that no version has credentials for
//! leaves without any, signed: its receiver says what it thinks of that, and one that asks for no credential gets what it
//! was promised.

use tracing::warn;

use super::Deliver;
use super::preparing::{NotSendable, gone};
use super::recording::with_retries;
use crate::model::credentials::{Credentials, FrozenHeaders};
use crate::model::delivery::{Delivery, DeliverySnapshot};
use crate::model::subscription::Origin;
use crate::ports::{Deliveries, Subscriptions};

impl<S: Deliveries + Subscriptions, O> Deliver<S, O> {
    /// The credentials of a request to this URL.
    pub(super) async fn credentials(
        &self,
        snapshot: &DeliverySnapshot,
        destination: &str,
    ) -> Result<Credentials, NotSendable> {
        let (tenant, id) = (&snapshot.tenant, snapshot.subscription_id);
        let matched = snapshot.subscription_version;
        let newest = with_retries(|| self.store.newest_version(tenant, id, matched)).await?;
        let newest = newest.ok_or_else(|| gone("its webhook is gone"))?;
        let secrets = newest.secrets.clone();
        let giving = match Origin::of(destination) {
            Some(origin) if newest.settings.origin() == Some(&origin) => Some(newest),
            Some(origin) => with_retries(|| self.store.newest_version_to(tenant, id, &origin)).await?,
            None => None,
        };
        if giving.is_none() {
            warn!(trace_id = %snapshot.trace_id, "attempt.no_credentials_for_its_host");
        }
        let version = giving.as_ref().map(|giving| giving.version);
        let headers = giving.map(|giving| giving.settings.constant_headers()).unwrap_or_default();
        Ok(Credentials { version, headers, secrets })
    }

    /// Takes the credentials out of a delivery that an earlier version of loanhook stored with them. The version that it
    /// matched decides what they are; where that cannot be read, the newest one that goes to its host.
    pub(super) async fn take_out_credentials(&self, delivery: &mut Delivery) -> Result<(), NotSendable> {
        let snapshot = &delivery.snapshot;
        if !snapshot.request.headers.may_hold_credentials() {
            return Ok(());
        }
        let headers = self.rendered_headers(snapshot).await?;
        delivery.snapshot.request.headers = headers;
        // What is sent does not depend on it: where it fails, the next attempt tries again.
        if let Err(failure) = self.store.replace_frozen_headers(delivery).await {
            warn!(trace_id = %delivery.snapshot.trace_id, %failure, "delivery.stored_credentials_stay");
        }
        Ok(())
    }

    async fn rendered_headers(&self, snapshot: &DeliverySnapshot) -> Result<FrozenHeaders, NotSendable> {
        let (tenant, id) = (&snapshot.tenant, snapshot.subscription_id);
        let matched = self.store.subscription_version(tenant, id, snapshot.subscription_version).await;
        let deciding = match (matched, Origin::of(&snapshot.request.url)) {
            (Ok(Some(matched)), _) => Some(matched),
            (Ok(None) | Err(_), Some(origin)) => {
                with_retries(|| self.store.newest_version_to(tenant, id, &origin)).await?
            }
            (Ok(None) | Err(_), None) => None,
        };
        let settings = deciding.as_ref().map(|deciding| &deciding.settings);
        Ok(snapshot.request.headers.without_credentials(settings))
    }
}

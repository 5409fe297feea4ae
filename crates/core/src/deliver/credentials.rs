//! Resolution of credentials: what the subscription gives a request that leaves now.
//!
//! One rule, whatever the attempt: a request takes the credentials of the newest version of its subscription if that goes to the
//! same scheme, host and port, else those of the newest version that did. A request that no version has credentials for
//! leaves without any, signed: a receiver that wants a credential answers 401, and one that wants none gets what it was
//! promised.

use std::sync::Arc;

use tracing::warn;

use super::Deliver;
use super::preparing::{NotSendable, gone};
use super::recording::with_retries;
use crate::model::credentials::Credentials;
use crate::model::delivery::{Delivery, DeliverySnapshot};
use crate::model::subscription::{Origin, Subscription};
use crate::ports::{Deliveries, Subscriptions};
use crate::stored_credentials::replace_headers;

impl<S: Deliveries + Subscriptions, O> Deliver<S, O> {
    /// The credentials of a request to this URL, and the version of the subscription that gives them.
    pub(super) async fn credentials(
        &self,
        snapshot: &DeliverySnapshot,
        destination: &str,
    ) -> Result<(Credentials, Option<Arc<Subscription>>), NotSendable> {
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
        let credentials = match &giving {
            Some(giving) => Credentials::of(giving.version, &giving.settings, secrets),
            None => {
                warn!(trace_id = %snapshot.trace_id, "attempt.no_credentials_for_its_host");
                Credentials::none(secrets)
            }
        };
        Ok((credentials, giving))
    }

    /// Takes the credentials out of a delivery that an earlier version of loanhook stored with them.
    pub(super) async fn take_out_credentials(&self, delivery: &mut Delivery) -> Result<(), NotSendable> {
        if !delivery.snapshot.request.headers.may_hold_credentials() {
            return Ok(());
        }
        let (store, before) = (&self.store, &*delivery);
        let (after, unread) = with_retries(|| async {
            let mut after = before.clone();
            let unread = replace_headers(store, &mut after).await?;
            Ok((after, unread))
        })
        .await?;
        *delivery = after;
        let stored = match unread {
            Some(unread) => Err(unread),
            None => self.store.replace_frozen_headers(delivery).await,
        };
        // This request does not depend on it: the next attempt tries again.
        if let Err(failure) = stored {
            warn!(trace_id = %delivery.snapshot.trace_id, %failure, "delivery.stored_credentials_stay");
        }
        Ok(())
    }
}

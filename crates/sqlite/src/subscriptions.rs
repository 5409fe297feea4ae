//! Subscriptions, of which every version is kept: a delivery takes its credentials from the newest one, even after its
//! subscription was deleted, or from the newest one that goes to its host; a repeated intake renders from the version that
//! matched.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::queue::{QueueId, UncommittedFlow};
use super::subscription_versions::{self, find_version, newest, newest_to, put, retire};
use super::writer::Priority;
use super::{SqliteEngine, flow_states, operational, order};
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::flow::throttle::SentBefore;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreResult, Subscriptions};

/// When the first delivery is due that waited for order and does not any more, and the change of flow until its commit.
type Changed = (Option<Timestamp>, Option<UncommittedFlow>);

impl Subscriptions for SqliteEngine {
    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        Ok(self.0.cache.subscriptions(tenant))
    }

    async fn subscription(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let cached = self.0.cache.subscriptions(tenant);
        Ok(cached.iter().find(|subscription| subscription.id == id).cloned())
    }

    async fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let (tenant, keyring) = (tenant.clone(), self.keyring());
        self.read(move |connection| find_version(connection, &keyring, (&tenant, id), version))
            .await
            .map(|subscription| subscription.map(Arc::new))
    }

    async fn subscription_versions(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        before: Option<u64>,
        limit: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        let (tenant, keyring) = (tenant.clone(), self.keyring());
        self.read(move |connection| {
            subscription_versions::before(connection, &keyring, (&tenant, id), before, limit)
        })
        .await
    }

    async fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        _: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        if let Some(current) = self.subscription(tenant, id).await? {
            return Ok(Some(current));
        }
        let (tenant, keyring) = (tenant.clone(), self.keyring());
        self.read(move |connection| newest(connection, &keyring, (&tenant, id)))
            .await
            .map(|newest| newest.map(|(subscription, _)| Arc::new(subscription)))
    }

    async fn newest_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let (tenant, origin, keyring) = (tenant.clone(), origin.clone(), self.keyring());
        self.read(move |connection| newest_to(connection, &keyring, (&tenant, id), &origin)).await
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        let (cache, scheduler) = (Arc::clone(&self.0.cache), Arc::clone(&self.0.scheduler));
        let states = Arc::clone(&self.0.operational);
        let (new, keyring) = (subscription.clone(), self.keyring());
        let work = move |connection: &Connection| {
            let count: usize = connection
                .prepare_cached("SELECT count(*) FROM subscriptions WHERE tenant = ?1 AND current = 1")?
                .query_row([new.tenant.as_str()], |row| row.get(0))?;
            if count < most {
                put(connection, &keyring, &new)?;
                follow_order(connection, FlowSettings::default(), &new)?;
            }
            Ok(count < most)
        };
        let after_commit = move |created: &mut bool| {
            if *created {
                let of = (&subscription.tenant, subscription.id);
                scheduler.set_flow_settings(of, subscription.settings.flow, SentBefore::Nothing);
                cache.put_subscription(subscription);
                states.follow_subscription();
            }
        };
        self.0.writer.run(Priority::ExistingWork, work, after_commit).await
    }

    async fn replace(&self, subscription: Subscription) -> StoreResult<ReplaceOutcome> {
        let (cache, scheduler) = (Arc::clone(&self.0.cache), Arc::clone(&self.0.scheduler));
        let states = Arc::clone(&self.0.operational);
        let (next, flows, keyring) = (subscription.clone(), Arc::clone(&scheduler), self.keyring());
        let work = move |connection: &Connection| {
            let Some((current, true)) = newest(connection, &keyring, (&next.tenant, next.id))? else {
                return Ok((ReplaceOutcome::NotFound, None));
            };
            if current.version + 1 != next.version {
                return Ok((ReplaceOutcome::VersionConflict, None));
            }
            let flow_changes = current.settings.flow != next.settings.flow;
            let hold_after = |of: &Subscription| of.settings.flow.hold_after_failures;
            if hold_after(&current).is_some() && hold_after(&next).is_none() {
                flow_states::forget_failures(connection, (&next.tenant, next.id))?;
            }
            let flow_before = current.settings.flow;
            let retired = Subscription { secrets: Secrets::without_expired(), ..current };
            retire(connection, &keyring, &retired)?;
            put(connection, &keyring, &next)?;
            operational::record_replaced(connection, &retired, &next)?;
            let first_due = follow_order(connection, flow_before, &next)?;
            let uncommitted = flow_changes.then(|| UncommittedFlow::begin(&flows, (&next.tenant, next.id)));
            Ok((ReplaceOutcome::Replaced, Some((first_due, uncommitted))))
        };
        let after_commit = move |(replaced, changed): &mut (ReplaceOutcome, Option<Changed>)| {
            let first_due = changed.as_ref().and_then(|(first_due, _)| *first_due);
            if *replaced == ReplaceOutcome::Replaced {
                let of = (&subscription.tenant, subscription.id);
                scheduler.set_flow_settings(of, subscription.settings.flow, SentBefore::Unknown);
                if let Some(due) = first_due {
                    let (tenant, subscription) = (subscription.tenant.clone(), subscription.id);
                    scheduler.schedule(QueueId { tenant, subscription, automatic: true }, due);
                }
                cache.put_subscription(subscription);
                states.follow_subscription();
            }
        };
        let (replaced, _) = self.0.writer.run(Priority::ExistingWork, work, after_commit).await?;
        Ok(replaced)
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: Option<u64>,
    ) -> StoreResult<DeleteOutcome> {
        let (cache, scheduler) = (Arc::clone(&self.0.cache), Arc::clone(&self.0.scheduler));
        let (tenant, of) = (tenant.clone(), tenant.clone());
        // It is not read: one that cannot be read can be deleted, too.
        let work = move |connection: &Connection| {
            let current: Option<u64> = connection
                .prepare_cached(
                    "SELECT version FROM subscriptions WHERE tenant = ?1 AND id = ?2 AND current = 1",
                )?
                .query_row(params![of.as_str(), id.uuid().as_bytes()], |row| row.get(0))
                .optional()?;
            let Some(current) = current else { return Ok(DeleteOutcome::NotFound) };
            if version.is_some_and(|version| version != current) {
                return Ok(DeleteOutcome::VersionConflict);
            }
            connection
                .prepare_cached(
                    "UPDATE subscriptions SET current = 0 WHERE tenant = ?1 AND id = ?2 AND current = 1",
                )?
                .execute(params![of.as_str(), id.uuid().as_bytes()])?;
            // What was accepted goes on, and nobody can release it any more.
            flow_states::delete(connection, (&of, id))?;
            operational::record_deleted(connection, (&of, id))?;
            Ok(DeleteOutcome::Deleted)
        };
        let after_commit = move |outcome: &mut DeleteOutcome| {
            if *outcome == DeleteOutcome::Deleted {
                scheduler.forget_flow_state((&tenant, id));
                cache.remove_subscription(&tenant, id);
            }
        };
        self.0.writer.run(Priority::ExistingWork, work, after_commit).await
    }
}

/// Follows the order of a subscription that is stored in this transaction. Gives when the first message is due that was put.
fn follow_order(
    connection: &Connection,
    before: FlowSettings,
    next: &Subscription,
) -> rusqlite::Result<Option<Timestamp>> {
    let of = (&next.tenant, next.id);
    order::settings::follow(connection, of, (before, next.settings.flow), Timestamp::now())
}

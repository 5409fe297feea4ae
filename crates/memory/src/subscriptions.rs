//! Subscriptions, every version kept.

use std::sync::Arc;

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::secret::Secrets;
use loanhook_core::model::subscription::{Origin, Subscription};
use loanhook_core::ports::{DeleteOutcome, ReplaceOutcome, StoreError, StoreResult, Subscriptions};

use super::state::Stored;
use super::step::{Operation, StepKind};
use super::{Memory, State};

/// A subscription: the newest version, and those before it, the oldest first.
#[derive(Debug)]
pub(super) struct SubscriptionEntry {
    pub(super) newest: Stored<Arc<Subscription>>,
    older: Vec<Arc<Subscription>>,
    deleted: bool,
}

impl SubscriptionEntry {
    pub(super) const fn is_deleted(&self) -> bool {
        self.deleted
    }
}

impl State {
    /// The subscriptions of a tenant that can be read, the oldest first.
    pub fn current_subscriptions(&self, tenant: &TenantId) -> Vec<Arc<Subscription>> {
        let current = self.subscriptions.iter().filter(|((of, _), entry)| of == tenant && !entry.deleted);
        current.filter_map(|(_, entry)| entry.newest.readable().cloned()).collect()
    }

    /// The newest version of every subscription, deleted ones too.
    pub fn every_subscription(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values().filter_map(|entry| entry.newest.readable().map(Arc::as_ref))
    }

    fn entry(&mut self, tenant: &TenantId, id: SubscriptionId) -> Option<&mut SubscriptionEntry> {
        self.subscriptions.get_mut(&(tenant.clone(), id))
    }
}

impl Subscriptions for Memory {
    async fn subscriptions(&self, tenant: &TenantId) -> StoreResult<Arc<Vec<Arc<Subscription>>>> {
        let read = |state: &mut State| Ok(Arc::new(state.current_subscriptions(tenant)));
        self.once(Operation::ReadSubscriptions, StepKind::Read, read).await
    }

    async fn subscription(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        let all = self.subscriptions(tenant).await?;
        Ok(all.iter().find(|subscription| subscription.id == id).cloned())
    }

    async fn subscription_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.once(Operation::ReadSubscriptions, StepKind::Read, |state| {
            let Some(entry) = state.entry(tenant, id) else { return Ok(None) };
            let older = entry.older.iter().find(|older| older.version == version);
            match older {
                Some(older) => Ok(Some(Arc::clone(older))),
                None => Ok(Some(entry.newest.read()?).filter(|newest| newest.version == version).cloned()),
            }
        })
        .await
    }

    async fn subscription_versions(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        before: Option<u64>,
        limit: usize,
    ) -> StoreResult<Vec<Arc<Subscription>>> {
        self.once(Operation::ReadSubscriptions, StepKind::Read, |state| {
            let Some(entry) = state.entry(tenant, id) else { return Ok(Vec::new()) };
            let versions = entry.newest.readable().into_iter().chain(entry.older.iter().rev());
            let earlier = versions.filter(|version| before.is_none_or(|before| version.version < before));
            Ok(earlier.take(limit).cloned().collect())
        })
        .await
    }

    async fn newest_version(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        _: u64,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.once(Operation::ReadSubscriptions, StepKind::Read, |state| {
            Ok(state.entry(tenant, id).map(|entry| entry.newest.read()).transpose()?.cloned())
        })
        .await
    }

    async fn newest_version_to(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        origin: &Origin,
    ) -> StoreResult<Option<Arc<Subscription>>> {
        self.once(Operation::ReadSubscriptions, StepKind::Read, |state| {
            let Some(entry) = state.entry(tenant, id) else { return Ok(None) };
            let mut versions = entry.newest.readable().into_iter().chain(entry.older.iter().rev());
            Ok(versions.find(|version| version.settings.origin() == Some(origin)).cloned())
        })
        .await
    }

    async fn create(&self, subscription: Subscription, most: usize) -> StoreResult<bool> {
        self.once(Operation::ChangeSubscriptions, StepKind::Settings, |state| {
            let of = (subscription.tenant.clone(), subscription.id);
            let count =
                state.subscriptions.iter().filter(|((tenant, _), entry)| *tenant == of.0 && !entry.deleted);
            if count.count() >= most {
                return Ok(false);
            }
            if state.subscriptions.contains_key(&of) {
                return Err(StoreError::Failed("there is a subscription with this ID, or was".into()));
            }
            let newest = Stored::new(Arc::new(subscription));
            state.subscriptions.insert(of, SubscriptionEntry { newest, older: Vec::new(), deleted: false });
            Ok(true)
        })
        .await
    }

    async fn replace(&self, subscription: Subscription) -> StoreResult<ReplaceOutcome> {
        self.once(Operation::ChangeSubscriptions, StepKind::Settings, |state| {
            let entry = state.entry(&subscription.tenant, subscription.id).filter(|entry| !entry.deleted);
            let Some(entry) = entry else { return Ok(ReplaceOutcome::NotFound) };
            let current = Subscription::clone(entry.newest.read()?);
            if current.version + 1 != subscription.version {
                return Ok(ReplaceOutcome::VersionConflict);
            }
            // The newest version alone has secrets.
            let (tenant, id) = (subscription.tenant.clone(), subscription.id);
            let hold_after = |of: &Subscription| of.settings.flow.hold_after_failures;
            let is_hold_taken_out = hold_after(&current).is_some() && hold_after(&subscription).is_none();
            let is_flow_changed = current.settings.flow != subscription.settings.flow;
            let older = Subscription { secrets: Secrets::without_expired(), ..current };
            entry.older.push(Arc::new(older));
            entry.newest = Stored::new(Arc::new(subscription));
            if is_hold_taken_out && let Some(flow) = state.flow_states.get_mut(&(tenant.clone(), id)) {
                flow.forget_failures();
            }
            if is_flow_changed {
                state.wake_all(&tenant, id);
            }
            Ok(ReplaceOutcome::Replaced)
        })
        .await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: SubscriptionId,
        version: Option<u64>,
    ) -> StoreResult<DeleteOutcome> {
        self.once(Operation::ChangeSubscriptions, StepKind::Settings, |state| {
            let Some(entry) = state.entry(tenant, id).filter(|entry| !entry.deleted) else {
                return Ok(DeleteOutcome::NotFound);
            };
            if let Some(version) = version
                && version != entry.newest.read()?.version
            {
                return Ok(DeleteOutcome::VersionConflict);
            }
            entry.deleted = true;
            // What was accepted goes on, and nobody can release it any more.
            state.flow_states.remove(&(tenant.clone(), id));
            Ok(DeleteOutcome::Deleted)
        })
        .await
    }
}

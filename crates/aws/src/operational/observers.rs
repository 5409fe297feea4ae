//! Observers: which of a tenant's subscriptions are to operational events, and since when there is one. An item beside the states,
//! which is read with them.
//!
//! The stream says in its order who comes and who goes. So nothing that was counted is lost where one takes the place of another,
//! and nothing stays where the last went before the next came.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::builders::{DeleteBuilder, PutBuilder};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use tracing::error;

use super::states::{STATES_PK, States};
use crate::cache::SubscriptionList;
use crate::engine::Aws;
use crate::items::item::{Item, get_text, missing_attribute, number, parse_number};
use crate::items::key_schema::{CURRENT_PREFIX, ItemKey, SK};
use crate::items::transaction::TransactionPart as _;
use crate::queue::Receiver;
use crate::settings::StoredSubscription;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::operational::{Subject, is_observed};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreResult, Subscriptions as _};

const SINCE: &str = "since";
const IDS: &str = "observers";
/// The item is as it was read.
const UNCHANGED: &str = "#since = :since AND #ids = :ids";

/// A subscription of a tenant was made, changed or deleted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettingsChange {
    pub(super) tenant: TenantId,
    pub(super) subscription: SubscriptionId,
    pub(super) is_observer: IsObserver,
}

/// Whether a subscription is to operational events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum IsObserver {
    /// By a change of then, or of before.
    Since(Timestamp),
    No,
    /// It cannot be read.
    Unknown,
}

impl SettingsChange {
    /// What the change of an item among the settings of a tenant says; none where it is of no subscription.
    pub(super) fn of(name: &str, before: Option<&Item>, after: Option<&Item>) -> Option<Self> {
        let id = get_text(after.or(before)?, SK)?.strip_prefix(CURRENT_PREFIX)?;
        let (tenant, subscription) = (TenantId::try_from(name.to_owned()).ok()?, id.parse().ok()?);
        let is_observer = match after.map(StoredSubscription::read_settings) {
            None => IsObserver::No,
            Some(Err(_)) => IsObserver::Unknown,
            Some(Ok(stored)) => match stored.as_stored() {
                one if one.is_operational() => IsObserver::Since(one.updated_at),
                _ => IsObserver::No,
            },
        };
        Some(Self { tenant, subscription, is_observer })
    }
}

/// The observers of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observers {
    /// When the first of them came, or one that was there then and is gone: what happened before does not count.
    pub(super) since: Timestamp,
    /// At least one.
    ids: BTreeSet<SubscriptionId>,
}

impl Observers {
    pub(super) fn new(since: Timestamp, ids: impl IntoIterator<Item = SubscriptionId>) -> Self {
        Self { since, ids: ids.into_iter().collect() }
    }

    /// Those of a tenant of which none were stored: by when the first was made.
    pub(super) fn of(subscriptions: &SubscriptionList) -> Self {
        let observers = subscriptions.iter().filter(|one| one.is_operational());
        let since = observers.clone().map(|one| one.created_at).min();
        Self::new(since.unwrap_or(Timestamp::from_millis(0)), observers.map(|one| one.id))
    }

    /// Those after a change; none where there is none any more.
    pub(super) fn after(before: Option<Self>, change: &SettingsChange) -> Option<Self> {
        match (before, change.is_observer) {
            (Some(mut known), IsObserver::Since(_)) => {
                known.ids.insert(change.subscription);
                Some(known)
            }
            (None, IsObserver::Since(since)) => Some(Self::new(since, [change.subscription])),
            (Some(mut known), IsObserver::No) => {
                known.ids.remove(&change.subscription);
                Some(known).filter(|known| !known.ids.is_empty())
            }
            (None, IsObserver::No) => None,
            (before, IsObserver::Unknown) => before,
        }
    }

    /// Reads an item.
    pub(super) fn read(item: &Item) -> StoreResult<Self> {
        let ids = item.get(IDS).and_then(|ids| ids.as_ss().ok()).ok_or_else(|| missing_attribute(IDS))?;
        let ids = ids.iter().filter_map(|id| id.parse().ok());
        Ok(Self::new(Timestamp::from_millis(parse_number(item, SINCE)?), ids))
    }

    fn attributes(&self) -> [(&'static str, AttributeValue); 2] {
        let ids = self.ids.iter().map(ToString::to_string).collect();
        [(SINCE, number(self.since.millis())), (IDS, AttributeValue::Ss(ids))]
    }
}

/// Its sort key has no `#`, as those of states have.
fn key(tenant: &TenantId) -> ItemKey {
    ItemKey { pk: STATES_PK.into(), sk: tenant.to_string() }
}

/// The tenant of an item of observers; none of another.
pub(super) fn tenant(item: &Item) -> Option<TenantId> {
    get_text(item, SK).and_then(|sk| TenantId::try_from(sk.to_owned()).ok())
}

fn put(table: &str, tenant: &TenantId, observers: &Observers) -> PutBuilder {
    let mut item = key(tenant).attributes();
    item.extend(observers.attributes().map(|(name, value)| (name.to_owned(), value)));
    Put::builder().table_name(table).set_item(Some(item))
}

/// The write that stores `after` in place of `before`; none where nothing changes.
pub(super) fn replace(
    table: &str,
    tenant: &TenantId,
    before: Option<&Observers>,
    after: Option<&Observers>,
) -> StoreResult<Option<TransactWriteItem>> {
    let part = match (before, after) {
        (None, None) => return Ok(None),
        (Some(before), Some(after)) if before == after => return Ok(None),
        (None, Some(after)) => put(table, tenant, after)
            .condition_expression("attribute_not_exists(#since)")
            .expression_attribute_names("#since", SINCE)
            .part()?,
        (Some(before), Some(after)) => {
            let [(_, since), (_, ids)] = before.attributes();
            put(table, tenant, after)
                .condition_expression(UNCHANGED)
                .expression_attribute_names("#since", SINCE)
                .expression_attribute_names("#ids", IDS)
                .expression_attribute_values(":since", since)
                .expression_attribute_values(":ids", ids)
                .part()?
        }
        (Some(before), None) => {
            let [(_, since), (_, ids)] = before.attributes();
            let delete: DeleteBuilder = Delete::builder().table_name(table);
            delete
                .set_key(Some(key(tenant).attributes()))
                .condition_expression(UNCHANGED)
                .expression_attribute_names("#since", SINCE)
                .expression_attribute_names("#ids", IDS)
                .expression_attribute_values(":since", since)
                .expression_attribute_values(":ids", ids)
                .part()?
        }
    };
    Ok(Some(part))
}

/// That somebody observes a tenant.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    pub(super) observers: Observers,
    pub(super) subscriptions: SubscriptionList,
    /// Those that are there and cannot be read.
    pub(super) unread: BTreeSet<SubscriptionId>,
}

impl Observed {
    /// The subject of what happened to a subscription; none of one to operational events. `title_then` is the title of one that was
    /// deleted or cannot be read.
    pub(super) fn subject(&self, of: &Receiver, title_then: &str) -> Option<Subject> {
        let id = of.subscription_id;
        let is_unread = self.unread.contains(&id);
        let is_operational = self.subscriptions.iter().any(|one| one.id == id && one.is_operational());
        if is_operational || (is_unread && self.observers.ids.contains(&id)) {
            return None;
        }
        let subject = Subject::as_then(&self.subscriptions, (&of.tenant, id), title_then);
        Some(Subject { is_current: subject.is_current || is_unread, ..subject })
    }
}

impl Aws {
    /// Who observes a tenant; none where nobody does. Where its list of subscriptions cannot be read, as where a newer loanhook wrote
    /// one of them, it is told with what can: other tenants must not wait for it.
    pub(super) async fn who_observes(
        &self,
        tenant: &TenantId,
        known: &mut States,
    ) -> StoreResult<Option<Observed>> {
        let (subscriptions, unread) = match self.subscriptions(tenant).await {
            Ok(all) => (all, BTreeSet::new()),
            Err(failure) => {
                let readable = self.readable_subscriptions(tenant).await?;
                error!(%tenant, %failure, "operational.told_without_the_list");
                readable
            }
        };
        let stored = known.observers(tenant).cloned();
        // Those of which the stream told may be those that cannot be read.
        if !is_observed(&subscriptions) && (unread.is_empty() || stored.is_none()) {
            return Ok(None);
        }
        let observers = match stored {
            Some(stored) => stored,
            None => self.put_first_observers(tenant, &subscriptions, known).await?,
        };
        Ok(Some(Observed { observers, subscriptions, unread }))
    }

    /// Stores the observers of a tenant of which the stream has not told yet.
    async fn put_first_observers(
        &self,
        tenant: &TenantId,
        subscriptions: &SubscriptionList,
        known: &mut States,
    ) -> StoreResult<Observers> {
        let first = Observers::of(subscriptions);
        let write = replace(&self.stack().reports, tenant, None, Some(&first))?;
        // Where another run came first, it has also moved the checkpoints of this one.
        self.transact(write.into_iter().collect()).await?;
        known.put_observers(tenant.clone(), Some(first.clone()));
        Ok(first)
    }
}

#[cfg(test)]
#[path = "observers_tests.rs"]
mod tests;

//! Changes of a tenant's settings, as transactions that write its version too.
//!
//! The tenant's own item is what decides: a change is written on condition that its version is still the one that the
//! change was made for, and is made anew where another came first. In the same transaction it writes every copy of the
//! version, whatever the copy was before. So all copies are equal after each transaction, and one that is missing is back.
//!
//! A table of an earlier version of this program has the tenant's own item alone. The first change puts the copies there,
//! and keeps programs of that version, which know nothing of copies, from changing anything: they add to the number
//! `count`, which is a text from then on ([`MOVED`]), so that DynamoDB refuses their transactions whole. They still read
//! the version and the subscriptions right.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::changes::Change;
use super::flow_ids::FlowChange;
use super::tenant_version::TenantVersion;
use crate::engine::Aws;
use crate::items::item::{Item, get_number, number, text};
use crate::items::key_schema::{self, CHANGES, COPIES, COUNT, FLOW_MARKED, FLOW_SET, SUBSCRIPTIONS, VERSION};
use crate::items::transaction::{Refusal, TransactionOutcome, TransactionPart as _};
use crate::sdk::back_off::back_off;
use loanhook_core::model::id::TenantId;
use loanhook_core::ports::{StoreError, StoreResult};

/// How many copies of a version there are. A partition gives 3,000 read units a second, so with these a tenant's calls
/// meet the quota of the whole table first, which is 40,000 unless it was raised.
const COPY_COUNT: u8 = 16;
/// What the attribute `count` is since the number of subscriptions stands in `subscriptions`.
const MOVED: &str = "moved to subscriptions";
/// How often a change is made anew because another one came first.
const MAX_TRIES: u32 = 10;

/// A change of the settings of one tenant.
pub(crate) struct SettingsChange<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) change: Change,
    pub(crate) count: CountChange,
    pub(crate) flow: FlowChange,
}

/// What a change does to the number of subscriptions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CountChange {
    Same,
    /// One more, if there are fewer than these.
    Added {
        most: usize,
    },
    Removed,
}

pub(crate) enum SettingsOutcome {
    /// The version that the first change made.
    Done(TenantVersion),
    /// The tenant has as many subscriptions as it may have.
    TooMany,
    /// A condition of the caller's was false; one refusal for each of its writes, in their order.
    Refused(Vec<Refusal>),
}

impl SettingsOutcome {
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// What a tenant's own item says.
struct TenantRecord {
    version: TenantVersion,
    subscriptions: usize,
}

impl TenantRecord {
    fn read(item: &Item) -> Self {
        // A number in `count` is one that an earlier version of this program keeps.
        let subscriptions = get_number(item, COUNT).or_else(|| get_number(item, SUBSCRIPTIONS));
        Self { version: TenantVersion::read(item), subscriptions: subscriptions.unwrap_or(0) }
    }

    /// What the item says after a change; none where there are too many subscriptions for it.
    fn after(&self, change: &SettingsChange<'_>) -> Option<Self> {
        let subscriptions = match change.count {
            CountChange::Same => self.subscriptions,
            CountChange::Added { most } if self.subscriptions < most => self.subscriptions + 1,
            CountChange::Added { .. } => return None,
            CountChange::Removed => self.subscriptions.saturating_sub(1),
        };
        Some(Self { version: self.version.after(change.change, change.flow, COPY_COUNT), subscriptions })
    }
}

impl Aws {
    /// Changes the settings of one tenant: its version, and these writes.
    pub(super) async fn change_tenant(
        &self,
        tenant: &TenantId,
        change: Change,
        count: CountChange,
        writes: Vec<TransactWriteItem>,
    ) -> StoreResult<SettingsOutcome> {
        let change = SettingsChange { tenant, change, count, flow: FlowChange::None };
        self.change_tenants(&[change], |_| Ok(writes.clone())).await
    }

    /// Changes the settings of several tenants in one transaction: the version of each, and the writes that `writes` makes of
    /// the version that the first one has.
    pub(crate) async fn change_tenants(
        &self,
        changes: &[SettingsChange<'_>],
        writes: impl Fn(&TenantVersion) -> StoreResult<Vec<TransactWriteItem>> + Send + Sync,
    ) -> StoreResult<SettingsOutcome> {
        for try_index in 0..MAX_TRIES {
            let mut records = Vec::with_capacity(changes.len());
            for change in changes {
                let item = self.get(key_schema::tenant_version(change.tenant)).await?;
                let before = TenantRecord::read(&item.unwrap_or_default());
                let Some(after) = before.after(change) else { return Ok(SettingsOutcome::TooMany) };
                records.push((before, after));
            }
            let Some((first, made)) = records.first() else { return Ok(SettingsOutcome::TooMany) };
            let mut parts = writes(&first.version)?;
            let own = parts.len();
            for (change, (before, after)) in changes.iter().zip(&records) {
                parts.extend(self.put_record(change.tenant, before, after)?);
            }
            let outcome = self.transact(parts).await;
            for change in changes {
                self.cache().forget_version(change.tenant);
            }
            match outcome? {
                TransactionOutcome::Done => return Ok(SettingsOutcome::Done(made.version.clone())),
                TransactionOutcome::Refused(mut refusals) => {
                    refusals.truncate(own);
                    if refusals.iter().any(Refusal::is_condition) {
                        return Ok(SettingsOutcome::Refused(refusals));
                    }
                }
            }
            back_off(try_index).await;
        }
        Err(StoreError::Busy)
    }

    /// The writes of a tenant's version: its own item, if that is still as it was read, and every copy.
    fn put_record(
        &self,
        tenant: &TenantId,
        before: &TenantRecord,
        after: &TenantRecord,
    ) -> StoreResult<Vec<TransactWriteItem>> {
        let changes = after.version.changes().map(|(version, change)| text(change.entry(version)));
        let changes = AttributeValue::L(changes.collect());
        let (mut set, mut remove, mut flow) = (Vec::new(), Vec::new(), Vec::new());
        for name in [FLOW_SET, FLOW_MARKED] {
            let of = |version: &TenantVersion| version.flow.attributes().find(|(of, _)| *of == name);
            match (of(&before.version), of(&after.version)) {
                (_, Some((_, ids))) => {
                    set.push(format!(", #{name} = :{name}"));
                    flow.push((name, Some(ids)));
                }
                (Some(_), None) => {
                    remove.push(format!("#{name}"));
                    flow.push((name, None));
                }
                (None, None) => {}
            }
        }
        let set = set.concat();
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let mut update = self
            .update_part(key_schema::tenant_version(tenant))
            .update_expression(format!(
                "SET #version = :version, #changes = :changes, #copies = :copies, #subscriptions = :subscriptions, \
                 #count = :moved{set}{remove}"
            ))
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#changes", CHANGES)
            .expression_attribute_names("#copies", COPIES)
            .expression_attribute_names("#subscriptions", SUBSCRIPTIONS)
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_values(":version", number(after.version.number))
            .expression_attribute_values(":changes", changes.clone())
            .expression_attribute_values(":copies", number(after.version.copies))
            .expression_attribute_values(":subscriptions", number(after.subscriptions))
            .expression_attribute_values(":moved", text(MOVED));
        for (name, ids) in flow {
            update = update.expression_attribute_names(format!("#{name}"), name);
            if let Some(ids) = ids {
                update = update.expression_attribute_values(format!(":{name}"), ids);
            }
        }
        let update = match before.version.number {
            0 => update.condition_expression("attribute_not_exists(#version)"),
            version => update
                .condition_expression("#version = :before")
                .expression_attribute_values(":before", number(version)),
        };
        let copy = |index| {
            let mut copy = key_schema::tenant_version_copy(tenant, index).attributes();
            copy.insert(VERSION.into(), number(after.version.number));
            copy.insert(CHANGES.into(), changes.clone());
            copy.insert(COPIES.into(), number(after.version.copies));
            copy.extend(after.version.flow.attributes().map(|(name, ids)| (name.to_owned(), ids)));
            self.put_part(copy).part()
        };
        [update.part()].into_iter().chain((0..after.version.copies).map(copy)).collect()
    }
}

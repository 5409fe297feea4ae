//! The version of a tenant: a counter that every change of its subscriptions and every end of a key increments.
//!
//! It makes caches safe: what was cached at the version that is read now, with strong consistency, is current. Each call
//! reads it, so it has copies in partitions of their own, of which a call reads one; every change writes all of them
//! ([`tenant_record`](super::tenant_record)). With it stand the latest changes, so that a cached list is refreshed by
//! what changed.

use std::sync::Arc;
use std::time::Instant;

use super::changes::Change;
use super::flow_ids::{FlowChange, FlowIds};
use crate::engine::Aws;
use crate::items::item::{Item, get_number};
use crate::items::key_schema::{self, CHANGES, COPIES, VERSION};
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::ports::StoreResult;

/// How many changes stand with a version. With these the item stays below 1 KiB: one write unit for each copy.
const KEPT_CHANGES: usize = 16;

/// The version of a tenant, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TenantVersion {
    /// 0 where nothing was ever changed.
    pub(crate) number: u64,
    /// The changes that made this version and those right before it, the oldest first; none is left out between.
    changes: Vec<Change>,
    /// How many copies there are; 0 in a table in which only an earlier version of this program changed anything.
    pub(crate) copies: u8,
    pub(crate) flow: FlowIds,
}

impl TenantVersion {
    pub(super) fn read(item: &Item) -> Self {
        let number = get_number(item, VERSION).unwrap_or(0);
        let entries =
            item.get(CHANGES).and_then(|entries| entries.as_l().ok()).map_or(&[][..], Vec::as_slice);
        let newest_first = entries.iter().rev().zip((1..=number).rev());
        let mut changes: Vec<_> = newest_first
            .map_while(|(entry, version)| Change::of_entry(entry.as_s().ok()?, version))
            .collect();
        changes.reverse();
        Self { number, changes, copies: get_number(item, COPIES).unwrap_or(0), flow: FlowIds::read(item) }
    }

    /// The version that a change makes of this one.
    pub(super) fn after(&self, change: Change, flow: FlowChange, copies: u8) -> Self {
        let dropped = (self.changes.len() + 1).saturating_sub(KEPT_CHANGES);
        let changes = self.changes.iter().skip(dropped).copied().chain([change]).collect();
        // Never fewer: somebody may still read those.
        let copies = self.copies.max(copies);
        Self { number: self.number + 1, changes, copies, flow: self.flow.after(flow) }
    }

    /// Its changes, each with the version that it made.
    pub(super) fn changes(&self) -> impl Iterator<Item = (u64, Change)> {
        let first = self.number + 1 - self.changes.len() as u64;
        (first..).zip(self.changes.iter().copied())
    }

    /// Whether the change that made this version is known: it is not where a program made it that keeps no changes, or
    /// changes of another form.
    pub(super) fn knows_its_change(&self) -> bool {
        self.number == 0 || !self.changes.is_empty()
    }

    /// The changes that are known, the oldest first.
    pub(super) fn known_changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes after the version `number`; none where that is so long ago that they do not stand here any more.
    pub(super) fn changes_since(&self, number: u64) -> Option<&[Change]> {
        let count = usize::try_from(self.number.saturating_sub(number)).ok()?;
        self.changes.get(self.changes.len().checked_sub(count)?..)
    }

    /// Whether only subscriptions have changed since the version `number`, as far as is known.
    pub(super) fn has_the_keys_of(&self, number: u64) -> bool {
        let of_subscription = |change: &Change| matches!(change, Change::Put(..) | Change::Deleted(_));
        self.changes_since(number).is_some_and(|changes| changes.iter().all(of_subscription))
    }

    /// Whether one of the known changes is the end of this key.
    pub(super) fn has_ended(&self, key: KeyId) -> bool {
        self.changes.contains(&Change::KeyEnded(key))
    }
}

impl Aws {
    /// The version of a tenant, if it was read a moment ago, or as it is now.
    pub(crate) async fn current_version(&self, tenant: &TenantId) -> StoreResult<Arc<TenantVersion>> {
        match self.cache().version(tenant) {
            Some(version) => Ok(version),
            None => self.tenant_version(tenant).await,
        }
    }

    /// The version as it is now, from one of the copies.
    ///
    /// The first read from here is of the tenant's own item, which says how many copies there are; so is one of a copy
    /// that is missing.
    pub(crate) async fn tenant_version(&self, tenant: &TenantId) -> StoreResult<Arc<TenantVersion>> {
        let started_at = Instant::now();
        let copy = match self.cache().version_copies(tenant) {
            0 => None,
            copies => {
                let copy = self.get(key_schema::tenant_version_copy(tenant, random_below(copies))).await?;
                copy.filter(|item| item.contains_key(VERSION))
            }
        };
        let item = match copy {
            Some(copy) => Some(copy),
            None => self.get(key_schema::tenant_version(tenant)).await?,
        };
        let version = Arc::new(item.as_ref().map(TenantVersion::read).unwrap_or_default());
        self.cache().put_version(tenant, started_at..Instant::now(), Arc::clone(&version));
        Ok(version)
    }
}

fn random_below(limit: u8) -> u8 {
    let mut byte = [0];
    // Without randomness all read the same copy.
    let _ = getrandom::fill(&mut byte);
    byte[0] % limit
}

#[cfg(test)]
#[path = "tenant_version_tests.rs"]
mod tests;

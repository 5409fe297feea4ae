//! Keys of a tenant's settings: its version and the copies of it, the stored list, and the versions of its subscriptions.

use super::ItemKey;
use loanhook_core::model::id::{SubscriptionId, TenantId};

/// The partition of a tenant's settings: its version, its current subscriptions, and their versions.
pub(crate) fn settings_pk(tenant: &TenantId) -> String {
    format!("S#{tenant}")
}

pub(crate) fn tenant_version(tenant: &TenantId) -> ItemKey {
    ItemKey::only(settings_pk(tenant))
}

/// A copy of the version: each in a partition of its own, which every call may read.
pub(crate) fn tenant_version_copy(tenant: &TenantId, index: u8) -> ItemKey {
    ItemKey::only(format!("{}#version-{index}", settings_pk(tenant)))
}

/// The partition of a tenant's stored list of subscriptions.
pub(crate) fn stored_list_pk(tenant: &TenantId) -> String {
    format!("{}#list", settings_pk(tenant))
}

/// A part of the stored list.
pub(crate) fn stored_list_part(tenant: &TenantId, index: usize) -> ItemKey {
    ItemKey { pk: stored_list_pk(tenant), sk: stored_list_sk(index) }
}

pub(crate) fn stored_list_sk(index: usize) -> String {
    // Padded with zeros, so that parts sort as text.
    format!("{index:02}")
}

pub(crate) const CURRENT_PREFIX: &str = "C#";

pub(crate) fn current_subscription(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    ItemKey { pk: settings_pk(tenant), sk: format!("{CURRENT_PREFIX}{id}") }
}

/// Of the sort keys of all versions of a tenant's subscriptions, which are sorted by subscription and so by its creation.
pub(crate) const VERSIONS_PREFIX: &str = "V#";

pub(crate) fn versions_prefix(id: SubscriptionId) -> String {
    format!("{VERSIONS_PREFIX}{id}#")
}

/// The subscription of a version, by the sort key of that.
pub(crate) fn subscription_of_version(sk: &str) -> Option<SubscriptionId> {
    sk.strip_prefix(VERSIONS_PREFIX)?.split('#').next()?.parse().ok()
}

pub(crate) fn subscription_version(tenant: &TenantId, id: SubscriptionId, version: u64) -> ItemKey {
    // Padded with zeros, so that versions sort as text.
    ItemKey { pk: settings_pk(tenant), sk: format!("{}{version:020}", versions_prefix(id)) }
}

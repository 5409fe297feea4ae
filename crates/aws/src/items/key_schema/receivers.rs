//! Keys of what is known of receivers, and of the instances that send to them.

use super::ItemKey;
use loanhook_core::model::id::{SubscriptionId, TenantId};

/// The partition of the slow marks of all tenants: those who choose a queue read it whole.
pub(crate) const SLOW_MARKS_PK: &str = "H#";

pub(crate) fn slow_mark(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    ItemKey { pk: SLOW_MARKS_PK.into(), sk: format!("{tenant}#{id}") }
}

/// What the sort keys of the announced instances begin with, in the partition of the slow marks. No tenant's name does.
pub(crate) const INSTANCE_SK: &str = "~";

/// The announcement of an instance of the delivery function.
pub(crate) fn instance(id: uuid::Uuid) -> ItemKey {
    ItemKey { pk: SLOW_MARKS_PK.into(), sk: format!("{INSTANCE_SK}{id}") }
}

/// The permits of a subscription's receiver in the slow queue.
pub(crate) fn permits(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    ItemKey::only(format!("Q#{tenant}#{id}"))
}

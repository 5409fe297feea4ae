//! Subscriptions of a tenant whose deliveries are looked at before they are sent: they stand with the tenant's version, which
//! intake reads in any case. So a tenant without any pays nothing.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::items::item::Item;
use crate::items::key_schema::{FLOW_MARKED, FLOW_SET};
use loanhook_core::model::id::SubscriptionId;

/// The bytes of an ID.
const ID_BYTES: usize = 16;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FlowIds {
    /// They have flow settings.
    pub(crate) set: BTreeSet<SubscriptionId>,
    /// They are held by hand, or were until what waited has left.
    pub(crate) marked: BTreeSet<SubscriptionId>,
}

/// What a change of settings does to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowChange {
    None,
    /// The subscription is stored, with flow settings or without.
    Set(SubscriptionId, bool),
    Mark(SubscriptionId),
    Unmark(SubscriptionId),
    Delete(SubscriptionId),
}

impl FlowIds {
    pub(super) fn read(item: &Item) -> Self {
        Self { set: ids(item, FLOW_SET), marked: ids(item, FLOW_MARKED) }
    }

    /// The attributes that say it; one that is missing says that there are none.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'static str, AttributeValue)> {
        let attributes = [(FLOW_SET, &self.set), (FLOW_MARKED, &self.marked)];
        attributes.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(name, ids)| {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| id.uuid().into_bytes()).collect();
            (name, AttributeValue::B(Blob::new(bytes)))
        })
    }

    pub(super) fn after(&self, change: FlowChange) -> Self {
        let mut after = self.clone();
        match change {
            FlowChange::None => {}
            FlowChange::Set(id, true) => {
                after.set.insert(id);
            }
            FlowChange::Set(id, false) => {
                after.set.remove(&id);
            }
            FlowChange::Mark(id) => {
                after.marked.insert(id);
            }
            FlowChange::Unmark(id) => {
                after.marked.remove(&id);
            }
            FlowChange::Delete(id) => {
                after.set.remove(&id);
                after.marked.remove(&id);
            }
        }
        after
    }

    pub(crate) fn contains(&self, id: SubscriptionId) -> bool {
        self.set.contains(&id) || self.marked.contains(&id)
    }

    /// All of them, in the order of their IDs.
    pub(crate) fn all(&self) -> BTreeSet<SubscriptionId> {
        self.set.union(&self.marked).copied().collect()
    }
}

fn ids(item: &Item, name: &str) -> BTreeSet<SubscriptionId> {
    let bytes = item.get(name).and_then(|value| value.as_b().ok()).map_or(&[][..], Blob::as_ref);
    let ids = bytes.chunks_exact(ID_BYTES).filter_map(|bytes| Uuid::from_slice(bytes).ok());
    ids.map(SubscriptionId::from_uuid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> SubscriptionId {
        SubscriptionId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn changes_by_table_and_all_are_read_as_they_were_written() {
        let mut ids = FlowIds::default();
        for (change, set, marked) in [
            (FlowChange::Set(id(1), true), &[1][..], &[][..]),
            (FlowChange::Mark(id(1)), &[1], &[1]),
            (FlowChange::Mark(id(2)), &[1], &[1, 2]),
            (FlowChange::Set(id(1), false), &[], &[1, 2]),
            (FlowChange::Unmark(id(2)), &[], &[1]),
            (FlowChange::None, &[], &[1]),
            (FlowChange::Set(id(3), true), &[3], &[1]),
            (FlowChange::Delete(id(1)), &[3], &[]),
            (FlowChange::Delete(id(3)), &[], &[]),
        ] {
            ids = ids.after(change);
            let of = |numbers: &[u128]| numbers.iter().copied().map(id).collect();
            assert_eq!(ids, FlowIds { set: of(set), marked: of(marked) }, "{change:?}");
            let item = ids.attributes().map(|(name, value)| (name.to_owned(), value)).collect();
            assert_eq!(FlowIds::read(&item), ids, "{change:?}");
        }
    }
}

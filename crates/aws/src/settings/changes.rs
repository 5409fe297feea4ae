//! Change of a tenant's settings: what made a version, as it stands in the version's item.
//!
//! | entry | the change that made version 60 |
//! | --- | --- |
//! | `60 <subscription ID> 3` | the subscription has its version 3 |
//! | `60 <subscription ID> deleted` | the subscription was deleted |
//! | `60 key <key ID>` | the key ended |
//! | `60 -` | another change, of no subscription |

use std::collections::BTreeMap;

use loanhook_core::model::id::{KeyId, SubscriptionId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A subscription has this version.
    Put(SubscriptionId, u64),
    Deleted(SubscriptionId),
    /// A key ended; a key of this ID is never valid again.
    KeyEnded(KeyId),
    /// It concerns no subscription.
    Other,
}

impl Change {
    /// The entry of the change that made this version.
    pub(super) fn entry(self, version: u64) -> String {
        match self {
            Self::Put(id, put) => format!("{version} {id} {put}"),
            Self::Deleted(id) => format!("{version} {id} deleted"),
            Self::KeyEnded(id) => format!("{version} key {id}"),
            Self::Other => format!("{version} -"),
        }
    }

    /// The change of an entry, if that is the entry of this version.
    pub(super) fn of_entry(entry: &str, version: u64) -> Option<Self> {
        let mut words = entry.split(' ');
        if words.next()?.parse() != Ok(version) {
            return None;
        }
        let change = match (words.next()?, words.next()) {
            ("-", None) => Self::Other,
            ("key", Some(id)) => Self::KeyEnded(id.parse().ok()?),
            (id, Some("deleted")) => Self::Deleted(id.parse().ok()?),
            (id, Some(put)) => Self::Put(id.parse().ok()?, put.parse().ok()?),
            _ => return None,
        };
        words.next().is_none().then_some(change)
    }
}

/// The version of each subscription after these changes; none of one that was deleted.
pub(super) fn outcome(changes: &[Change]) -> BTreeMap<SubscriptionId, Option<u64>> {
    let changed = changes.iter().filter_map(|change| match *change {
        Change::Put(id, version) => Some((id, Some(version))),
        Change::Deleted(id) => Some((id, None)),
        Change::KeyEnded(_) | Change::Other => None,
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::time::Timestamp;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_at_its_own_version_only() {
        let at = Timestamp::from_millis(1);
        let (id, key) = (SubscriptionId::at(at), KeyId::at(at));
        for change in [Change::Put(id, 3), Change::Deleted(id), Change::KeyEnded(key), Change::Other] {
            let entry = change.entry(60);
            assert_eq!(Change::of_entry(&entry, 60), Some(change), "{entry}");
            assert_eq!(Change::of_entry(&entry, 61), None, "{entry}");
            assert_eq!(Change::of_entry(&format!("{entry} more"), 60), None);
        }
        for unknown in ["", "60", "60 other", "60 key", "60 key 3", "x -", "60 deleted"] {
            assert_eq!(Change::of_entry(unknown, 60), None, "{unknown}");
        }
    }

    #[test]
    fn the_last_change_of_a_subscription_counts() {
        let [one, two] = [1, 2].map(|millis| SubscriptionId::at(Timestamp::from_millis(millis)));
        let changes = [Change::Put(one, 1), Change::Put(two, 4), Change::Other, Change::Put(one, 2)];
        assert_eq!(outcome(&changes), BTreeMap::from([(one, Some(2)), (two, Some(4))]));
        let deleted = [changes.as_slice(), &[Change::Deleted(two)]].concat();
        assert_eq!(outcome(&deleted), BTreeMap::from([(one, Some(2)), (two, None)]));
    }
}

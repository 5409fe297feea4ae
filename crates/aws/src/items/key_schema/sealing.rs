//! Keys of the data keys, with which secrets are sealed.

use super::ItemKey;

/// Of the data keys: the ID of the one that seals, since when it does, and all of them as KMS encrypted them.
pub(crate) const CURRENT: &str = "current";
pub(crate) const SINCE: &str = "since";
pub(crate) const DATA_KEYS: &str = "keys";

/// The data keys of all tenants.
pub(crate) fn data_keys() -> ItemKey {
    ItemKey::only("Z#".into())
}

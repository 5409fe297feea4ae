//! Keys of the data keys, with which secrets are sealed. All are in one partition.

use super::ItemKey;
use loanhook_seal::KeyId;

const PARTITION: &str = "Z#";

/// Of the data keys: the ID of the one that seals, since when it does, and all of them as KMS encrypted them.
pub(crate) const CURRENT: &str = "current";
pub(crate) const SINCE: &str = "since";
pub(crate) const DATA_KEYS: &str = "keys";
/// Of a data key that was removed: itself, as KMS encrypted it.
pub(crate) const DATA_KEY: &str = "key";

/// The data keys of all tenants.
pub(crate) fn data_keys() -> ItemKey {
    ItemKey::only(PARTITION.into())
}

/// The note that the table had its first data key. It stays where the data keys are lost.
pub(crate) fn first_data_key_note() -> ItemKey {
    ItemKey { pk: PARTITION.into(), sk: "made".into() }
}

/// A data key that a rotation has removed.
pub(crate) fn removed_data_key(id: &KeyId) -> ItemKey {
    ItemKey { pk: PARTITION.into(), sk: format!("removed#{id}") }
}

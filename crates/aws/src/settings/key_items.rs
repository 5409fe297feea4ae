//! The items of an API key: one under its hash, which authenticates, and one in the list of its tenant.

use crate::engine::Aws;
use crate::items::item::{Item, document, get_text, json, missing_attribute, text};
use crate::items::key_schema::{self, DELETED, DOC, HASH};
use loanhook_core::model::key::{Key, KeyHash, KeySource};
use loanhook_core::ports::StoreResult;

/// What is stored under the hash of a key.
pub(super) enum StoredKey {
    NeverAdded,
    Deleted,
    Present(Key),
}

impl StoredKey {
    pub(super) fn present(self) -> Option<Key> {
        match self {
            Self::Present(key) => Some(key),
            Self::NeverAdded | Self::Deleted => None,
        }
    }
}

impl Aws {
    pub(super) async fn stored_key(&self, hash: KeyHash) -> StoreResult<StoredKey> {
        let Some(item) = self.get(key_schema::key(hash)).await? else { return Ok(StoredKey::NeverAdded) };
        if item.contains_key(DELETED) {
            return Ok(StoredKey::Deleted);
        }
        Ok(StoredKey::Present(document(&item)?))
    }

    /// Whether the key was deployed with the stack, and the stack has been deployed with another one since.
    pub(super) fn is_superseded(&self, key: &Key, hash: KeyHash) -> bool {
        key.source == KeySource::Environment && self.stack().deployed_key.is_some_and(|other| other != hash)
    }
}

/// The item of a key under its hash.
pub(super) fn hash_item(key: &Key, hash: KeyHash) -> StoreResult<Item> {
    let mut item = key_schema::key(hash).attributes();
    item.insert(DOC.into(), json(key)?);
    Ok(item)
}

/// The item of a key in the list of its tenant.
pub(super) fn listed_item(key: &Key, hash: KeyHash) -> StoreResult<Item> {
    let mut item = key_schema::listed_key(&key.tenant, key.id).attributes();
    item.insert(DOC.into(), json(key)?);
    item.insert(HASH.into(), text(key_schema::hex(&hash.0)));
    Ok(item)
}

/// A listed key, and the hash under which it is stored.
pub(super) fn read_listed(item: &Item) -> StoreResult<(Key, KeyHash)> {
    Ok((document(item)?, hash_of(item)?))
}

/// The hash under which a listed key is stored.
pub(super) fn hash_of(item: &Item) -> StoreResult<KeyHash> {
    get_text(item, HASH).and_then(KeyHash::from_hex).ok_or_else(|| missing_attribute(HASH))
}

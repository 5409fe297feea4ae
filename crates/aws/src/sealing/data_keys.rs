//! The item with the data keys: each encrypted by KMS, and which of them seals.
//!
//! It is one item, so that what is current and what is there cannot differ, and one read gives all. It has one key, and two
//! while a rotation is under way.
//!
//! | attribute | |
//! | --- | --- |
//! | `current` | the ID of the key that seals |
//! | `since` | since when it does, in milliseconds since 1970 |
//! | `keys` | the keys by ID, as KMS encrypted them |

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_seal::KeyId;

use super::kms::NewDataKey;
use crate::engine::Aws;
use crate::items::item::{Item, get_text, missing_attribute, number, parse_number, text};
use crate::items::key_schema::{self, CURRENT, DATA_KEYS, SINCE};
use crate::items::write_outcome::WriteOutcome;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataKeys {
    /// The key that seals.
    pub(crate) current: KeyId,
    /// Since when it does.
    pub(super) since: Timestamp,
    /// All keys, as KMS encrypted them.
    pub(super) encrypted: BTreeMap<KeyId, Vec<u8>>,
}

impl DataKeys {
    fn read(item: &Item) -> StoreResult<Self> {
        let current = get_text(item, CURRENT).map(KeyId::from_stored);
        let encrypted = item.get(DATA_KEYS).and_then(|keys| keys.as_m().ok());
        let encrypted = encrypted.ok_or_else(|| missing_attribute(DATA_KEYS))?;
        let encrypted = encrypted
            .iter()
            .filter_map(|(id, key)| Some((KeyId::from_stored(id), key.as_b().ok()?.as_ref().to_vec())));
        Ok(Self {
            current: current.ok_or_else(|| missing_attribute(CURRENT))?,
            since: Timestamp::from_millis(parse_number(item, SINCE)?),
            encrypted: encrypted.collect(),
        })
    }

    fn item(&self) -> Item {
        let keys = self.encrypted.iter();
        let keys: HashMap<_, _> = keys
            .map(|(id, key)| (id.as_str().to_owned(), AttributeValue::B(Blob::new(key.clone()))))
            .collect();
        let mut item = key_schema::data_keys().attributes();
        item.insert(CURRENT.into(), text(self.current.as_str()));
        item.insert(SINCE.into(), number(self.since.millis()));
        item.insert(DATA_KEYS.into(), AttributeValue::M(keys));
        item
    }

    /// Those that seal no more.
    pub(super) fn former(&self) -> impl Iterator<Item = &KeyId> {
        self.encrypted.keys().filter(|id| **id != self.current)
    }

    /// With a new key, which seals from now on.
    pub(super) fn with_new(&self, new: &NewDataKey, now: Timestamp) -> Self {
        let mut encrypted = self.encrypted.clone();
        encrypted.insert(new.key.id(), new.encrypted.clone());
        Self { current: new.key.id(), since: now, encrypted }
    }

    /// With the key that seals, alone.
    pub(super) fn without_former(&self) -> Self {
        let mut alone = self.clone();
        alone.encrypted.retain(|id, _| *id == self.current);
        alone
    }
}

impl Aws {
    /// The data keys as they are now; none where none was made yet.
    pub(super) async fn data_keys(&self) -> StoreResult<Option<DataKeys>> {
        self.get(key_schema::data_keys()).await?.as_ref().map(DataKeys::read).transpose()
    }

    /// The first data key, which this makes; or the one that another instance made meanwhile.
    pub(super) async fn first_data_key(&self) -> StoreResult<DataKeys> {
        let new = self.generate_data_key().await?;
        let (id, encrypted) = (new.key.id(), new.encrypted.clone());
        let keys = DataKeys {
            current: id.clone(),
            since: (self.stack().clock)(),
            encrypted: [(id, encrypted)].into(),
        };
        match self.put(self.put_if_absent(keys.item())).await? {
            WriteOutcome::Done(()) => {
                self.known_keys().put(&new.key);
                Ok(keys)
            }
            WriteOutcome::Refused(Some(item)) => DataKeys::read(&item),
            WriteOutcome::Refused(None) => {
                Err(StoreError::Failed("the item with the data keys was removed".into()))
            }
        }
    }

    /// Stores these data keys where `before` still has the key that seals; else gives those that are there.
    pub(super) async fn replace_data_keys(&self, before: &DataKeys, keys: DataKeys) -> StoreResult<DataKeys> {
        let put = self
            .put_if(keys.item(), "#current = :before")
            .expression_attribute_names("#current", CURRENT)
            .expression_attribute_values(":before", text(before.current.as_str()));
        match self.put(put).await? {
            WriteOutcome::Done(()) => Ok(keys),
            WriteOutcome::Refused(Some(item)) => DataKeys::read(&item),
            WriteOutcome::Refused(None) => {
                Err(StoreError::Failed("the item with the data keys was removed".into()))
            }
        }
    }
}

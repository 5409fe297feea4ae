//! The item with the data keys: each encrypted by KMS, and which of them seals.
//!
//! It is one item, so that what is current and what is there cannot differ, and one read gives all. It has one key, and more
//! while a rotation is under way.
//!
//! | attribute | |
//! | --- | --- |
//! | `current` | the ID of the key that seals |
//! | `since` | since when it does, in milliseconds since 1970 |
//! | `keys` | the keys by ID, as KMS encrypted them |
//!
//! Beside it stands a note that it was made. Where the note is there and the keys are not, they were lost: no other key is made
//! then, since what is sealed could not be opened with it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_seal::KeyId;
use tracing::error;

use crate::engine::Aws;
use crate::items::item::{Item, get_text, missing_attribute, number, parse_number, text};
use crate::items::key_schema::{self, CURRENT, DATA_KEYS, SINCE};
use crate::items::transaction::{TransactionOutcome, TransactionPart as _};
use crate::items::write_outcome::WriteOutcome;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataKeys {
    /// The key that seals.
    pub(crate) current: KeyId,
    /// Since when it does, and those beside it open.
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
        let keys: HashMap<_, _> = keys.map(|(id, key)| (id.as_str().to_owned(), binary(key))).collect();
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

    /// With this key too, which seals no more and opens from now on.
    pub(super) fn with_former(&self, id: &KeyId, encrypted: Vec<u8>, now: Timestamp) -> Self {
        let mut with_former = Self { since: now, ..self.clone() };
        with_former.encrypted.insert(id.clone(), encrypted);
        with_former
    }

    /// With a new key, which seals from now on.
    pub(super) fn with_new(&self, id: &KeyId, encrypted: Vec<u8>, now: Timestamp) -> Self {
        Self { current: id.clone(), ..self.with_former(id, encrypted, now) }
    }

    /// With the key that seals, alone.
    pub(super) fn without_former(&self) -> Self {
        let mut alone = self.clone();
        alone.encrypted.retain(|id, _| *id == self.current);
        alone
    }
}

impl Aws {
    /// The data keys as they are now; none where none was made yet, or they are lost.
    pub(super) async fn data_keys(&self) -> StoreResult<Option<DataKeys>> {
        self.get(key_schema::data_keys()).await?.as_ref().map(DataKeys::read).transpose()
    }

    /// The data keys as they are now, of which this makes the first one where none was made yet.
    ///
    /// # Errors
    ///
    /// When the table or KMS fails, or the data keys were lost.
    pub(super) async fn made_data_keys(&self) -> StoreResult<DataKeys> {
        match self.data_keys().await? {
            Some(keys) => Ok(keys),
            None => self.first_data_key().await,
        }
    }

    /// The first data key, which this makes; or the one that another instance made meanwhile.
    async fn first_data_key(&self) -> StoreResult<DataKeys> {
        let note = key_schema::first_data_key_note();
        if self.get(note.clone()).await?.is_some() {
            return self.data_keys().await?.ok_or_else(data_keys_lost);
        }
        let new = self.generate_data_key().await?;
        let keys = DataKeys {
            current: new.key.id(),
            since: (self.stack().clock)(),
            encrypted: [(new.key.id(), new.encrypted.clone())].into(),
        };
        let made = [keys.item(), note.attributes()].map(|item| self.put_if_absent(item).part());
        match self.transact(made.into_iter().collect::<StoreResult<_>>()?).await? {
            TransactionOutcome::Done => {
                self.known_keys().put(&new.key);
                Ok(keys)
            }
            TransactionOutcome::Refused(_) => self.data_keys().await?.ok_or_else(data_keys_lost),
        }
    }

    /// Stores these data keys where all is as in `before`. What is there after that: these, or those that another one stored.
    pub(super) async fn replace_data_keys(&self, before: &DataKeys, keys: DataKeys) -> StoreResult<DataKeys> {
        // Key by key: what stands for DynamoDB in tests does not compare maps.
        let each = (0..before.encrypted.len()).map(|index| format!("#keys.#key{index} = :key{index}"));
        let all = "#current = :current AND #since = :since AND size(#keys) = :count".to_owned();
        let conditions: Vec<_> = std::iter::once(all).chain(each).collect();
        let mut put = self
            .put_if(keys.item(), &conditions.join(" AND "))
            .expression_attribute_names("#current", CURRENT)
            .expression_attribute_names("#since", SINCE)
            .expression_attribute_names("#keys", DATA_KEYS)
            .expression_attribute_values(":current", text(before.current.as_str()))
            .expression_attribute_values(":since", number(before.since.millis()))
            .expression_attribute_values(":count", number(before.encrypted.len()));
        for (index, (id, encrypted)) in before.encrypted.iter().enumerate() {
            put = put
                .expression_attribute_names(format!("#key{index}"), id.as_str())
                .expression_attribute_values(format!(":key{index}"), binary(encrypted));
        }
        match self.put(put).await? {
            WriteOutcome::Done(()) => Ok(keys),
            WriteOutcome::Refused(Some(item)) => DataKeys::read(&item),
            WriteOutcome::Refused(None) => Err(data_keys_lost()),
        }
    }
}

fn binary(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// The error where there must be data keys. It is logged here: what asked for the secret may only say that the store failed.
pub(super) fn data_keys_lost() -> StoreError {
    error!("secrets.data_keys_lost");
    let sentence = "the item with the data keys (Z#) is gone, and what they sealed cannot be opened without it: restore it from a \
                    backup of the table, see docs/runbook.md";
    StoreError::Failed(sentence.into())
}

//! Rotation of the data key: a new one seals, everything is sealed anew, the former one goes.
//!
//! Each step may be repeated. Where a rotation is under way, the next command continues it, and none begins beside it. Whoever ends
//! one names the data keys that it saw: of two operators the slower one removes no key of a rotation that it knows nothing of.
//!
//! A key that was removed is kept apart, as KMS encrypted it, as long as the table can be restored to a point in time: an item that
//! is put back from then may be sealed with it. No function opens anything with it, until an operator has it restored.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_seal::KeyId;

use super::command::{Refused, RotationState, SecretsAnswer, SeenKeys};
use super::data_keys::{DataKeys, data_keys_lost};
use crate::engine::Aws;
use crate::items::item::number;
use crate::items::key_schema::{self, DATA_KEY, EXPIRES};
use loanhook_core::ports::StoreResult;

/// How long a key is kept that was removed: DynamoDB restores a table to any second of so many days.
const REMOVED_KEY_RETENTION: Duration = Duration::from_secs(35 * 24 * 3600);

impl Aws {
    /// Makes a new data key and has it seal from now on, unless a rotation is under way.
    pub(super) async fn begin_rotation(&self) -> StoreResult<RotationState> {
        let keys = self.made_data_keys().await?;
        if keys.former().next().is_some() {
            return Ok(self.rotation_state(&keys));
        }
        let new = self.generate_data_key().await?;
        let with_new = keys.with_new(&new.key.id(), new.encrypted, (self.stack().clock)());
        let stored = self.replace_data_keys(&keys, with_new).await?;
        if stored.current == new.key.id() {
            self.known_keys().put(&new.key);
        }
        Ok(self.rotation_state(&stored))
    }

    /// Removes the former data keys, if all is as its caller has seen it. To be called when nothing is sealed with them any more:
    /// what is cannot be opened then.
    pub(super) async fn end_rotation(&self, seen: &SeenKeys) -> StoreResult<SecretsAnswer> {
        let keys = self.data_keys().await?.ok_or_else(data_keys_lost)?;
        if let Some(refused) = self.refusal(&keys, seen) {
            return Ok(refused);
        }
        for (id, encrypted) in keys.encrypted.iter().filter(|(id, _)| **id != keys.current) {
            self.keep_removed(id, encrypted).await?;
        }
        let stored = self.replace_data_keys(&keys, keys.without_former()).await?;
        if let Some(refused) = self.refusal(&stored, seen) {
            return Ok(refused);
        }
        if stored.former().next().is_some() {
            return Ok(refused(
                "nothing was removed: the data keys were changed meanwhile. Run the command again",
            ));
        }
        Ok(self.rotation_state(&stored).into())
    }

    /// Why a rotation cannot end whose caller has seen these keys; none where it can, or has ended.
    fn refusal(&self, keys: &DataKeys, seen: &SeenKeys) -> Option<SecretsAnswer> {
        let state = self.rotation_state(keys);
        let former: BTreeSet<_> = state.former.iter().collect();
        let sentence = if state.current != seen.current {
            format!(
                "nothing was removed: the data key {} seals, and no more {}. Another rotation has begun: run the command again",
                state.current, seen.current
            )
        } else if former.is_empty() {
            return None;
        } else if former != seen.former.iter().collect() {
            format!(
                "nothing was removed: the former data keys are {}, and not {}. Run the command again",
                state.former.join(", "),
                seen.former.join(", ")
            )
        } else if state.since != seen.since {
            "nothing was removed: since this command looked, the rotation has ended and a data key was restored. Run the command again"
                .into()
        } else if state.wait_seconds > 0 {
            format!(
                "nothing was removed: the former data key may still be in use for {} seconds. Wait, seal everything anew, and end \
                 the rotation then",
                state.wait_seconds
            )
        } else {
            return None;
        };
        Some(refused(sentence))
    }

    async fn keep_removed(&self, id: &KeyId, encrypted: &[u8]) -> StoreResult<()> {
        let mut item = key_schema::removed_data_key(id).attributes();
        let expires = (self.stack().clock)() + REMOVED_KEY_RETENTION;
        item.insert(DATA_KEY.into(), AttributeValue::B(Blob::new(encrypted)));
        item.insert(EXPIRES.into(), number(expires.seconds()));
        self.put(self.put_part(item)).await.map(|_| ())
    }

    /// Lets a data key open again that was removed. A rotation is under way then, whose end removes it again.
    pub(super) async fn restore_data_key(&self, id: &str) -> StoreResult<SecretsAnswer> {
        let id = KeyId::from_stored(id);
        let keys = self.data_keys().await?.ok_or_else(data_keys_lost)?;
        if keys.encrypted.contains_key(&id) {
            return Ok(self.rotation_state(&keys).into());
        }
        let item = self.get(key_schema::removed_data_key(&id)).await?;
        let encrypted = item.as_ref().and_then(|item| item.get(DATA_KEY)?.as_b().ok());
        let Some(encrypted) = encrypted else {
            return Ok(refused(format!(
                "nothing was restored: no data key {id} is kept. It was removed more than 35 days ago, or is of another table"
            )));
        };
        let with_restored = keys.with_former(&id, encrypted.as_ref().to_vec(), (self.stack().clock)());
        let stored = self.replace_data_keys(&keys, with_restored).await?;
        if stored.encrypted.contains_key(&id) {
            return Ok(self.rotation_state(&stored).into());
        }
        Ok(refused("nothing was restored: the data keys were changed meanwhile. Run the command again"))
    }

    fn rotation_state(&self, keys: &DataKeys) -> RotationState {
        let left = self.stack().former_key_in_use.saturating_sub((self.stack().clock)().since(keys.since));
        let former: Vec<_> = keys.former().map(ToString::to_string).collect();
        let wait_seconds =
            if former.is_empty() { 0 } else { left.as_secs() + u64::from(left.subsec_nanos() > 0) };
        let (current, since) = (keys.current.to_string(), keys.since.millis());
        RotationState { current, former, since, wait_seconds }
    }
}

fn refused(sentence: impl Into<String>) -> SecretsAnswer {
    SecretsAnswer::Refused(Refused { refused: sentence.into() })
}

//! Commands of an operator, by which the function for resends is invoked (`infra/seal_secrets.py`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::anew::LIST;
use crate::engine::Aws;
use loanhook_core::ports::{StoreError, StoreResult};

/// The most items of one command, which are sealed well within the function's timeout.
const MAX_ITEMS: usize = 100;

/// A command: `{"sealSecrets": [{"tenant", "item"}…]}`, `{"beginKeyRotation": {}}`, `{"endKeyRotation": {"current", "former": […],
/// "since"}}` or `{"restoreDataKey": "ID"}`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretsCommand {
    /// Seals items with the current data key that are not sealed with it, and the stored lists of their tenants. At most 100; it
    /// may be repeated.
    SealSecrets(Vec<NamedSecrets>),
    /// Makes a new data key, which seals from then on. Where a rotation is under way, nothing changes.
    BeginKeyRotation {},
    /// Removes the former data keys, with which nothing may be sealed any more. Refused where the data keys are not those that the
    /// caller has seen.
    EndKeyRotation(SeenKeys),
    /// Lets a data key open again that the end of a rotation removed in the last 35 days.
    RestoreDataKey(String),
}

/// The data keys that whoever ends a rotation has seen, by their IDs.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct SeenKeys {
    /// The key that seals.
    pub current: String,
    /// Those before it, which are to be removed.
    pub former: Vec<String>,
    /// Since when they are so, in milliseconds since 1970.
    pub since: i64,
}

/// An item with secrets.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct NamedSecrets {
    pub tenant: String,
    /// The sort key of a subscription or of a version of one, or `list` for the stored list of subscriptions.
    pub item: String,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SecretsAnswer {
    Sealed(SealedAnew),
    Rotation(RotationState),
    Refused(Refused),
}

/// Why a command did nothing, which the same command would not do later either: `{"refused": "a sentence"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub refused: String,
}

impl From<RotationState> for SecretsAnswer {
    fn from(state: RotationState) -> Self {
        Self::Rotation(state)
    }
}

/// What was sealed: `{"current", "sealed": n, "failed": [{"tenant", "item", "error"}…]}`. The others were sealed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealedAnew {
    /// The ID of the key that seals.
    pub current: String,
    pub sealed: u32,
    pub failed: Vec<FailedSeal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedSeal {
    pub tenant: String,
    pub item: String,
    pub error: String,
}

/// The data keys: `{"current", "former": […], "since", "waitSeconds"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationState {
    /// The ID of the key that seals.
    pub current: String,
    /// The IDs of those before it; none where no rotation is under way.
    pub former: Vec<String>,
    /// Since when they are so, in milliseconds since 1970.
    pub since: i64,
    /// How long something may still be stored that is sealed with a former key.
    pub wait_seconds: u64,
}

impl SecretsCommand {
    /// The names of all commands, each the field of an input.
    pub const NAMES: [&str; 4] = ["sealSecrets", "beginKeyRotation", "endKeyRotation", "restoreDataKey"];
}

impl Aws {
    /// Does what a command says.
    ///
    /// # Errors
    ///
    /// When the table or KMS fails, or there are too many items. What fails of one item is said in the answer.
    pub async fn run_secrets_command(&self, command: SecretsCommand) -> StoreResult<SecretsAnswer> {
        match command {
            SecretsCommand::SealSecrets(items) if items.len() > MAX_ITEMS => {
                let sentence = format!("at most {MAX_ITEMS} items: send the rest in another");
                Err(StoreError::Failed(sentence.into()))
            }
            SecretsCommand::SealSecrets(items) => self.seal_all_anew(items).await.map(SecretsAnswer::Sealed),
            SecretsCommand::BeginKeyRotation {} => self.begin_rotation().await.map(SecretsAnswer::Rotation),
            SecretsCommand::EndKeyRotation(seen) => self.end_rotation(&seen).await,
            SecretsCommand::RestoreDataKey(id) => self.restore_data_key(&id).await,
        }
    }

    /// Seals these items, and then the lists of their tenants: a list has copies of subscriptions as they are sealed.
    async fn seal_all_anew(&self, items: Vec<NamedSecrets>) -> StoreResult<SealedAnew> {
        // Read once: what was sealed with a key that is former by now is found by the next run.
        let keyring = self.sealing_keyring().await?;
        let current = keyring.current().to_string();
        let mut answer = SealedAnew { current, sealed: 0, failed: Vec::new() };
        let tenants: BTreeSet<_> = items.iter().map(|named| named.tenant.clone()).collect();
        let lists = tenants.into_iter().map(|tenant| NamedSecrets { tenant, item: LIST.into() });
        let items = items.into_iter().filter(|named| named.item != LIST);
        for NamedSecrets { tenant, item } in items.chain(lists) {
            match self.seal_anew(&tenant, &item, &keyring).await {
                Ok(sealed) => answer.sealed += u32::from(sealed),
                Err(failure) => {
                    answer.failed.push(FailedSeal { tenant, item, error: failure.to_string() });
                }
            }
        }
        Ok(answer)
    }
}

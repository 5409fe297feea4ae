//! Commands of an operator, by which the function for resends is invoked (`infra/seal_secrets.py`).

use serde::{Deserialize, Serialize};

use crate::engine::Aws;
use loanhook_core::ports::{StoreError, StoreResult};

/// The most items of one command, which are sealed well within the function's timeout.
const MAX_ITEMS: usize = 100;

/// A command: `{"sealSecrets": [{"tenant", "item"}…]}`, `{"beginKeyRotation": {}}` or `{"endKeyRotation": {}}`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretsCommand {
    /// Seals items with the current data key that are not sealed with it. At most 100; it may be repeated. A list is made of
    /// its subscriptions, so it comes after them.
    SealSecrets(Vec<NamedSecrets>),
    /// Makes a new data key, which seals from then on. Where a rotation is under way, nothing changes.
    BeginKeyRotation {},
    /// Removes the former data key, with which nothing may be sealed any more.
    EndKeyRotation {},
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
}

/// What was sealed: `{"sealed": n, "failed": [{"tenant", "item", "error"}…]}`. The others were sealed before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SealedAnew {
    pub sealed: u32,
    pub failed: Vec<FailedSeal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedSeal {
    pub tenant: String,
    pub item: String,
    pub error: String,
}

/// The data keys: `{"current", "former": […], "waitSeconds"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotationState {
    /// The ID of the key that seals.
    pub current: String,
    /// The IDs of those before it; none where no rotation is under way.
    pub former: Vec<String>,
    /// How long something may still be stored that is sealed with a former key.
    pub wait_seconds: u64,
}

impl SecretsCommand {
    /// The names of all commands, each the field of an input.
    pub const NAMES: [&str; 3] = ["sealSecrets", "beginKeyRotation", "endKeyRotation"];
}

impl Aws {
    /// Does what a command says.
    ///
    /// # Errors
    ///
    /// When the table or KMS fails, or there are too many items. What fails of one item is said in the answer.
    pub async fn run_secrets_command(&self, command: SecretsCommand) -> StoreResult<SecretsAnswer> {
        Ok(match command {
            SecretsCommand::SealSecrets(items) if items.len() > MAX_ITEMS => {
                let sentence = format!("at most {MAX_ITEMS} items: send the rest in another");
                return Err(StoreError::Failed(sentence.into()));
            }
            SecretsCommand::SealSecrets(items) => SecretsAnswer::Sealed(self.seal_all_anew(items).await?),
            SecretsCommand::BeginKeyRotation {} => SecretsAnswer::Rotation(self.begin_rotation().await?),
            SecretsCommand::EndKeyRotation {} => SecretsAnswer::Rotation(self.end_rotation().await?),
        })
    }

    async fn seal_all_anew(&self, items: Vec<NamedSecrets>) -> StoreResult<SealedAnew> {
        let mut answer = SealedAnew::default();
        // Read once: what was sealed with a key that is former by now is found by the next run.
        let keyring = self.sealing_keyring().await?;
        for NamedSecrets { tenant, item } in items {
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

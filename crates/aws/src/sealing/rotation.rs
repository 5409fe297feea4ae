//! Rotation of the data key: a new one seals, everything is sealed anew, the former one goes.
//!
//! Each step may be repeated. A rotation that was begun is gone on with, and none is begun beside it.

use std::time::Duration;

use super::command::RotationState;
use super::data_keys::DataKeys;
use crate::engine::Aws;
use loanhook_core::ports::{StoreError, StoreResult};

/// How long after a rotation began something may still be stored that is sealed with the former key: as long as an invocation
/// takes that read the data keys before, which is a minute at most, and as much again for clocks that differ.
const FORMER_KEY_IN_USE: Duration = Duration::from_secs(120);

impl Aws {
    /// Makes a new data key and has it seal from now on, unless a rotation is under way.
    pub(super) async fn begin_rotation(&self) -> StoreResult<RotationState> {
        let keys = match self.data_keys().await? {
            Some(keys) => keys,
            None => self.first_data_key().await?,
        };
        if keys.former().next().is_some() {
            return Ok(self.rotation_state(&keys));
        }
        let new = self.generate_data_key().await?;
        let with_new = keys.with_new(&new, (self.stack().clock)());
        let stored = self.replace_data_keys(&keys, with_new).await?;
        if stored.current == new.key.id() {
            self.known_keys().put(&new.key);
        }
        Ok(self.rotation_state(&stored))
    }

    /// Removes the former data keys. To be called when nothing is sealed with them any more: what is cannot be opened then.
    pub(super) async fn end_rotation(&self) -> StoreResult<RotationState> {
        let Some(keys) = self.data_keys().await? else {
            return Err(StoreError::Failed("there is no data key yet".into()));
        };
        let state = self.rotation_state(&keys);
        if state.former.is_empty() {
            return Ok(state);
        }
        if state.wait_seconds > 0 {
            let sentence = format!(
                "the former data key may still be in use for {} seconds: wait, seal everything anew, and end the rotation then",
                state.wait_seconds
            );
            return Err(StoreError::Failed(sentence.into()));
        }
        Ok(self.rotation_state(&self.replace_data_keys(&keys, keys.without_former()).await?))
    }

    fn rotation_state(&self, keys: &DataKeys) -> RotationState {
        let left = FORMER_KEY_IN_USE.saturating_sub((self.stack().clock)().since(keys.since));
        let former: Vec<_> = keys.former().map(ToString::to_string).collect();
        let wait_seconds =
            if former.is_empty() { 0 } else { left.as_secs() + u64::from(left.subsec_nanos() > 0) };
        RotationState { current: keys.current.to_string(), former, wait_seconds }
    }
}

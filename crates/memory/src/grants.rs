//! Grants: portal links and sessions, by the hash of their token.

use loanhook_core::model::grant::Grant;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Grants, StoreResult};

use super::Memory;
use super::step::{Operation, StepKind};

impl Grants for Memory {
    async fn add_grant(&self, hash: KeyHash, grant: Grant, now: Timestamp) -> StoreResult<()> {
        self.once(Operation::Grants, StepKind::Settings, |state| {
            state.grants.retain(|_, grant| now < grant.until);
            state.grants.insert(hash.0, grant);
            Ok(())
        })
        .await
    }

    async fn grant(&self, hash: KeyHash, now: Timestamp) -> StoreResult<Option<Grant>> {
        self.once(Operation::Grants, StepKind::Read, |state| {
            Ok(state.grants.get(&hash.0).filter(|grant| now < grant.until).cloned())
        })
        .await
    }

    async fn end_grant(&self, hash: KeyHash) -> StoreResult<()> {
        self.once(Operation::Grants, StepKind::Settings, |state| {
            state.grants.remove(&hash.0);
            Ok(())
        })
        .await
    }
}

//! API keys: found by their hash, listed by tenant.
//!
//! A deleted key leaves a mark under its hash. So it stays deleted even where it is the key that the stack was deployed
//! with, which is added when it is first used ([`deployed_key`](super::deployed_key)).

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use tracing::warn;

use super::changes::Change;
use super::key_items::{hash_item, hash_of, listed_item, read_listed};
use super::tenant_record::CountChange;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{document, get_number, number, text, unexpired};
use crate::items::key_schema::{self, DELETED, DOC, PK, SK, USED};
use crate::items::transaction::TransactionPart as _;
use crate::items::unreadable::UnreadableItems;
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, Keys, ListedKey, StoreError, StoreResult};

/// How often a key may be moved to another tenant while it is read.
const MAX_TRIES: u32 = 4;

impl Keys for Aws {
    async fn key(&self, hash: KeyHash) -> StoreResult<Option<Arc<Key>>> {
        let mut cached = self.cache().key(hash);
        let mut tenant = match &cached {
            Some((_, key)) => key.tenant.clone(),
            None => match self.find_key(hash).await? {
                Some(key) => key.tenant,
                None => return Ok(None),
            },
        };
        for _ in 0..MAX_TRIES {
            // The version before the key: a key that is there after the version was read is valid at that version.
            let version = self.tenant_version(&tenant).await?;
            if let Some((cached_at, key)) = cached.take()
                && version.has_the_keys_of(cached_at)
            {
                if cached_at < version.number {
                    self.cache().put_key(hash, version.number, Arc::clone(&key));
                }
                return Ok(Some(key));
            }
            let found = self.find_key(hash).await?;
            if let Some(key) = &found
                && key.tenant != tenant
            {
                // It was moved meanwhile. Whether it is valid is said by the version of its tenant; versions of two tenants
                // cannot be compared.
                tenant = key.tenant.clone();
                continue;
            }
            // The end of a key appears in its own item a moment later than in the version.
            let key = found.filter(|key| !version.has_ended(key.id)).map(Arc::new);
            match &key {
                Some(key) => self.cache().put_key(hash, version.number, Arc::clone(key)),
                None => self.cache().forget_key(hash),
            }
            return Ok(key);
        }
        Err(StoreError::Busy)
    }

    async fn add_key(&self, key: Key, hash: KeyHash) -> StoreResult<()> {
        let under_hash = self.put_if_absent(hash_item(&key, hash)?).part()?;
        let in_list = self.put_if_absent(listed_item(&key, hash)?).part()?;
        if self.transact(vec![under_hash, in_list]).await?.is_done() {
            return Ok(());
        }
        Err(StoreError::Failed("there is such a key already, or was".into()))
    }

    async fn keys(
        &self,
        tenant: &TenantId,
        after: Option<KeyId>,
        limit: usize,
    ) -> StoreResult<Vec<ListedKey>> {
        let after = after.map_or(uuid::Uuid::nil(), KeyId::uuid);
        let query = self
            .query_partition(&key_schema::listed_keys_pk(tenant))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .key_condition_expression("#pk = :pk AND #sk > :after")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":after", text(after.to_string()));
        let mut items = query.into_paginator().items().send();
        let (mut found, mut left_out) = (Vec::new(), UnreadableItems::default());
        while found.len() < limit
            && let Some(item) = items.next().await
        {
            let Some(item) = unexpired(item.map_err(store_error)?) else { continue };
            let Some((key, hash)) = left_out.readable(&item, read_listed(&item)) else { continue };
            if !self.is_superseded(&key, hash) {
                let last_used_at = get_number(&item, USED).map(Timestamp::from_millis);
                found.push(ListedKey { key, last_used_at });
            }
        }
        Ok(found)
    }

    async fn listed_key(&self, tenant: &TenantId, id: KeyId) -> StoreResult<Option<Key>> {
        let item = self.get(key_schema::listed_key(tenant, id)).await?;
        item.as_ref().map(document).transpose()
    }

    async fn ensure_environment_key(&self, key: Key, hash: KeyHash) -> StoreResult<EnvironmentKeyOutcome> {
        self.ensure_deployed_key(key, hash).await
    }

    fn record_use(&self, key: &Key, _: KeyHash, now: Timestamp) {
        let hour = now.to_the_hour();
        if !self.cache().record_key_use(key.id, hour) {
            return;
        }
        let (engine, tenant, id) = (self.clone(), key.tenant.clone(), key.id);
        self.spawn_background(async move {
            let update = engine
                .update(key_schema::listed_key(&tenant, id))
                .update_expression("SET #used = :hour")
                .condition_expression(
                    "attribute_exists(#pk) AND (attribute_not_exists(#used) OR #used < :hour)",
                )
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#used", USED)
                .expression_attribute_values(":hour", number(hour.millis()));
            if let Err(error) = write_outcome(update.send().await) {
                warn!(key_id = %id, %error, "key.use_not_noted");
            }
        });
    }

    async fn delete_key(&self, tenant: &TenantId, id: KeyId) -> StoreResult<bool> {
        let listed = key_schema::listed_key(tenant, id);
        let Some(item) = self.get(listed.clone()).await? else { return Ok(false) };
        let hash = hash_of(&item)?;
        let delete_listed = self
            .delete_part(listed)
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        let mark_deleted = self
            .update_part(key_schema::key(hash))
            .update_expression("SET #deleted = :true REMOVE #doc")
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        let writes = vec![delete_listed.part()?, mark_deleted.part()?];
        let outcome = self.change_tenant(tenant, Change::KeyEnded(id), CountChange::Same, writes).await?;
        self.cache().forget_key(hash);
        Ok(outcome.is_done())
    }
}

impl Aws {
    /// The valid key of a hash; the one that the stack was deployed with is added if it never was.
    async fn find_key(&self, hash: KeyHash) -> StoreResult<Option<Key>> {
        let stored = self.stored_key(hash).await?;
        if self.stack().deployed_key == Some(hash) {
            return self.deployed_key(stored, hash).await;
        }
        Ok(stored.present().filter(|key| !self.is_superseded(key, hash)))
    }
}

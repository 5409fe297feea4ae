//! API keys: found by the hash of what a caller shows, listed by tenant.
//!
//! A deleted key leaves a mark under its hash, so that it stays deleted even where it is the key that the
//! stack was deployed with, which is made when it is first shown (`first_key`).

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Update};
use tracing::warn;

use super::Aws;
use super::call_errors::{store_error, write_outcome};
use super::item::{Item, document, get_number, get_text, json, number, text, unexpired};
use super::key_schema::{self, DELETED, DOC, HASH, PK, SK, USED};
use super::transaction::{TransactionOutcome, TransactionWrite as _, put};
use super::unreadable::UnreadableItems;
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, Keys, ListedKey, StoreError, StoreResult};

impl Keys for Aws {
    async fn key(&self, hash: KeyHash) -> StoreResult<Option<Arc<Key>>> {
        let cached = self.0.cache.key(hash);
        let tenant = match &cached {
            Some((_, key)) => key.tenant.clone(),
            None => match self.find_key(hash).await? {
                Some(key) => key.tenant,
                None => return Ok(None),
            },
        };
        // The counter before the key: a key that is there after it was read is there at that count.
        let counter = self.tenant_version(&tenant).await?;
        if let Some((at, key)) = cached
            && at == counter
        {
            return Ok(Some(key));
        }
        let key = self.find_key(hash).await?.map(Arc::new);
        match &key {
            Some(key) => self.0.cache.put_key(hash, counter, Arc::clone(key)),
            None => self.0.cache.forget_key(hash),
        }
        Ok(key)
    }

    async fn add_key(&self, key: Key, hash: KeyHash) -> StoreResult<()> {
        if self.put_key(&key, hash).await? {
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
            .dynamodb()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .key_condition_expression("#pk = :pk AND #sk > :after")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(key_schema::listed_keys_pk(tenant)))
            .expression_attribute_values(":after", text(after.to_string()));
        let mut keys = query.into_paginator().items().send();
        let (mut found, mut left_out) = (Vec::new(), UnreadableItems::default());
        while found.len() < limit
            && let Some(item) = keys.next().await
        {
            let Some(item) = unexpired(item.map_err(store_error)?) else { continue };
            let read = document(&item).and_then(|key: Key| Ok((key, hash_of(&item)?)));
            let Some((key, hash)) = left_out.readable(&item, read) else { continue };
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
        if !self.0.cache.record_key_use(key.id, hour) {
            return;
        }
        let (place, id) = (key_schema::listed_key(&key.tenant, key.id), key.id);
        let engine = self.clone();
        self.beside(async move {
            let update = engine
                .dynamodb()
                .update_item()
                .table_name(engine.table())
                .set_key(Some(place.key()))
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
        let place = key_schema::listed_key(tenant, id);
        let Some(item) = self.get(place.clone()).await? else { return Ok(false) };
        let hash = hash_of(&item)?;
        let unlist = Delete::builder()
            .table_name(self.table())
            .set_key(Some(place.key()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        let mark = Update::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::key(hash).key()))
            .update_expression("SET #deleted = :true REMOVE #doc")
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        let parts = vec![unlist.write()?, mark.write()?, self.increment_tenant_version(tenant, 0).write()?];
        let committed = self.transact(parts).await?;
        self.0.cache.forget_key(hash);
        self.0.cache.forget_version(tenant);
        Ok(committed.is_done())
    }
}

impl Aws {
    /// The key of a hash; the one that the stack was deployed with is made if it was never there.
    async fn find_key(&self, hash: KeyHash) -> StoreResult<Option<Key>> {
        let found = self.read_key(hash).await?;
        if self.0.stack.deployed_key == Some(hash) {
            return self.deployed_key(found, hash).await;
        }
        Ok(found.flatten().filter(|key| !self.is_superseded(key, hash)))
    }

    /// None if there never was such a key; none within if it was deleted.
    pub(super) async fn read_key(&self, hash: KeyHash) -> StoreResult<Option<Option<Key>>> {
        let Some(item) = self.get(key_schema::key(hash)).await? else { return Ok(None) };
        let deleted = item.contains_key(DELETED);
        Ok(Some(if deleted { None } else { Some(document(&item)?) }))
    }

    /// False if there is, or was, one of this hash.
    async fn put_key(&self, key: &Key, hash: KeyHash) -> StoreResult<bool> {
        let doc = json(key)?;
        let mut found = key_schema::key(hash).key();
        found.insert(DOC.into(), doc.clone());
        let mut listed = key_schema::listed_key(&key.tenant, key.id).key();
        listed.insert(DOC.into(), doc);
        listed.insert(HASH.into(), text(key_schema::hex(&hash.0)));
        let absent = |item: Item| {
            put(self.table(), item, "attribute_not_exists(#pk)").expression_attribute_names("#pk", PK).write()
        };
        match self.transact(vec![absent(found)?, absent(listed)?]).await? {
            TransactionOutcome::Done => Ok(true),
            TransactionOutcome::Refused(_) => Ok(false),
        }
    }
}

/// The hash by which a listed key is found.
pub(super) fn hash_of(item: &Item) -> StoreResult<KeyHash> {
    get_text(item, HASH).and_then(unhex).ok_or_else(|| super::item::missing_attribute(HASH))
}

fn unhex(text: &str) -> Option<KeyHash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, place) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[place..place + 2], 16).ok()?;
    }
    Some(KeyHash(hash))
}

//! API keys: found by the hash of what a caller shows, listed by tenant.
//!
//! A deleted key leaves a mark under its hash, so that it stays deleted even where it is the key that the
//! stack was deployed with, which is made when it is first shown.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Update};

use super::Aws;
use super::failure::failed;
use super::item::{Item, document, get_text, json, text};
use super::table::{self, DELETED, DOC, HASH, PK, SK};
use super::transaction::{Committed, Part as _, put};
use super::unreadable::LeftOut;
use crate::model::id::{KeyId, TenantId};
use crate::model::key::{FIRST_TENANT, Key, KeyHash};
use crate::model::time::Timestamp;
use crate::ports::{Keys, StoreError, Stored};

impl Keys for Aws {
    async fn key(&self, hash: KeyHash) -> Stored<Option<Arc<Key>>> {
        let cached = self.0.cache.key(hash);
        let tenant = match &cached {
            Some((_, key)) => key.tenant.clone(),
            None => match self.find_key(hash).await? {
                Some(key) => key.tenant,
                None => return Ok(None),
            },
        };
        // The counter before the key: a key that is there after it was read is there at that count.
        let counter = self.counter(&tenant).await?;
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

    async fn add_key(&self, key: Key, hash: KeyHash) -> Stored<()> {
        if self.put_key(&key, hash).await? {
            return Ok(());
        }
        Err(StoreError::Failed("there is such a key already, or was".into()))
    }

    async fn keys(&self, tenant: &TenantId, after: Option<KeyId>, limit: usize) -> Stored<Vec<Key>> {
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
            .expression_attribute_values(":pk", text(table::listed_pk(tenant)))
            .expression_attribute_values(":after", text(after.to_string()));
        let mut keys = query.into_paginator().items().send();
        let (mut found, mut left_out) = (Vec::new(), LeftOut::default());
        while found.len() < limit
            && let Some(item) = keys.next().await
        {
            let item = item.map_err(failed)?;
            found.extend(left_out.unless_read(&item, document(&item)));
        }
        Ok(found)
    }

    async fn delete_key(&self, tenant: &TenantId, id: KeyId) -> Stored<bool> {
        let place = table::listed(tenant, id);
        let Some(item) = self.get(place.clone()).await? else { return Ok(false) };
        let hash = get_text(&item, HASH).and_then(unhex).ok_or_else(|| super::item::missing(HASH))?;
        let unlist = Delete::builder()
            .table_name(self.table())
            .set_key(Some(place.key()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        let mark = Update::builder()
            .table_name(self.table())
            .set_key(Some(table::key(hash).key()))
            .update_expression("SET #deleted = :true REMOVE #doc")
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        let parts = vec![unlist.part()?, mark.part()?, self.count_change(tenant, 0).part()?];
        let committed = self.transact(parts).await?;
        self.0.cache.forget_key(hash);
        self.0.cache.changed(tenant);
        Ok(committed.is_done())
    }
}

impl Aws {
    /// The key of a hash; the one that the stack was deployed with is made if it was never there.
    async fn find_key(&self, hash: KeyHash) -> Stored<Option<Key>> {
        if let Some(found) = self.read_key(hash).await? {
            return Ok(found);
        }
        if self.0.stack.first_key != Some(hash) {
            return Ok(None);
        }
        let tenant = TenantId::try_from(FIRST_TENANT.to_owned());
        let key = Key::admin(tenant.map_err(|fault| StoreError::Failed(fault.into()))?, Timestamp::now());
        if self.put_key(&key, hash).await? {
            return Ok(Some(key));
        }
        // Another function made it at the same time.
        Ok(self.read_key(hash).await?.flatten())
    }

    /// None if there never was such a key; none within if it was deleted.
    async fn read_key(&self, hash: KeyHash) -> Stored<Option<Option<Key>>> {
        let Some(item) = self.get(table::key(hash)).await? else { return Ok(None) };
        let deleted = item.contains_key(DELETED);
        Ok(Some(if deleted { None } else { Some(document(&item)?) }))
    }

    /// False if there is, or was, one of this hash.
    async fn put_key(&self, key: &Key, hash: KeyHash) -> Stored<bool> {
        let doc = json(key)?;
        let mut found = table::key(hash).key();
        found.insert(DOC.into(), doc.clone());
        let mut listed = table::listed(&key.tenant, key.id).key();
        listed.insert(DOC.into(), doc);
        listed.insert(HASH.into(), text(table::hex(&hash.0)));
        let absent = |item: Item| {
            put(self.table(), item, "attribute_not_exists(#pk)").expression_attribute_names("#pk", PK).part()
        };
        match self.transact(vec![absent(found)?, absent(listed)?]).await? {
            Committed::Done => Ok(true),
            Committed::Refused(_) => Ok(false),
        }
    }
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

//! The key that a stack was deployed with: the parameter `AdminKey`.
//!
//! A function knows its hash and no more, so it is made when it is first shown. A stack update with another one ends it:
//! every function that was started with another hash takes it for over at once, and it is ended in the table when the
//! new one is first shown. It is ended by its time to live, so that it can be deployed again, which deleted keys cannot.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use tracing::info;

use super::Aws;
use super::call_errors::store_error;
use super::item::{document, json, number, text, unexpired};
use super::key_schema::{self, DOC, EXPIRES, HASH, ItemKey, PK, USED};
use super::keys::hash_of;
use super::transaction::{TransactionWrite as _, put};
use super::unreadable::UnreadableItems;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::{FIRST_TENANT, Key, KeyHash, KeySource};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, StoreError, StoreResult};

impl Aws {
    /// Whether a key was deployed, and another one has been since.
    pub(super) fn is_superseded(&self, key: &Key, hash: KeyHash) -> bool {
        key.source == KeySource::Environment && self.0.stack.deployed_key.is_some_and(|first| first != hash)
    }

    /// The key that the stack was deployed with, of which this was found under its hash.
    pub(super) async fn deployed_key(
        &self,
        found: Option<Option<Key>>,
        hash: KeyHash,
    ) -> StoreResult<Option<Key>> {
        let tenant = TenantId::try_from(FIRST_TENANT.to_owned());
        let tenant = tenant.map_err(|fault| StoreError::Failed(fault.into()))?;
        match found {
            Some(None) => Ok(None),
            Some(Some(key)) if key.is_environment_key(&tenant) => Ok(Some(key)),
            _ => {
                let key = Key::admin(tenant, KeySource::Environment, Timestamp::now());
                if let EnvironmentKeyOutcome::Added { ended } = self.ensure_deployed_key(key, hash).await? {
                    for key in ended {
                        info!(key_id = %key.id, name = key.name, "key.ended_by_another_admin_key");
                    }
                }
                Ok(self.read_key(hash).await?.flatten())
            }
        }
    }

    /// The others end first: whoever stops in between is shown the key again, and makes it.
    pub(super) async fn ensure_deployed_key(
        &self,
        key: Key,
        hash: KeyHash,
    ) -> StoreResult<EnvironmentKeyOutcome> {
        let there = match self.read_key(hash).await? {
            Some(None) => return Ok(EnvironmentKeyOutcome::Deleted),
            found => found.flatten(),
        };
        let ended = self.end_deployed_keys(&key.tenant, hash).await?;
        if ended.is_empty() && there.as_ref().is_some_and(|there| there.is_environment_key(&key.tenant)) {
            return Ok(EnvironmentKeyOutcome::Unchanged);
        }
        let before = there.clone();
        let key = key.with_identity_of(there);
        let mut found = key_schema::key(hash).key();
        found.insert(DOC.into(), json(&key)?);
        let puts = match &before {
            Some(before) => put(self.table(), found, "#doc = :doc")
                .expression_attribute_names("#doc", DOC)
                .expression_attribute_values(":doc", json(before)?),
            None => put(self.table(), found, "attribute_not_exists(#pk) OR attribute_exists(#expires)")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#expires", EXPIRES),
        };
        let list = Update::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::listed_key(&key.tenant, key.id).key()))
            .update_expression("SET #doc = :doc, #hash = :hash REMOVE #expires")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#hash", HASH)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":doc", json(&key)?)
            .expression_attribute_values(":hash", text(key_schema::hex(&hash.0)));
        let mut parts =
            vec![puts.write()?, list.write()?, self.increment_tenant_version(&key.tenant, 0).write()?];
        // One of another tenant is listed there no more.
        if let Some(before) = before.filter(|before| before.tenant != key.tenant) {
            parts.push(self.expire(key_schema::listed_key(&before.tenant, before.id))?);
            parts.push(self.increment_tenant_version(&before.tenant, 0).write()?);
        }
        // Refused is that somebody else was first.
        let put = self.transact(parts).await?.is_done();
        self.0.cache.forget_key(hash);
        self.0.cache.forget_version(&key.tenant);
        Ok(if put { EnvironmentKeyOutcome::Added { ended } } else { EnvironmentKeyOutcome::Unchanged })
    }

    /// Ends every key of a tenant that was deployed, but for the one of this hash.
    async fn end_deployed_keys(&self, tenant: &TenantId, but: KeyHash) -> StoreResult<Vec<Key>> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(key_schema::listed_keys_pk(tenant)));
        let mut items = query.into_paginator().items().send();
        let (mut ended, mut left_out) = (Vec::new(), UnreadableItems::default());
        while let Some(item) = items.next().await {
            let Some(item) = unexpired(item.map_err(store_error)?) else { continue };
            let read = document(&item).and_then(|key: Key| Ok((key, hash_of(&item)?)));
            let Some((key, hash)) = left_out.readable(&item, read) else { continue };
            if key.source != KeySource::Environment || hash == but {
                continue;
            }
            let parts = vec![
                self.expire(key_schema::key(hash))?,
                self.expire(key_schema::listed_key(tenant, key.id))?,
                self.increment_tenant_version(tenant, 0).write()?,
            ];
            if self.transact(parts).await?.is_done() {
                ended.push(key);
            }
            self.0.cache.forget_key(hash);
        }
        Ok(ended)
    }

    /// Has an item be over from now on, and taken away some time; refused where there is none.
    fn expire(&self, place: ItemKey) -> StoreResult<TransactWriteItem> {
        Update::builder()
            .table_name(self.table())
            .set_key(Some(place.key()))
            .update_expression("SET #expires = :now REMOVE #used")
            .condition_expression("attribute_exists(#doc)")
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#used", USED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":now", number(Timestamp::now().seconds()))
            .write()
    }
}

//! The key that a stack was deployed with: the parameter `AdminKeyHash`, or `AdminKey` in clear.
//!
//! A function knows the key's hash and no more, so the key is added when it is first used. A stack update with another key
//! ends it: every function that was started with another hash refuses it at once, and the table ends it when the new key is
//! first used. It is ended by its expiry, so that it can be deployed again, which deleted keys cannot.

use aws_sdk_dynamodb::types::TransactWriteItem;
use tracing::info;

use super::changes::Change;
use super::flow_ids::FlowChange;
use super::key_items::{StoredKey, hash_item, read_listed};
use super::tenant_record::{CountChange, SettingsChange};
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{json, number, text, unexpired};
use crate::items::key_schema::{self, DOC, EXPIRES, HASH, ItemKey, PK, USED};
use crate::items::transaction::TransactionPart as _;
use crate::items::unreadable::UnreadableItems;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::{FIRST_TENANT, Key, KeyHash, KeySource};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, StoreError, StoreResult};

impl Aws {
    /// The deployed key, added if `stored` under its hash is none or one of another tenant; none if it was deleted.
    pub(super) async fn deployed_key(&self, stored: StoredKey, hash: KeyHash) -> StoreResult<Option<Key>> {
        let tenant = TenantId::try_from(FIRST_TENANT.to_owned());
        let tenant = tenant.map_err(|fault| StoreError::Failed(fault.into()))?;
        match stored {
            StoredKey::Deleted => Ok(None),
            StoredKey::Present(key) if key.is_environment_key(&tenant) => Ok(Some(key)),
            StoredKey::Present(_) | StoredKey::NeverAdded => {
                let key = Key::admin(tenant, KeySource::Environment, Timestamp::now());
                if let EnvironmentKeyOutcome::Added { ended } = self.ensure_deployed_key(key, hash).await? {
                    for key in ended {
                        info!(key_id = %key.id, name = key.name, "key.ended_by_another_admin_key");
                    }
                }
                Ok(self.stored_key(hash).await?.present())
            }
        }
    }

    /// Adds the deployed key and ends those that were deployed before. Those end first: if this stops in between, the key
    /// is still to be added when it is used again.
    pub(super) async fn ensure_deployed_key(
        &self,
        key: Key,
        hash: KeyHash,
    ) -> StoreResult<EnvironmentKeyOutcome> {
        let before = match self.stored_key(hash).await? {
            StoredKey::Deleted => return Ok(EnvironmentKeyOutcome::Deleted),
            stored => stored.present(),
        };
        let ended = self.end_deployed_keys(&key.tenant, hash).await?;
        if ended.is_empty() && before.as_ref().is_some_and(|before| before.is_environment_key(&key.tenant)) {
            return Ok(EnvironmentKeyOutcome::Unchanged);
        }
        let key = key.with_identity_of(before.clone());
        let item = hash_item(&key, hash)?;
        let under_hash = match &before {
            Some(before) => self
                .put_if(item, "#doc = :doc")
                .expression_attribute_names("#doc", DOC)
                .expression_attribute_values(":doc", json(before)?),
            None => self
                .put_if(item, "attribute_not_exists(#pk) OR attribute_exists(#expires)")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#expires", EXPIRES),
        };
        let in_list = self
            .update_part(key_schema::listed_key(&key.tenant, key.id))
            .update_expression("SET #doc = :doc, #hash = :hash REMOVE #expires")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#hash", HASH)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":doc", json(&key)?)
            .expression_attribute_values(":hash", text(key_schema::hex(&hash.0)));
        let mut writes = vec![under_hash.part()?, in_list.part()?];
        let mut changes = vec![change_of_keys(&key.tenant, Change::Other)];
        // A key of another tenant ends there: here it is a key of another ID.
        let elsewhere = before.filter(|before| before.tenant != key.tenant);
        if let Some(before) = &elsewhere {
            writes.push(self.expire_now(key_schema::listed_key(&before.tenant, before.id))?);
            changes.push(change_of_keys(&before.tenant, Change::KeyEnded(before.id)));
        }
        // A refusal says that another call came first.
        let added = self.change_tenants(&changes, |_| Ok(writes.clone())).await?.is_done();
        self.cache().forget_key(hash);
        Ok(if added { EnvironmentKeyOutcome::Added { ended } } else { EnvironmentKeyOutcome::Unchanged })
    }

    /// Ends the deployed keys of a tenant, except for the one of this hash; returns those that it ended.
    async fn end_deployed_keys(&self, tenant: &TenantId, except: KeyHash) -> StoreResult<Vec<Key>> {
        let query = self.query_partition(&key_schema::listed_keys_pk(tenant));
        let mut items = query.into_paginator().items().send();
        let (mut ended, mut left_out) = (Vec::new(), UnreadableItems::default());
        while let Some(item) = items.next().await {
            let Some(item) = unexpired(item.map_err(store_error)?) else { continue };
            let Some((key, hash)) = left_out.readable(&item, read_listed(&item)) else { continue };
            if key.source != KeySource::Environment || hash == except {
                continue;
            }
            let under_hash = self.expire_now(key_schema::key(hash))?;
            let writes = vec![under_hash, self.expire_now(key_schema::listed_key(tenant, key.id))?];
            let change = Change::KeyEnded(key.id);
            if self.change_tenant(tenant, change, CountChange::Same, writes).await?.is_done() {
                ended.push(key);
            }
            self.cache().forget_key(hash);
        }
        Ok(ended)
    }

    /// The update that lets an item expire now; refused where there is none.
    fn expire_now(&self, key: ItemKey) -> StoreResult<TransactWriteItem> {
        self.update_part(key)
            .update_expression("SET #expires = :now REMOVE #used")
            .condition_expression("attribute_exists(#doc)")
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_names("#used", USED)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_values(":now", number(Timestamp::now().seconds()))
            .part()
    }
}

const fn change_of_keys(tenant: &TenantId, change: Change) -> SettingsChange<'_> {
    SettingsChange { tenant, change, count: CountChange::Same, flow: FlowChange::None }
}

//! Sealing of items with the current data key that an earlier version of loanhook stored in clear, or that a former data key
//! sealed.
//!
//! A subscription's items are written on condition that they are as they were read, so a change that comes between is not lost.
//! The stored list is deleted, and stored anew from the subscriptions: it is a cache.

use aws_sdk_dynamodb::types::AttributeValue;
use loanhook_seal::Keyring;

use super::known_keys::NoKeyring;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, unreadable};
use crate::items::key_schema::{CURRENT_PREFIX, DOC, ItemKey, SECRETS, VERSIONS_PREFIX, settings_pk};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::settings::{StoredList, StoredSubscription};
use loanhook_core::model::id::TenantId;
use loanhook_core::ports::{StoreError, StoreResult};

/// How often an item is tried that is changed meanwhile.
const MAX_TRIES: u32 = 8;
/// The name of the stored list in a command.
pub(super) const LIST: &str = "list";

impl Aws {
    /// Seals an item with the key that seals in this keyring. False where it was sealed with it, or there is none.
    pub(super) async fn seal_anew(&self, tenant: &str, item: &str, keyring: &Keyring) -> StoreResult<bool> {
        let tenant = TenantId::try_from(tenant.to_owned());
        let tenant = tenant.map_err(|fault| unreadable(&format_args!("its tenant {fault}")))?;
        if item == LIST {
            return self.seal_list_anew(&tenant, keyring).await;
        }
        if !item.starts_with(CURRENT_PREFIX) && !item.starts_with(VERSIONS_PREFIX) {
            return Err(unreadable(&"it is no item with secrets"));
        }
        let key = ItemKey { pk: settings_pk(&tenant), sk: item.to_owned() };
        self.seal_subscription_anew(key, keyring).await
    }

    async fn seal_subscription_anew(&self, key: ItemKey, current: &Keyring) -> StoreResult<bool> {
        for _ in 0..MAX_TRIES {
            // Also one that has expired, until DynamoDB deletes it.
            let get = self.dynamodb().get_item().table_name(self.table()).consistent_read(true);
            let got = get.set_key(Some(key.clone().attributes())).send().await.map_err(store_error)?;
            let Some(item) = got.item else { return Ok(false) };
            let mut stored = StoredSubscription::read(&item)?;
            if stored.is_current(current) {
                return Ok(false);
            }
            let opened_with = self.keyring_of(stored.keys()).await.map_err(NoKeyring::into_store_error)?;
            let has_secrets = item.contains_key(SECRETS);
            let opened = stored.open(opened_with.as_ref())?;
            let mut sealed = StoredSubscription::seal(&opened, current);
            if !has_secrets {
                sealed = sealed.without_secrets();
            }
            if self.replace_sealed(key.clone(), &item, &sealed).await?.is_done() {
                return Ok(true);
            }
        }
        Err(StoreError::Busy)
    }

    /// Puts the sealed form in the place of what was read, if that is still there.
    async fn replace_sealed(
        &self,
        key: ItemKey,
        before: &Item,
        sealed: &StoredSubscription,
    ) -> StoreResult<WriteOutcome<()>> {
        let document = |item: &Item| item.get(DOC).cloned().unwrap_or(AttributeValue::Null(true));
        let update = self
            .update(key)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#secrets", SECRETS)
            .expression_attribute_values(":doc", sealed.document()?)
            .expression_attribute_values(":before", document(before));
        let update = match (before.get(SECRETS), sealed.secrets()?) {
            (Some(before), Some(secrets)) => update
                .update_expression("SET #doc = :doc, #secrets = :secrets")
                .condition_expression("#doc = :before AND #secrets = :secretsBefore")
                .expression_attribute_values(":secrets", secrets)
                .expression_attribute_values(":secretsBefore", before.clone()),
            _ => update
                .update_expression("SET #doc = :doc")
                .condition_expression("#doc = :before AND attribute_not_exists(#secrets)"),
        };
        Ok(write_outcome(update.send().await)?.map(|_| ()))
    }

    async fn seal_list_anew(&self, tenant: &TenantId, keyring: &Keyring) -> StoreResult<bool> {
        let (list, parts) = self.stored_list_parts(tenant).await?;
        let is_current = |list: &StoredList| {
            let mut documents = list.documents.lines().map(StoredSubscription::of_document);
            // Parts behind the list's own are those of a longer list before it.
            list.parts == parts.len()
                && documents.all(|stored| stored.is_ok_and(|mut stored| stored.is_current(keyring)))
        };
        if parts.is_empty() || list.as_ref().is_some_and(is_current) {
            return Ok(false);
        }
        self.delete_list_parts(&parts).await?;
        let at = self.current_version(tenant).await?;
        self.store_list(tenant, &at).await;
        Ok(true)
    }
}

//! Retention of stored lists ([`stored_list`](super::stored_list)), by which nothing that a tenant removes from its
//! subscriptions, such as a header's value, stays in a list for ever.
//!
//! Each part has an expiry. A list that is read while it is current is renewed in the second half of its time, so a list
//! goes only where nobody reads it, or where it shows what has been changed since: the caller who made a change may have
//! died before it stored the next list. Parts beyond the end of a new list are deleted when it is stored.

use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use tracing::warn;

use super::stored_list::StoredList;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, get_text, number, text};
use crate::items::key_schema::{self, EXPIRES, PK, SK, VERSION};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// How long a list is kept since it was stored or renewed.
const LIST_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long before its expiry a list is renewed at the earliest.
const RENEWAL_PERIOD: Duration = Duration::from_secs(15 * 24 * 3600);

/// When a list expires that is stored or renewed now.
pub(super) fn expiry_from_now() -> Timestamp {
    Timestamp::now() + LIST_RETENTION
}

/// Whether a reader renews a list with so much time left, none where the list has no expiry; by chance, so that of many
/// readers at once few do it.
fn is_renewed(left: Option<Duration>, chance: u8) -> bool {
    // One without an expiry was stored by an earlier version: one reader of 16 gives it one.
    let left = left.unwrap_or(RENEWAL_PERIOD / 16 * 15);
    left < RENEWAL_PERIOD / 256 * (u32::from(chance) + 1)
}

impl Aws {
    /// Renews a list that is current, or gives one of an earlier version an expiry, in the background.
    pub(super) fn keep_list(&self, tenant: &TenantId, list: &StoredList, current: bool) {
        let now = Timestamp::now();
        let left = list.expires.map(|expires| expires.since(now));
        let mut chance = [0];
        // Without randomness it is done late.
        let _ = getrandom::fill(&mut chance);
        let may_be_renewed = current || left.is_none();
        if !may_be_renewed || !is_renewed(left, chance[0]) {
            return;
        }
        let (engine, tenant, version, parts) = (self.clone(), tenant.clone(), list.version, list.parts);
        self.spawn_background(async move {
            for index in 0..parts {
                if let Err(error) = engine.renew_part(&tenant, version, index, now).await {
                    warn!(%tenant, %error, "subscriptions.stored_list_not_renewed");
                    return;
                }
            }
        });
    }

    async fn renew_part(
        &self,
        tenant: &TenantId,
        version: u64,
        index: usize,
        now: Timestamp,
    ) -> StoreResult<()> {
        let update = self
            .update(key_schema::stored_list_part(tenant, index))
            .update_expression("SET #expires = :expires")
            .condition_expression(
                "#version = :version AND (attribute_not_exists(#expires) OR #expires < :renewable)",
            )
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":version", number(version))
            .expression_attribute_values(":expires", number((now + LIST_RETENTION).seconds()))
            .expression_attribute_values(":renewable", number((now + RENEWAL_PERIOD).seconds()));
        // A refusal says that another list is there, or that another reader came first.
        write_outcome(update.send().await).map(|_| ())
    }

    /// The list of a tenant, and the items of all parts of this or another list that are there.
    pub(crate) async fn stored_list_parts(
        &self,
        tenant: &TenantId,
    ) -> StoreResult<(Option<StoredList>, Vec<Item>)> {
        let query = self.query_partition(&key_schema::stored_list_pk(tenant));
        let parts: Vec<Item> =
            query.into_paginator().items().send().collect::<Result<_, _>>().await.map_err(store_error)?;
        Ok((StoredList::of_parts(&parts).unwrap_or_default(), parts))
    }

    /// Deletes these parts, but for those in whose place a newer one stands.
    pub(crate) async fn delete_list_parts(&self, parts: &[Item]) -> StoreResult<()> {
        for part in parts {
            let version = part.get(VERSION).cloned().unwrap_or_else(|| number(0));
            let delete = self
                .delete_part_of_list(part)
                .condition_expression("attribute_not_exists(#version) OR #version = :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", version);
            write_outcome(delete.send().await)?;
        }
        Ok(())
    }

    fn delete_part_of_list(&self, part: &Item) -> DeleteItemFluentBuilder {
        let delete = self.dynamodb().delete_item().table_name(self.table());
        delete
            .key(PK, text(get_text(part, PK).unwrap_or_default()))
            .key(SK, text(get_text(part, SK).unwrap_or_default()))
    }

    /// Deletes the parts that older lists have left beyond the end of this one. What is not deleted expires.
    pub(super) async fn delete_surplus_parts(&self, tenant: &TenantId, version: u64, parts: usize) {
        if let Err(error) = self.delete_parts_from(tenant, version, parts).await {
            warn!(%tenant, %error, "subscriptions.surplus_parts_left");
        }
    }

    async fn delete_parts_from(&self, tenant: &TenantId, version: u64, parts: usize) -> StoreResult<()> {
        let query = self
            .query_partition(&key_schema::stored_list_pk(tenant))
            .key_condition_expression("#pk = :pk AND #sk >= :end")
            .projection_expression("#pk, #sk")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":end", text(key_schema::stored_list_sk(parts)));
        let surplus: Vec<Item> =
            query.into_paginator().items().send().collect::<Result<_, _>>().await.map_err(store_error)?;
        for part in surplus {
            let delete = self
                .delete_part_of_list(&part)
                // A part of a newer list, which may just be stored, stays.
                .condition_expression("#version < :version")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":version", number(version));
            write_outcome(delete.send().await)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_time_a_list_has_the_more_readers_renew_it() {
        let renewing = |left| (0..=u8::MAX).filter(|chance| is_renewed(left, *chance)).count();
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 3600));
        assert_eq!([days(30), days(16), days(15)].map(renewing), [0, 0, 0]);
        assert_eq!([days(14), days(5), days(0)].map(renewing), [18, 171, 256]);
        assert_eq!(renewing(None), 16);
    }
}

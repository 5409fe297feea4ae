//! Reads of items by key, and the beginnings of queries and updates: table and key are named here.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, KeysAndAttributesBuilder, PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{Delete, KeysAndAttributes, Put, Update};

use super::call_errors::{failed, store_error};
use super::item::{Item, missing_attribute, text, unexpired};
use super::key_schema::{ItemKey, PK};
use crate::engine::Aws;
use crate::sdk::back_off::back_off;
use loanhook_core::ports::{StoreError, StoreResult};

/// The most items that DynamoDB reads in one call by their keys.
const MAX_ITEMS_PER_READ: usize = 100;
const MAX_TRIES: u32 = 6;

impl Aws {
    /// The item of a key, read with strong consistency, unless it has expired.
    pub(crate) async fn get(&self, key: ItemKey) -> StoreResult<Option<Item>> {
        Ok(self.get_also_expired(key).await?.and_then(unexpired))
    }

    /// The item of a key, read with strong consistency; also one that has expired and that DynamoDB has not deleted yet, which the
    /// condition of a write sees too.
    pub(crate) async fn get_also_expired(&self, key: ItemKey) -> StoreResult<Option<Item>> {
        let got = self
            .dynamodb()
            .get_item()
            .table_name(self.table())
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(store_error)?;
        Ok(got.item)
    }

    /// The items of these keys that exist and have not expired, read with strong consistency; in no order. With
    /// `attributes`, these attributes only.
    pub(crate) async fn get_all(
        &self,
        keys: Vec<ItemKey>,
        attributes: Option<&[&str]>,
    ) -> StoreResult<Vec<Item>> {
        self.read_all(keys, attributes, true).await
    }

    /// The items of these keys as they were a short while ago, for half the price.
    pub(crate) async fn get_all_eventually(&self, keys: Vec<ItemKey>) -> StoreResult<Vec<Item>> {
        self.read_all(keys, None, false).await
    }

    async fn read_all(
        &self,
        keys: Vec<ItemKey>,
        attributes: Option<&[&str]>,
        consistent: bool,
    ) -> StoreResult<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_ITEMS_PER_READ) {
            let mut request = KeysAndAttributes::builder().consistent_read(consistent);
            for key in keys {
                request = request.keys(key.clone().attributes());
            }
            if let Some(attributes) = attributes {
                request = projected(request, attributes);
            }
            self.get_batch(request.build().map_err(failed)?, &mut items).await?;
        }
        Ok(items)
    }

    /// Reads a batch; the keys that one call leaves unread are asked for again.
    async fn get_batch(&self, request: KeysAndAttributes, items: &mut Vec<Item>) -> StoreResult<()> {
        let mut left = Some(request);
        for try_index in 0..MAX_TRIES {
            let Some(request) = left.take() else { return Ok(()) };
            let call = self.dynamodb().batch_get_item().request_items(self.table(), request);
            let got = call.send().await.map_err(store_error)?;
            let found = got.responses.ok_or_else(|| missing_attribute("responses"))?.remove(self.table());
            items.extend(found.unwrap_or_default().into_iter().filter_map(unexpired));
            left = got.unprocessed_keys.and_then(|mut keys| keys.remove(self.table()));
            if left.is_some() {
                back_off(try_index).await;
            }
        }
        if left.is_some() { Err(StoreError::Busy) } else { Ok(()) }
    }

    /// A query of a whole partition, with strong consistency. A caller that wants a part of it sets another key
    /// condition, with `#pk = :pk` in it.
    pub(crate) fn query_partition(&self, pk: &str) -> QueryFluentBuilder {
        self.dynamodb()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(pk))
    }

    /// A query of a whole partition of the table of reports, with strong consistency.
    pub(crate) fn query_reports(&self, pk: &str) -> QueryFluentBuilder {
        self.query_partition(pk).table_name(&self.stack().reports)
    }

    /// All items of a query, page by page.
    pub(crate) async fn query_all(&self, query: QueryFluentBuilder) -> StoreResult<Vec<Item>> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// An update of an item, alone.
    pub(crate) fn update(&self, key: ItemKey) -> UpdateItemFluentBuilder {
        self.dynamodb().update_item().table_name(self.table()).set_key(Some(key.attributes()))
    }

    /// A put of an item, whatever is there, as a part of a transaction.
    pub(crate) fn put_part(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(self.table()).set_item(Some(item))
    }

    /// An update of an item, as a part of a transaction.
    pub(crate) fn update_part(&self, key: ItemKey) -> UpdateBuilder {
        Update::builder().table_name(self.table()).set_key(Some(key.attributes()))
    }

    /// A delete of an item, as a part of a transaction.
    pub(crate) fn delete_part(&self, key: ItemKey) -> DeleteBuilder {
        Delete::builder().table_name(self.table()).set_key(Some(key.attributes()))
    }
}

fn projected(mut request: KeysAndAttributesBuilder, attributes: &[&str]) -> KeysAndAttributesBuilder {
    let mut aliases = Vec::with_capacity(attributes.len());
    for (i, name) in attributes.iter().enumerate() {
        aliases.push(format!("#a{i}"));
        request = request.expression_attribute_names(format!("#a{i}"), *name);
    }
    request.projection_expression(aliases.join(", "))
}

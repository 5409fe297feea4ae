//! The items of a bucket, deliveries and counters of ordered loans: read from the index, which lags behind the table, and moved
//! to another bucket.

use super::bucket::Bucket;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, parse, text};
use crate::items::key_schema::{BY_DUE, DUE_BUCKET, ItemKey, PK, SK};
use crate::items::write_outcome::write_outcome;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// The keys of items in a bucket, a page of them, and where the next one begins.
    pub(super) async fn keys_in_bucket(
        &self,
        bucket: Bucket,
        from: Option<Item>,
    ) -> StoreResult<(Vec<ItemKey>, Option<Item>)> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.table())
            .index_name(BY_DUE)
            .key_condition_expression("#bucket = :bucket")
            .expression_attribute_names("#bucket", DUE_BUCKET)
            .expression_attribute_values(":bucket", text(bucket.to_string()))
            .set_exclusive_start_key(from);
        let page = query.send().await.map_err(store_error)?;
        let items = page.items.unwrap_or_default();
        let keys = items.iter().map(|item| Ok(ItemKey { pk: parse(item, PK)?, sk: parse(item, SK)? }));
        Ok((keys.collect::<StoreResult<_>>()?, page.last_evaluated_key))
    }

    /// Moves an item to another bucket, in which it is looked at again, unless it has moved on by itself.
    pub(super) async fn move_to_bucket(&self, from: Bucket, key: ItemKey, to: Bucket) -> StoreResult<()> {
        let update = self
            .update(key)
            .update_expression("SET #bucket = :to")
            .condition_expression("#bucket = :from")
            .expression_attribute_names("#bucket", DUE_BUCKET)
            .expression_attribute_values(":to", text(to.to_string()))
            .expression_attribute_values(":from", text(from.to_string()));
        write_outcome(update.send().await).map(|_| ())
    }
}

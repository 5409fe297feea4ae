//! Items of a partition that are sorted by an ID and so by time, read from the newest on.

use uuid::Uuid;

use super::call_errors::store_error;
use super::item::{Item, text, unexpired};
use super::key_schema::SK;
use super::unreadable::UnreadableItems;
use crate::engine::Aws;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// The values of a partition's items with IDs from `oldest` to before `before`, the newest first, as far as they have not
    /// expired and can be read: fewer than `limit` only where there are no more.
    pub(crate) async fn newest_first<T>(
        &self,
        pk: &str,
        (oldest, before): (Option<Uuid>, Option<Uuid>),
        limit: usize,
        read: fn(&Item) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>> {
        // The range of the query includes both ends: the newest ID is the one just before `before`.
        let newest = before.map_or(Some(u128::MAX), |id| id.as_u128().checked_sub(1));
        let Some(newest) = newest.map(Uuid::from_u128) else { return Ok(Vec::new()) };
        let oldest = oldest.unwrap_or(Uuid::nil());
        if oldest > newest {
            return Ok(Vec::new());
        }
        let (mut values, mut left_out) = (Vec::new(), UnreadableItems::default());
        let mut from = None;
        loop {
            let left = i32::try_from(limit - values.len()).unwrap_or(i32::MAX);
            let page = self
                .query_partition(pk)
                .scan_index_forward(false)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :oldest AND :newest")
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":oldest", text(oldest.to_string()))
                .expression_attribute_values(":newest", text(newest.to_string()))
                .set_exclusive_start_key(from)
                .limit(left)
                .send()
                .await
                .map_err(store_error)?;
            let items = page.items.unwrap_or_default().into_iter().filter_map(unexpired);
            values.extend(items.filter_map(|item| left_out.readable(&item, read(&item))));
            from = page.last_evaluated_key;
            if from.is_none() || values.len() == limit {
                return Ok(values);
            }
        }
    }
}

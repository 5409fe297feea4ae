//! Single items: read as they are now, and put where there is none.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

use super::Aws;
use super::call_errors::{WriteOutcome, store_error, write_outcome};
use super::item::{Item, unexpired};
use super::key_schema::{ItemKey, PK};
use loanhook_core::ports::StoreResult;

impl Aws {
    /// What is at a place as it is now, unless it is over.
    pub(super) async fn get(&self, place: ItemKey) -> StoreResult<Option<Item>> {
        let got = self
            .dynamodb()
            .get_item()
            .table_name(self.table())
            .set_key(Some(place.key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(store_error)?;
        Ok(got.item.and_then(unexpired))
    }

    /// Puts an item where there is none. One that is there may be this one, where the answer to a first try
    /// was lost.
    pub(super) async fn put_new(&self, item: Item) -> StoreResult<WriteOutcome<()>> {
        let put = self
            .dynamodb()
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        Ok(write_outcome(put)?.map(|_| ()))
    }
}

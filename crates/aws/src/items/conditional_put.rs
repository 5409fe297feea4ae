//! Conditional puts of an item: alone, or as a part of a transaction.

use aws_sdk_dynamodb::types::Put;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::builders::PutBuilder;

use super::call_errors::failed;
use super::item::Item;
use super::key_schema::PK;
use super::write_outcome::{WriteOutcome, write_outcome};
use crate::engine::Aws;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// The put of an item under a condition. A refusal returns the item that is there.
    pub(crate) fn put_if(&self, item: Item, condition: &str) -> PutBuilder {
        Put::builder()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(AllOld)
    }

    /// The put of an item where there is none of its key.
    pub(crate) fn put_if_absent(&self, item: Item) -> PutBuilder {
        self.put_if(item, "attribute_not_exists(#pk)").expression_attribute_names("#pk", PK)
    }

    /// Does a put, alone.
    pub(crate) async fn put(&self, put: PutBuilder) -> StoreResult<WriteOutcome<()>> {
        let put = put.build().map_err(failed)?;
        let call = self
            .dynamodb()
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values)
            .set_return_values_on_condition_check_failure(put.return_values_on_condition_check_failure);
        Ok(write_outcome(call.send().await)?.map(|_| ()))
    }
}

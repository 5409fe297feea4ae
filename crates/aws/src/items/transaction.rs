//! Several conditional writes that happen together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
};

use uuid::Uuid;

use super::call_errors::store_error;
use super::item::Item;
use super::{Aws, back_off};
use loanhook_core::ports::{StoreError, StoreResult};

/// How often a transaction is tried that met another one.
const MAX_TRIES: u32 = 12;

/// What became of a transaction.
pub(super) enum TransactionOutcome {
    Done,
    /// A condition was false: for each write, what is there if its own was.
    Refused(Vec<Refusal>),
}

pub(super) enum Refusal {
    /// Nothing was wrong with this one.
    None,
    /// Its condition was false; the item, if there is one.
    Condition(Option<Item>),
}

impl TransactionOutcome {
    /// False if any condition was.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

impl Refusal {
    pub(super) const fn is_condition(&self) -> bool {
        matches!(self, Self::Condition(_))
    }
}

pub(super) fn put(table: &str, item: Item, condition: &str) -> PutBuilder {
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(condition)
        .return_values_on_condition_check_failure(AllOld)
}

pub(super) type PutBuilder = aws_sdk_dynamodb::types::builders::PutBuilder;

/// A write of a transaction, built or not.
pub(super) trait TransactionWrite {
    fn write(self) -> StoreResult<TransactWriteItem>;
}

macro_rules! part {
    ($($builder:ident $set:ident $kind:ty),*) => {$(
        impl TransactionWrite for aws_sdk_dynamodb::types::builders::$builder {
            fn write(self) -> StoreResult<TransactWriteItem> {
                let built: $kind = self.build().map_err(|error| StoreError::Failed(error.to_string().into()))?;
                Ok(TransactWriteItem::builder().$set(built).build())
            }
        }
    )*};
}

part!(PutBuilder put Put, UpdateBuilder update Update, DeleteBuilder delete Delete);

impl Aws {
    pub(super) async fn transact(&self, parts: Vec<TransactWriteItem>) -> StoreResult<TransactionOutcome> {
        // By its token DynamoDB knows a transaction again whose answer was lost.
        let mut token = Uuid::new_v4();
        for tries in 0..MAX_TRIES {
            let call = self.dynamodb().transact_write_items().client_request_token(token);
            let call = call.set_transact_items(Some(parts.clone()));
            let error = match call.send().await {
                Ok(_) => return Ok(TransactionOutcome::Done),
                Err(error) => error,
            };
            let canceled = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    back_off(tries).await;
                    continue;
                }
                _ => return Err(store_error(error)),
            };
            let reasons = canceled.cancellation_reasons();
            let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
            if reasons.iter().any(|reason| code(reason) == "ConditionalCheckFailed") {
                return Ok(TransactionOutcome::Refused(reasons.iter().map(refusal).collect()));
            }
            let transient = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            if !reasons.iter().any(|reason| transient.contains(&code(reason).as_str())) {
                return Err(store_error(error));
            }
            token = Uuid::new_v4();
            back_off(tries).await;
        }
        Err(StoreError::Busy)
    }
}

fn refusal(reason: &CancellationReason) -> Refusal {
    match reason.code() {
        Some("ConditionalCheckFailed") => Refusal::Condition(reason.item.clone()),
        _ => Refusal::None,
    }
}

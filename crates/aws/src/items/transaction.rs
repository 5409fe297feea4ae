//! Transactions: several conditional writes that are done together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, TransactWriteItem, Update};
use uuid::Uuid;

use super::call_errors::{failed, store_error};
use super::item::Item;
use crate::engine::Aws;
use crate::sdk::back_off::back_off;
use loanhook_core::ports::{StoreError, StoreResult};

/// How often a transaction is tried that meets another one.
const MAX_TRIES: u32 = 12;

/// The outcome of a transaction.
pub(crate) enum TransactionOutcome {
    Done,
    /// A condition was false; one refusal for each write, in their order.
    Refused(Vec<Refusal>),
}

/// Why a write of a refused transaction was not done.
pub(crate) enum Refusal {
    /// Another write was refused.
    Other,
    /// Its condition was false; the item as it is, if there is one.
    Condition(Option<Item>),
}

impl TransactionOutcome {
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

impl Refusal {
    pub(crate) const fn is_condition(&self) -> bool {
        matches!(self, Self::Condition(_))
    }
}

/// What builds a write of a transaction.
pub(crate) trait TransactionPart {
    fn part(self) -> StoreResult<TransactWriteItem>;
}

macro_rules! transaction_part {
    ($($builder:ident $set:ident $kind:ty),*) => {$(
        impl TransactionPart for aws_sdk_dynamodb::types::builders::$builder {
            fn part(self) -> StoreResult<TransactWriteItem> {
                let built: $kind = self.build().map_err(failed)?;
                Ok(TransactWriteItem::builder().$set(built).build())
            }
        }
    )*};
}

transaction_part!(PutBuilder put Put, UpdateBuilder update Update, DeleteBuilder delete Delete);

impl Aws {
    /// Does a transaction; one that meets another is tried again.
    pub(crate) async fn transact(&self, parts: Vec<TransactWriteItem>) -> StoreResult<TransactionOutcome> {
        // By its token DynamoDB recognises a transaction whose response was lost.
        let mut token = Uuid::new_v4();
        for try_index in 0..MAX_TRIES {
            let call = self.dynamodb().transact_write_items().client_request_token(token);
            let call = call.set_transact_items(Some(parts.clone()));
            let error = match call.send().await {
                Ok(_) => return Ok(TransactionOutcome::Done),
                Err(error) => error,
            };
            let canceled = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    back_off(try_index).await;
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
            back_off(try_index).await;
        }
        Err(StoreError::Busy)
    }
}

fn refusal(reason: &CancellationReason) -> Refusal {
    match reason.code() {
        Some("ConditionalCheckFailed") => Refusal::Condition(reason.item.clone()),
        _ => Refusal::Other,
    }
}

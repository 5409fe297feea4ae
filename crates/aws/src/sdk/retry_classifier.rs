//! The retry classifier: which errors of DynamoDB the SDK retries in addition to its own.
//!
//! DynamoDB refuses a write of an item that a transaction is changing at that moment, and the SDK takes that for final. A
//! resend counts itself on its delivery in a transaction, and must not delay the delivery's own schedule.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// The error code of that refusal
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>).
pub(crate) const CONFLICT: &str = "TransactionConflictException";

/// Retries a write that met a transaction.
#[derive(Debug)]
pub(crate) struct TransactionConflicts;

impl ClassifyRetry for TransactionConflicts {
    fn classify_retry(&self, call: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = call.output_or_error() else { return RetryAction::NoActionIndicated };
        let error = error.as_operation_error();
        let update = error.and_then(|error| error.downcast_ref::<UpdateItemError>()?.code());
        let put = error.and_then(|error| error.downcast_ref::<PutItemError>()?.code());
        if update.or(put) == Some(CONFLICT) {
            return RetryAction::transient_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "TransactionConflicts"
    }
}

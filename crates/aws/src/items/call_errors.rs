//! The errors of calls to AWS, as errors of a store.

use std::error::Error;
use std::fmt::Display;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

use crate::sdk::retry_classifier::CONFLICT;
use loanhook_core::ports::StoreError;

/// Error codes that ask for a later try.
const THROTTLED: [&str; 10] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    CONFLICT,
    "TransactionInProgressException",
];

/// The error of a call that failed after the SDK's retries.
///
/// What the SDK says of a response that it could not read contains the whole response, secrets included, so only the
/// messages of the error and its sources are passed on.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
pub(crate) fn store_error<E>(error: E) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if error.code().is_some_and(|code| THROTTLED.contains(&code)) {
        return StoreError::Busy;
    }
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    StoreError::Failed(message.into())
}

/// The error of a call that could not be built or whose response could not be read.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
pub(crate) fn failed(error: impl Display) -> StoreError {
    StoreError::Failed(error.to_string().into())
}

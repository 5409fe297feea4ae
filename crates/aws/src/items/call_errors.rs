//! What the errors of AWS mean here.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::item::Item;
use loanhook_core::ports::{StoreError, StoreResult};

/// Codes by which AWS says "not so fast".
const THROTTLED: [&str; 10] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    super::retry_classifier::CONFLICT,
    "TransactionInProgressException",
];

/// A call that failed after the SDK's own retries. What the SDK says of an answer that it could not read has
/// the whole answer in it, secrets included, so only what describes itself is passed on.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
pub(super) fn store_error<E>(error: E) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if error.code().is_some_and(|code| THROTTLED.contains(&code)) {
        return StoreError::Busy;
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    StoreError::Failed(words.into())
}

/// What came of a conditional write.
#[derive(Debug)]
pub(super) enum WriteOutcome<T> {
    Done(T),
    /// The condition was false; the item as it is, if there is one.
    Refused(Option<Item>),
}

impl<T> WriteOutcome<T> {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(super) fn map<U>(self, to: impl FnOnce(T) -> U) -> WriteOutcome<U> {
        match self {
            Self::Done(value) => WriteOutcome::Done(to(value)),
            Self::Refused(item) => WriteOutcome::Refused(item),
        }
    }
}

/// An error that may be a condition that was false.
pub(super) trait ConditionalError {
    fn refused_item(self) -> Result<Option<Item>, Self>
    where
        Self: Sized;
}

macro_rules! may_refuse {
    ($($error:ident),*) => {$(
        impl ConditionalError for $error {
            fn refused_item(self) -> Result<Option<Item>, Self> {
                match self {
                    Self::ConditionalCheckFailedException(refusal) => Ok(refusal.item),
                    other => Err(other),
                }
            }
        }
    )*};
}

may_refuse!(PutItemError, UpdateItemError);

pub(super) fn write_outcome<T, E, R>(result: Result<T, SdkError<E, R>>) -> StoreResult<WriteOutcome<T>>
where
    E: ConditionalError + ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let error = match result {
        Ok(value) => return Ok(WriteOutcome::Done(value)),
        Err(SdkError::ServiceError(context)) => {
            let raw = context.into_err();
            match raw.refused_item() {
                Ok(item) => return Ok(WriteOutcome::Refused(item)),
                Err(error) => error,
            }
        }
        Err(other) => return Err(store_error(other)),
    };
    Err(store_error(error))
}

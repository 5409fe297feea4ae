//! The outcome of a conditional write.
//!
//! The SDK repeats a call whose response was lost. If the first call was done, the repeat is refused by what the first one
//! wrote: [`WriteOutcome::or_own_write`] tells that from a write of somebody else.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::call_errors::store_error;
use super::item::Item;
use loanhook_core::ports::StoreResult;

#[derive(Debug)]
pub(crate) enum WriteOutcome<T> {
    Done(T),
    /// The condition was false; the item as it is, if there is one.
    Refused(Option<Item>),
}

impl<T> WriteOutcome<T> {
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> WriteOutcome<U> {
        match self {
            Self::Done(value) => WriteOutcome::Done(to(value)),
            Self::Refused(item) => WriteOutcome::Refused(item),
        }
    }

    /// Done also where the refused item is what this very write put there, as `is_own` finds; `to` makes the write's
    /// result of it.
    pub(crate) fn or_own_write(
        self,
        is_own: impl FnOnce(&Item) -> StoreResult<bool>,
        to: impl FnOnce(Item) -> T,
    ) -> StoreResult<Self> {
        Ok(match self {
            Self::Refused(Some(item)) if is_own(&item)? => Self::Done(to(item)),
            outcome => outcome,
        })
    }
}

/// An error that says of a condition that it was false.
pub(crate) trait ConditionalError {
    /// The item that the condition refused, if there is one; the error itself where it says something else.
    fn refused_item(self) -> Result<Option<Item>, Self>
    where
        Self: Sized;
}

macro_rules! conditional_error {
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

conditional_error!(DeleteItemError, PutItemError, UpdateItemError);

/// The outcome that the result of a call is.
pub(crate) fn write_outcome<T, E, R>(result: Result<T, SdkError<E, R>>) -> StoreResult<WriteOutcome<T>>
where
    E: ConditionalError + ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let error = match result {
        Ok(value) => return Ok(WriteOutcome::Done(value)),
        Err(SdkError::ServiceError(context)) => match context.into_err().refused_item() {
            Ok(item) => return Ok(WriteOutcome::Refused(item)),
            Err(error) => error,
        },
        Err(other) => return Err(store_error(other)),
    };
    Err(store_error(error))
}

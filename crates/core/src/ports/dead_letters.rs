//! Port of dead letters: messages that were put aside.

use std::future::Future;

use super::StoreResult;
use crate::model::dead_letter::{DeadLetterList, RedriveOutcome};

/// Messages of all tenants that could not be handled. Normal running leaves none.
pub trait DeadLetters {
    /// At most so many of them, in no order.
    fn dead_letters(&self, most: usize) -> impl Future<Output = StoreResult<DeadLetterList>> + Send;

    /// Puts one into its queue again, to be handled now, and then takes it away. So a crash in between leaves two messages, of
    /// which one changes nothing.
    fn redrive_dead_letter(&self, id: &str) -> impl Future<Output = StoreResult<RedriveOutcome>> + Send;

    /// Takes one away for good; false where there is none. What it is about stays as it is.
    fn drop_dead_letter(&self, id: &str) -> impl Future<Output = StoreResult<bool>> + Send;
}

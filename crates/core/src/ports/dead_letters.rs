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

    /// Takes one away for good, and gives up what it is about; false where there is none. A delivery whose next automatic attempt
    /// it is for is canceled first; a resend reads as interrupted, as one that nobody claims; a recovery job, and what waits of
    /// a subscription, get another message by themselves. A crash in between leaves the dead letter, which can be dropped again.
    fn drop_dead_letter(&self, id: &str) -> impl Future<Output = StoreResult<bool>> + Send;
}

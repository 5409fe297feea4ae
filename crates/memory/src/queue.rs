//! Queue: messages in the order in which they were put.

use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Queue, QueueMessage, StoreResult};

use super::step::{Operation, StepKind};
use super::{Memory, State};

impl Queue for Memory {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        self.once(Operation::Enqueue, StepKind::Message, |state| {
            state.messages.push(message);
            Ok(())
        })
        .await
    }
}

impl State {
    /// Takes every message that is due off the queue. Whoever takes one puts it back where it could not be handled.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<QueueMessage> {
        let (due, later) =
            std::mem::take(&mut self.messages).into_iter().partition(|message| message.due <= now);
        self.messages = later;
        due
    }
}

//! Messages that a handler has: they are in flight, and stay in the table until they are acted on.

use super::id::QueueId;
use super::scheduler::QueueScheduler;

impl QueueScheduler {
    /// How many messages of a queue a handler has.
    pub(crate) fn handling_count(&self, id: &QueueId) -> usize {
        self.state().queues.get(id).map_or(0, |queue| queue.handling.len())
    }

    /// Whether a handler has the message.
    pub(crate) fn is_handling(&self, id: &QueueId, message_id: i64) -> bool {
        self.state().queues.get(id).is_some_and(|queue| queue.handling.contains(&message_id))
    }

    /// Marks a message that a handler is given. False if a handler has it already.
    pub(crate) fn begin_handling(&self, id: &QueueId, message_id: i64) -> bool {
        let mut new = false;
        self.state().update(id, |queue| new = queue.handling.insert(message_id));
        new
    }

    /// The handler of a message has ended.
    pub(crate) fn end_handling(&self, id: &QueueId, message_id: i64) {
        let mut state = self.state();
        if id.automatic {
            // Its message may have led to no request. One that did is recorded by now.
            state.end_probe(id.subscription);
        }
        self.release_locked(state, id, |queue| _ = queue.handling.remove(&message_id));
    }
}

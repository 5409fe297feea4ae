//! Places of new deliveries: intake takes one for each before it stores it, and waits where sending does not keep up.
//!
//! `flow` says where there is room. Events wait in the order in which they came, for each subscription; nothing is stored
//! of one that waits, and one that has waited too long is refused as busy. An event for several subscriptions takes its
//! places in one order, that of their IDs, so no two events wait for each other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::adaptive_share::PROMPT_ANSWER;
use super::flow::{ShareBounds, WaitingEvent};
use super::id::QueueId;
use super::scheduler::QueueScheduler;
use loanhook_core::ports::{QueueMessage, StoreError, StoreResult};

/// How long an event waits for one of its places at most: callers seldom wait for more than 10 seconds.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The place of a new delivery, until it is stored or given up.
pub(crate) struct Place {
    scheduler: Arc<QueueScheduler>,
    queue: QueueId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.scheduler.end_storing(&self.queue);
    }
}

impl Place {
    /// A place for a new delivery of an event of so many bytes, as soon as there is room for it, or as soon as nothing is
    /// sent any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where too much waits already, or there was no room in time.
    pub(crate) async fn wait_for(
        scheduler: &Arc<QueueScheduler>,
        queue: QueueId,
        bytes: usize,
        bounds: ShareBounds,
        is_sending: impl Fn() -> bool,
    ) -> StoreResult<Self> {
        let mut turn = match scheduler.enter(&queue, bytes, bounds)? {
            None => return Ok(Self { scheduler: Arc::clone(scheduler), queue }),
            Some(admitted) => Turn { scheduler, queue: &queue, admitted },
        };
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            match timeout(PROMPT_ANSWER, &mut turn.admitted).await {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return Err(StoreError::Busy),
                Err(_) if !is_sending() => {
                    scheduler.begin_storing(&queue);
                    break;
                }
                Err(_) if Instant::now() >= deadline => return Err(StoreError::Busy),
                // The receiver may have become silent, which no event tells.
                Err(_) => scheduler.admit_waiting(&queue),
            }
        }
        drop(turn);
        Ok(Self { scheduler: Arc::clone(scheduler), queue })
    }
}

/// The turn of an event that waits. One that is given up gives back what it was admitted to meanwhile.
struct Turn<'a> {
    scheduler: &'a QueueScheduler,
    queue: &'a QueueId,
    admitted: oneshot::Receiver<()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.admitted.close();
        match self.admitted.try_recv() {
            Ok(()) => self.scheduler.end_storing(self.queue),
            Err(_) => self.scheduler.remove_given_up(self.queue),
        }
    }
}

impl QueueScheduler {
    /// Takes in messages of first attempts, and counts them in the flows of their subscriptions.
    pub(crate) fn add_first_attempts(&self, messages: &[QueueMessage]) {
        if !messages.is_empty() {
            let mut state = self.state();
            for message in messages {
                if let Some(flow) = state.flows.get_mut(&message.subscription_id) {
                    flow.add_queued();
                }
            }
        }
        self.add_messages(messages);
    }

    /// So many messages of a queue are handed out; `all` that were due.
    pub(crate) fn remove_queued(&self, id: &QueueId, count: usize, all: bool) {
        if !id.automatic {
            return;
        }
        let mut state = self.state();
        if let Some(flow) = state.flows.get_mut(&id.subscription) {
            flow.remove_queued(count, all);
        }
        state.admit_waiting(id);
    }

    /// Takes a place for a new delivery. Where there is no room, the event waits: what is returned then says when it has
    /// its place.
    fn enter(
        &self,
        id: &QueueId,
        bytes: usize,
        bounds: ShareBounds,
    ) -> StoreResult<Option<oneshot::Receiver<()>>> {
        let mut state = self.state();
        let load = state.load(id);
        let flow = state.flow(id, bounds);
        if flow.nobody_waits() && flow.has_room(load, std::time::Instant::now()) {
            flow.begin_storing();
            return Ok(None);
        }
        let (admit, admitted) = oneshot::channel();
        match flow.wait(WaitingEvent { bytes, admit }) {
            true => Ok(Some(admitted)),
            false => Err(StoreError::Busy),
        }
    }

    fn begin_storing(&self, id: &QueueId) {
        if let Some(flow) = self.state().flows.get_mut(&id.subscription) {
            flow.begin_storing();
        }
    }

    fn end_storing(&self, id: &QueueId) {
        let mut state = self.state();
        if let Some(flow) = state.flows.get_mut(&id.subscription) {
            flow.end_storing();
        }
        state.admit_waiting(id);
    }

    fn admit_waiting(&self, id: &QueueId) {
        self.state().admit_waiting(id);
    }

    fn remove_given_up(&self, id: &QueueId) {
        if let Some(flow) = self.state().flows.get_mut(&id.subscription) {
            flow.remove_given_up();
        }
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;

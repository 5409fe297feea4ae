//! Places of new deliveries: intake takes one for each before it stores it, and waits where sending does not keep up.
//!
//! `pace` says where there is room. Events wait in the order in which they came, for each subscription; nothing is stored
//! of one that waits, and one that has waited too long is refused as busy. An event for several subscriptions takes its
//! places one after the other. While it waits for one it holds none, so it holds up no event that needs only the others,
//! and no two events wait for each other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::adaptive_share::PROMPT_ANSWER;
use super::id::QueueId;
use super::pace::{ShareBounds, WaitingEvent};
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
    /// Places for the new deliveries of an event of so many bytes, one for each of these queues, as soon as there was
    /// room in each of them, or as soon as nothing is sent any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where too much waits already, or there was no room in time.
    pub(crate) async fn wait_for_all(
        scheduler: &Arc<QueueScheduler>,
        queues: impl IntoIterator<Item = QueueId>,
        bytes: usize,
        bounds: ShareBounds,
        is_sending: impl Fn() -> bool,
    ) -> StoreResult<Vec<Self>> {
        let mut places = Vec::new();
        let mut deadline = None;
        for queue in queues {
            let Some(admitted) = scheduler.enter(&queue, bytes, bounds)? else {
                places.push(Self { scheduler: Arc::clone(scheduler), queue });
                continue;
            };
            let held: Vec<_> = places.drain(..).map(|place: Self| place.queue.clone()).collect();
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + MAX_WAIT);
            let turn = Turn { scheduler, queue: &queue, admitted };
            places.push(turn.wait_until(deadline, &is_sending).await?);
            // There was room for these, and they do not wait a second time.
            places.extend(held.into_iter().map(|queue| Self::overdrawn(scheduler, queue)));
        }
        Ok(places)
    }

    /// A place, whether there is room or not.
    fn overdrawn(scheduler: &Arc<QueueScheduler>, queue: QueueId) -> Self {
        scheduler.begin_storing(&queue);
        Self { scheduler: Arc::clone(scheduler), queue }
    }
}

/// The turn of an event that waits. One that is given up gives back what it was admitted to meanwhile.
struct Turn<'a> {
    scheduler: &'a Arc<QueueScheduler>,
    queue: &'a QueueId,
    admitted: oneshot::Receiver<()>,
}

impl Turn<'_> {
    async fn wait_until(mut self, deadline: Instant, is_sending: impl Fn() -> bool) -> StoreResult<Place> {
        loop {
            match timeout(PROMPT_ANSWER, &mut self.admitted).await {
                Ok(Ok(())) => {
                    return Ok(Place { scheduler: Arc::clone(self.scheduler), queue: self.queue.clone() });
                }
                Ok(Err(_)) => return Err(StoreError::Busy),
                Err(_) if !is_sending() => return Ok(Place::overdrawn(self.scheduler, self.queue.clone())),
                Err(_) if Instant::now() >= deadline => return Err(StoreError::Busy),
                // The receiver may have become silent, which no event tells.
                Err(_) => self.scheduler.admit_waiting(self.queue),
            }
        }
    }
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
    /// Takes in messages of first attempts, and counts them in the paces of their subscriptions.
    pub(crate) fn add_first_attempts(&self, messages: &[QueueMessage]) {
        if !messages.is_empty() {
            let mut state = self.state();
            for message in messages {
                if let Some(pace) = state.paces.get_mut(&message.subscription_id) {
                    pace.add_queued();
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
        if let Some(pace) = state.paces.get_mut(&id.subscription) {
            pace.remove_queued(count, all);
        }
        if all {
            state.nothing_waits(id);
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
        let pace = state.pace(id, bounds);
        if pace.nobody_waits() && pace.has_room(load, std::time::Instant::now()) {
            pace.begin_storing();
            return Ok(None);
        }
        let (admit, admitted) = oneshot::channel();
        match pace.wait(WaitingEvent { bytes, admit }) {
            true => Ok(Some(admitted)),
            false => Err(StoreError::Busy),
        }
    }

    fn begin_storing(&self, id: &QueueId) {
        if let Some(pace) = self.state().paces.get_mut(&id.subscription) {
            pace.begin_storing();
        }
    }

    fn end_storing(&self, id: &QueueId) {
        let mut state = self.state();
        if let Some(pace) = state.paces.get_mut(&id.subscription) {
            pace.end_storing();
        }
        state.admit_waiting(id);
    }

    fn admit_waiting(&self, id: &QueueId) {
        self.state().admit_waiting(id);
    }

    fn remove_given_up(&self, id: &QueueId) {
        if let Some(pace) = self.state().paces.get_mut(&id.subscription) {
            pace.remove_given_up();
        }
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
